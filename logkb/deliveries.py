"""Accepted webhook deliveries and the work that they ask for, in one SQLite file that outlives `kill -9`.

A *delivery* is what a forge sent once. A *task* is the work on one subject, such as a pull request: however many deliveries
wait for a subject, one task stands for all of them, and one process at a time holds it. Who holds a task is known by a lock that
ends with the process, not by a time, so a dead process's tasks are free at once and a jump of the clock frees none.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from logkb.errors import StoreError, UsageError
from logkb.owners import Owner, forget_dead, is_alive

Accepted = Literal["accepted", "duplicate", "revived"]
VERSION = 1
# Seconds, more than any pause that a forge or the back-off asks for: a task due later was stored before the clock went back.
LONGEST_WAIT = 2 * 3600.0
BUSY_SECONDS = 20.0
# A task whose process died so many times while it was being worked is taken for the reason.
MOST_INTERRUPTIONS = 10
PRUNED_AT_ONCE = 2_000

SCHEMA = """
CREATE TABLE deliveries (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  forge TEXT NOT NULL,
  id TEXT NOT NULL,
  digest BLOB NOT NULL,
  event TEXT NOT NULL,
  subject TEXT NOT NULL,
  target TEXT NOT NULL,
  received REAL NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'dead')),
  outcome TEXT,
  finished REAL,
  UNIQUE (forge, id),
  UNIQUE (forge, digest)
);
CREATE INDEX waiting_deliveries ON deliveries (subject, seq) WHERE state = 'waiting';
CREATE INDEX oldest_waiting ON deliveries (received) WHERE state = 'waiting';
CREATE INDEX finished_deliveries ON deliveries (finished) WHERE state <> 'waiting';
CREATE INDEX dead_deliveries ON deliveries (finished) WHERE state = 'dead';
CREATE TABLE tasks (
  subject TEXT PRIMARY KEY,
  forge TEXT NOT NULL,
  due REAL NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  interrupted INTEGER NOT NULL DEFAULT 0,
  owner TEXT,
  last_error TEXT
) WITHOUT ROWID;
CREATE INDEX free_tasks ON tasks (due) WHERE owner IS NULL;
CREATE TABLE probe (id INTEGER PRIMARY KEY CHECK (id = 1), at REAL NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as it is stored: never its body, only what the work needs. `digest` is the SHA-256 of the body."""

    forge: str
    id: str
    digest: bytes
    event: str
    subject: str
    target: str


@dataclass(frozen=True, slots=True)
class Task:
    """The work on one subject, held by this process.

    `targets` are those of the deliveries that wait for it, oldest first, each once; `seen` is the number of the last of these
    deliveries; `received` (seconds since the epoch) is when the oldest arrived.
    """

    subject: str
    forge: str
    targets: tuple[str, ...]
    deliveries: int
    seen: int
    received: float
    tries: int


@dataclass(frozen=True, slots=True)
class Depth:
    """How much there is: deliveries that wait or were given up, tasks, those held, the oldest waiting delivery's age in seconds."""

    waiting: int
    dead: int
    tasks: int
    held: int
    oldest: float


class Store:
    """The deliveries of one file. Every method is one transaction, safe from any thread; each raises `StoreError`."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.owners = path.with_name(path.name + ".owners")
        self._clock = clock
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise UsageError(
                f"{path}: the deliveries cannot be kept here: {error}; name a file in a folder that can be written"
            ) from None
        try:
            self._set_up()
            self.owner = Owner(self.owners)
        except BaseException:
            self._connection.close()
            raise

    def _set_up(self) -> None:
        self._read("PRAGMA journal_mode = WAL")
        self._read("PRAGMA synchronous = FULL")
        if (found := self._read("PRAGMA quick_check(1)")[0][0]) != "ok":
            raise StoreError(f"{self.path}: {found}", damaged=True)
        with self._write() as run:
            version = run("PRAGMA user_version").fetchone()[0]
            if version == 0:
                for statement in SCHEMA.split(";")[:-1]:
                    run(statement)
                run(f"PRAGMA user_version = {VERSION}")
            elif version != VERSION:
                raise UsageError(
                    f"{self.path}: written by another version of logkb (format {version}, this one reads {VERSION}); update logkb"
                )

    @contextlib.contextmanager
    def _write(self) -> Iterator[Callable[..., sqlite3.Cursor]]:
        """A write transaction, committed to the disk when the block ends."""
        with self._lock:
            run = self._connection.execute
            try:
                run("BEGIN IMMEDIATE")
                try:
                    yield run
                    run("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        run("ROLLBACK")
                    raise
            except sqlite3.DatabaseError as error:
                raise StoreError(f"{self.path}: {error}; nothing was written", damaged=_is_damage(error)) from error

    def accept(self, deliveries: Sequence[Delivery], *, settle: float = 0.0) -> list[Accepted]:
        """Store deliveries, all in one commit. A task starts `settle` seconds after the first delivery that wants it.

        A delivery whose id or whose very body is known is a duplicate, unless it was given up: then it is worked once more.
        """
        now = self._clock()
        with self._write() as run:
            return [_accept(run, item, now, settle) for item in deliveries]

    def claim(self, *, without: Sequence[str] = ()) -> Task | None:
        """Hold the free task that is due the longest, or None. `without` names forges to leave alone for now."""
        now = self._clock()
        marks = ",".join("?" * len(without))
        due = f"owner IS NULL AND (due <= ? OR due > ?) AND forge NOT IN ({marks})"
        query = f"SELECT subject, forge, tries FROM tasks WHERE {due} ORDER BY due LIMIT 1"
        with self._write() as run:
            row = run(query, (now, now + LONGEST_WAIT, *without)).fetchone()
            if row is None:
                return None
            run("UPDATE tasks SET owner = ? WHERE subject = ?", (self.owner.name, row[0]))
            waiting = run(
                "SELECT seq, target, received FROM deliveries WHERE subject = ? AND state = 'waiting' ORDER BY seq", (row[0],)
            ).fetchall()
            if not waiting:
                run("DELETE FROM tasks WHERE subject = ?", (row[0],))
                return None
        targets = tuple(dict.fromkeys(target for _, target, _ in waiting))
        return Task(row[0], row[1], targets, len(waiting), waiting[-1][0], min(item[2] for item in waiting), row[2])

    def finish(self, task: Task, outcome: str) -> bool:
        """The task is done: so are the deliveries that it stood for. False when another process holds it by now."""
        return self._close(task, "done", outcome)

    def bury(self, task: Task, reason: str) -> bool:
        """Give the task's deliveries up. Sending one of them again revives it."""
        return self._close(task, "dead", reason)

    def retry(self, task: Task, *, after: float, reason: str, counts: bool = True) -> bool:
        """Let the task go and have it worked again `after` so many seconds. `counts`: as one of its tries."""
        with self._write() as run:
            done = run(
                "UPDATE tasks SET owner = NULL, due = ?, tries = tries + ?, last_error = ? WHERE subject = ? AND owner = ?",
                (self._clock() + min(after, LONGEST_WAIT), int(counts), reason, task.subject, self.owner.name),
            )
            return done.rowcount == 1

    def move(self, task: Task, subject: str, target: str) -> bool:
        """The task's deliveries turned out to be about another subject: let that one's task stand for them."""
        with self._write() as run:
            if not _held(run, task.subject, self.owner.name):
                return False
            run(
                "UPDATE deliveries SET subject = ?, target = ? WHERE subject = ? AND state = 'waiting' AND seq <= ?",
                (subject, target, task.subject, task.seen),
            )
            _want(run, subject, task.forge, self._clock())
            _let_go(run, task.subject, self._clock())
            return True

    def _close(self, task: Task, state: str, outcome: str) -> bool:
        now = self._clock()
        with self._write() as run:
            if not _held(run, task.subject, self.owner.name):
                return False
            run(
                "UPDATE deliveries SET state = ?, outcome = ?, finished = ? WHERE subject = ? AND state = 'waiting' AND seq <= ?",
                (state, outcome, now, task.subject, task.seen),
            )
            _let_go(run, task.subject, now)
            return True

    def reclaim(self, delay: Callable[[int], float]) -> int:
        """Free the tasks of processes that have ended. `delay` says how many seconds they rest, by how often that happened."""
        with self._lock:
            rows = self._read("SELECT DISTINCT owner FROM tasks WHERE owner IS NOT NULL AND owner <> ?", (self.owner.name,))
        dead = [owner for (owner,) in rows if not is_alive(self.owners, owner)]
        freed = 0
        for owner in dead:
            with self._write() as run:
                now = self._clock()
                for subject, times in run("SELECT subject, interrupted + 1 FROM tasks WHERE owner = ?", (owner,)).fetchall():
                    freed += 1
                    run(
                        "UPDATE tasks SET owner = NULL, interrupted = ?, due = ? WHERE subject = ?",
                        (times, now + delay(times), subject),
                    )
                    if times >= MOST_INTERRUPTIONS:
                        run(
                            "UPDATE deliveries SET state = 'dead', outcome = ?, finished = ?"
                            " WHERE subject = ? AND state = 'waiting'",
                            (f"the server ended {times} times while it worked on this", now, subject),
                        )
                        run("DELETE FROM tasks WHERE subject = ?", (subject,))
        return freed

    def release(self) -> None:
        """Let go of every task that this process holds, untouched."""
        with self._write() as run:
            run("UPDATE tasks SET owner = NULL WHERE owner = ?", (self.owner.name,))

    def depth(self) -> Depth:
        """How much there is."""
        with self._lock:
            waiting, oldest = self._read("SELECT count(*), min(received) FROM deliveries WHERE state = 'waiting'")[0]
            dead = self._read("SELECT count(*) FROM deliveries WHERE state = 'dead'")[0][0]
            tasks, held = self._read("SELECT count(*), count(owner) FROM tasks")[0]
        return Depth(waiting, dead, tasks, held, max(0.0, self._clock() - oldest) if oldest is not None else 0.0)

    def next_due(self) -> float | None:
        """Seconds until a free task is due (0 or less: now), or None."""
        with self._lock:
            due = self._read("SELECT min(due) FROM tasks WHERE owner IS NULL")[0][0]
        return None if due is None else due - self._clock()

    def dead(self, limit: int = 100) -> list[tuple[str, str, str, str]]:
        """The newest deliveries that were given up: forge, id, subject, reason."""
        with self._lock:
            return self._read(
                "SELECT forge, id, subject, outcome FROM deliveries WHERE state = 'dead' ORDER BY finished DESC LIMIT ?", (limit,)
            )

    def probe(self) -> None:
        """Write and commit one row, to know that it can be done."""
        with self._write() as run:
            run("INSERT INTO probe VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at", (self._clock(),))

    def prune(self, older_than: float) -> int:
        """Forget deliveries finished more than so many seconds ago, at most 2,000 at once; their ids could then be sent again."""
        with self._write() as run:
            done = run(
                "DELETE FROM deliveries WHERE seq IN"
                " (SELECT seq FROM deliveries WHERE state <> 'waiting' AND finished < ? LIMIT ?)",
                (self._clock() - older_than, PRUNED_AT_ONCE),
            )
            return done.rowcount

    def _read(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self.path}: {error}", damaged=_is_damage(error)) from error

    def close(self) -> None:
        """Close the file. A task that is still held is freed by whoever opens it next."""
        with self._lock:
            self._connection.close()
        self.owner.release()


def open_store(path: Path, warn: Callable[[str], None]) -> Store:
    """Open the store, or start a new one when the file is damaged: the old one is kept beside it, and `warn` is told.

    Raises `UsageError` when the file cannot be written, is another version's, or is damaged while another process uses it.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        opening = FileLock(path.with_name(path.name + ".opening"), timeout=BUSY_SECONDS)
        opening.acquire()
    except (OSError, Timeout) as error:
        raise _no_place(path, error) from None
    with opening:
        # Only here, where no other process can be between making its lock file and locking it.
        forget_dead(path.with_name(path.name + ".owners"))
        try:
            return Store(path)
        except StoreError as error:
            if not error.damaged:
                raise
            return _start_anew(path, str(error), warn)
        finally:
            opening.release()


def _no_place(path: Path, error: Exception) -> UsageError:
    return UsageError(f"{path}: deliveries cannot be kept here: {error}; name a file in a folder that can be written")


def _start_anew(path: Path, error: str, warn: Callable[[str], None]) -> Store:
    owners = path.with_name(path.name + ".owners")
    if any(owners.glob("*.lock")):
        raise UsageError(f"{error}: the file is damaged, and another server still uses it; stop that one first, then start again")
    aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{uuid.uuid4().hex[:6]}")
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    warn(f"{error}: the file is damaged; it was kept as {aside}, and a new one started: what waited in it must be sent again")
    return Store(path)


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is at fault, rather than the disk behind it or another process that is busy."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _accept(run: Callable[..., sqlite3.Cursor], item: Delivery, now: float, settle: float) -> Accepted:
    added = run(
        "INSERT INTO deliveries (forge, id, digest, event, subject, target, received) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (item.forge, item.id, item.digest, item.event, item.subject, item.target, now),
    )
    said: Accepted = "accepted"
    subject = item.subject
    if not added.rowcount:
        known = run(
            "SELECT seq, subject FROM deliveries WHERE forge = ? AND (id = ? OR digest = ?) AND state = 'dead'",
            (item.forge, item.id, item.digest),
        ).fetchone()
        if known is None:
            return "duplicate"
        run("UPDATE deliveries SET state = 'waiting', outcome = NULL, finished = NULL WHERE seq = ?", (known[0],))
        said, subject = "revived", known[1]
    _want(run, subject, item.forge, now + settle)
    return said


def _want(run: Callable[..., sqlite3.Cursor], subject: str, forge: str, due: float) -> None:
    run("INSERT INTO tasks (subject, forge, due) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (subject, forge, due))


def _held(run: Callable[..., sqlite3.Cursor], subject: str, owner: str) -> bool:
    return run("SELECT 1 FROM tasks WHERE subject = ? AND owner = ?", (subject, owner)).fetchone() is not None


def _let_go(run: Callable[..., sqlite3.Cursor], subject: str, now: float) -> None:
    """End a task, or begin it anew for the deliveries that came while it was worked."""
    if run("SELECT 1 FROM deliveries WHERE subject = ? AND state = 'waiting'", (subject,)).fetchone():
        run(
            "UPDATE tasks SET owner = NULL, due = ?, tries = 0, interrupted = 0, last_error = NULL WHERE subject = ?",
            (now, subject),
        )
    else:
        run("DELETE FROM tasks WHERE subject = ?", (subject,))
