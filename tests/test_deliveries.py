"""The store of deliveries: nothing accepted is lost, nothing is worked twice at once, whatever ends the process."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from logkb.deliveries import MOST_INTERRUPTIONS, Delivery, Store, open_store
from logkb.errors import StoreError, UsageError


class Clock:
    """A wall clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = Store(tmp_path / "state" / "deliveries.sqlite3", clock=clock)
    yield opened
    opened.close()


def delivery(number: int, subject: str = "github:o/r#1", forge: str = "github") -> Delivery:
    return Delivery(
        forge, f"id-{number}", hashlib.sha256(str(number).encode()).digest(), "workflow_run", subject, f'{{"n": {number}}}'
    )


def test_an_accepted_delivery_becomes_a_task_and_then_is_done(store: Store) -> None:
    assert store.accept([delivery(1)]) == ["accepted"]
    task = store.claim()
    assert task is not None
    assert (task.subject, task.targets, task.deliveries) == ("github:o/r#1", ('{"n": 1}',), 1)
    assert store.finish(task, "created")
    assert store.claim() is None
    assert store.depth().waiting == store.depth().tasks == 0


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(delivery(1), id="the same delivery"),
        pytest.param(Delivery("github", "id-1", b"other", "check_run", "github:o/r#9", "{}"), id="the same id over another body"),
        pytest.param(
            Delivery("github", "new", delivery(1).digest, "workflow_run", "github:o/r#1", "{}"), id="the body under a new id"
        ),
    ],
)
def test_a_replay_is_refused_before_and_after_the_work(store: Store, again: Delivery) -> None:
    store.accept([delivery(1)])
    assert store.accept([again]) == ["duplicate"]
    task = store.claim()
    assert task is not None
    store.finish(task, "created")
    assert store.accept([again]) == ["duplicate"]
    assert store.claim() is None


def test_ids_of_two_forges_do_not_meet(store: Store) -> None:
    assert store.accept([delivery(1), delivery(1, forge="gitlab")]) == ["accepted", "accepted"]


def test_deliveries_of_one_subject_are_one_task(store: Store) -> None:
    assert store.accept([delivery(number) for number in range(50)]) == ["accepted"] * 50
    task = store.claim()
    assert task is not None
    assert task.deliveries == 50
    assert store.claim() is None
    store.finish(task, "created")
    assert store.depth().waiting == 0


def test_a_delivery_that_comes_during_the_work_is_worked_afterwards(store: Store) -> None:
    store.accept([delivery(1)])
    first = store.claim()
    assert first is not None
    store.accept([delivery(2)])
    assert store.claim() is None, "the subject is held"
    store.finish(first, "created")
    second = store.claim()
    assert second is not None
    assert second.targets == ('{"n": 2}',)


def test_a_task_settles_before_it_starts(store: Store, clock: Clock) -> None:
    store.accept([delivery(1)], settle=2.0)
    assert store.claim() is None
    clock.now += 1.5
    store.accept([delivery(2)], settle=2.0)
    clock.now += 0.6
    task = store.claim()
    assert task is not None, "a later delivery does not put the task off"
    assert task.deliveries == 2


def test_a_retry_waits_and_counts(store: Store, clock: Clock) -> None:
    store.accept([delivery(1)])
    for tries, counts in ((0, True), (1, False), (1, True), (2, True)):
        task = store.claim()
        assert task is not None
        assert task.tries == tries
        assert store.retry(task, after=10, reason="busy", counts=counts)
        assert store.claim() is None
        clock.now += 10


def test_a_new_delivery_does_not_shorten_the_wait(store: Store) -> None:
    store.accept([delivery(1)])
    task = store.claim()
    assert task is not None
    store.retry(task, after=10, reason="busy")
    store.accept([delivery(2)])
    assert store.claim() is None


def test_a_forge_can_be_left_alone(store: Store) -> None:
    store.accept([delivery(1), delivery(2, "gitlab:g/p!1", "gitlab")])
    task = store.claim(without=["github"])
    assert task is not None
    assert task.forge == "gitlab"
    assert store.claim(without=["github", "gitlab"]) is None


def test_what_was_given_up_is_worked_once_more_when_it_is_sent_again(store: Store) -> None:
    store.accept([delivery(1)])
    task = store.claim()
    assert task is not None
    assert store.bury(task, "no permission")
    assert store.depth().dead == 1
    assert store.dead()[0][1:] == ("id-1", "github:o/r#1", "no permission")
    assert store.accept([delivery(1)]) == ["revived"]
    assert store.accept([delivery(1)]) == ["duplicate"]
    again = store.claim()
    assert again is not None
    assert again.tries == 0
    assert store.depth().dead == 0


def test_deliveries_move_to_the_subject_that_they_turn_out_to_be_about(store: Store, clock: Clock) -> None:
    store.accept([delivery(1, "github:o/r#7")])
    request = store.claim()
    clock.now += 1
    store.accept([delivery(2, "github:o/r@abc")])
    commit = store.claim()
    assert commit is not None
    assert request is not None
    store.accept([delivery(3, "github:o/r@abc")])
    assert store.move(commit, "github:o/r#7", '{"pr": 7}')
    later = store.claim()
    assert later is not None
    assert later.subject == "github:o/r@abc", "the pull request is still held, the newer delivery of the commit is free"
    store.finish(request, "created")
    moved = store.claim()
    assert moved is not None
    assert (moved.subject, moved.targets) == ("github:o/r#7", ('{"pr": 7}',))


def test_a_clock_that_goes_back_does_not_hold_tasks_for_ever(store: Store, clock: Clock) -> None:
    store.accept([delivery(1)], settle=1.0)
    clock.now -= 30 * 86400
    assert store.claim() is not None


def test_a_clock_that_jumps_ahead_frees_no_task_that_is_held(store: Store, clock: Clock) -> None:
    store.accept([delivery(1)])
    task = store.claim()
    assert task is not None
    clock.now += 365 * 86400
    other = Store(store.path, clock=clock)
    try:
        assert other.reclaim(lambda _: 0.0) == 0
        assert other.claim() is None
    finally:
        other.close()
    assert store.finish(task, "created")


def test_two_stores_on_one_file_share_the_tasks(store: Store, clock: Clock) -> None:
    store.accept([delivery(number, f"github:o/r#{number}") for number in range(40)])
    stores = [store, *(Store(store.path, clock=clock) for _ in range(3))]
    taken: list[str] = []

    def work(mine: Store) -> None:
        while (task := mine.claim()) is not None:
            taken.append(task.subject)
            assert mine.finish(task, "created")

    threads = [threading.Thread(target=work, args=(mine,)) for mine in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for other in stores[1:]:
        other.close()
    assert sorted(taken) == sorted(f"github:o/r#{number}" for number in range(40))


def test_a_task_that_was_taken_over_cannot_be_finished_by_its_first_holder(store: Store, clock: Clock) -> None:
    store.accept([delivery(1)])
    task = store.claim()
    assert task is not None
    store.release()
    other = Store(store.path, clock=clock)
    try:
        assert other.claim() is not None
        assert not store.finish(task, "created")
        assert not store.retry(task, after=0, reason="late")
        assert not store.move(task, "github:o/r#2", "{}")
    finally:
        other.close()


HOLDER = """
import sys
from pathlib import Path
from logkb.deliveries import Store
store = Store(Path(sys.argv[1]))
while (task := store.claim()) is not None:
    print(task.subject, flush=True)
sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """A process of its own that takes every task and then waits."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip()
    return process


def test_kill_9_frees_the_tasks_at_once_and_only_those_of_the_dead(tmp_path: Path) -> None:
    store = Store(tmp_path / "d.sqlite3")
    store.accept([delivery(1)])
    process = hold(store.path)
    try:
        assert store.claim() is None
        assert store.reclaim(lambda _: 0.0) == 0, "its holder lives"
        process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        process.communicate(timeout=20)
        assert store.reclaim(lambda _: 0.0) == 1
        assert store.claim() is not None
        assert len(list(store.owners.iterdir())) == 1, "the dead one's lock file is gone"
    finally:
        process.kill()
        process.communicate(timeout=20)
        store.close()


def test_lock_files_of_the_dead_do_not_pile_up(tmp_path: Path) -> None:
    path = tmp_path / "d.sqlite3"
    living = open_store(path, lambda _: None)
    for name in ("a" * 32, "b" * 32):
        (living.owners / f"{name}.lock").touch()
    other = open_store(path, lambda _: None)
    assert {file.stem for file in living.owners.iterdir()} == {living.owner.name, other.owner.name}
    other.close()
    living.close()
    assert not list(living.owners.iterdir())


def test_a_task_that_ends_its_process_again_and_again_is_given_up(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "d.sqlite3"
    waits: list[int] = []
    for _ in range(MOST_INTERRUPTIONS):
        store = Store(path, clock=clock)
        store.accept([delivery(1)])
        store.reclaim(lambda times: waits.append(times) or 5.0 * times)  # type: ignore[func-returns-value]
        assert store.claim() is None or not waits
        clock.now += 5.0 * MOST_INTERRUPTIONS
        store.claim()
        store.close()
    store = Store(path, clock=clock)
    store.reclaim(lambda times: 0.0)
    assert store.claim() is None
    assert store.depth().dead == 1
    assert waits == list(range(1, MOST_INTERRUPTIONS))
    assert f"{MOST_INTERRUPTIONS} times" in store.dead()[0][3]
    store.close()


def test_old_deliveries_are_forgotten_and_waiting_ones_never(store: Store, clock: Clock) -> None:
    store.accept([delivery(1)])
    task = store.claim()
    assert task is not None
    store.finish(task, "created")
    store.accept([delivery(2)])
    clock.now += 31 * 86400
    assert store.prune(30 * 86400) == 1
    assert store.accept([delivery(1)]) == ["accepted"]
    assert store.accept([delivery(2)]) == ["duplicate"]


def full_disk(store: Store) -> sqlite3.Connection:
    """Leave the file no page to grow by, which SQLite reports just as it reports a full disk."""
    connection: sqlite3.Connection = store._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    return connection


def test_a_full_disk_stores_nothing_of_a_batch_and_says_so(store: Store) -> None:
    connection = full_disk(store)
    batch = [delivery(number, f"github:o/r#{number}") for number in range(2000)]
    with pytest.raises(StoreError, match=r"full.*nothing was written") as raised:
        store.accept(batch)
    assert not raised.value.damaged
    assert store.depth().waiting == store.depth().tasks == 0
    connection.execute("PRAGMA max_page_count = 1000000")
    assert store.accept(batch) == ["accepted"] * 2000


@pytest.mark.parametrize("damage", ["text instead", "holes", "cut"])
def test_a_damaged_file_is_kept_aside_and_a_new_one_started(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "d.sqlite3"
    store = Store(path)
    store.accept([delivery(number, f"github:o/r#{number}") for number in range(500)])
    store.close()
    whole = path.read_bytes()
    broken = {
        "text instead": b"this is not a database\n" * 500,
        "holes": whole[:4096] + b"\xa5" * (len(whole) - 8192) + whole[-4096:],
        "cut": whole[: len(whole) // 2 // 4096 * 4096],
    }[damage]
    path.write_bytes(broken)
    told: list[str] = []
    opened = open_store(path, told.append)
    try:
        assert opened.accept([delivery(1)]) == ["accepted"]
        aside = next(file for file in tmp_path.iterdir() if ".damaged-" in file.name and not file.name.endswith(("-wal", "-shm")))
        assert aside.read_bytes() == broken
        assert str(aside) in told[0]
        assert "damaged" in told[0]
    finally:
        opened.close()


def test_a_damaged_file_is_left_alone_while_another_server_uses_it(tmp_path: Path) -> None:
    path = tmp_path / "d.sqlite3"
    store = Store(path)
    try:
        broken = b"this is not a database\n" * 500
        for name in ("d.sqlite3-wal", "d.sqlite3-shm"):
            (tmp_path / name).unlink()
        path.write_bytes(broken)
        with pytest.raises(UsageError, match="stop that one first"):
            open_store(path, lambda _: None)
        assert path.read_bytes() == broken
    finally:
        store.close()


def test_a_file_of_another_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "d.sqlite3"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UsageError, match=r"format 99.*update logkb"):
        open_store(path, lambda _: None)
    assert path.exists()


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="name a file in a folder"):
        Store(tmp_path / "file" / "d.sqlite3")


def test_the_file_is_the_user_s_alone(store: Store) -> None:
    store.accept([delivery(1)])
    if os.name == "posix":
        assert store.path.stat().st_mode & 0o077 == 0
        assert store.path.parent.stat().st_mode & 0o077 == 0


def test_a_commit_reaches_the_disk_before_accept_returns(store: Store) -> None:
    assert store._connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert store._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    store.accept([delivery(1)])
    other = sqlite3.connect(store.path)
    assert other.execute("SELECT count(*) FROM deliveries").fetchone()[0] == 1
    other.close()
