"""The masked log on disk: every line on its own number, whatever the bytes; steps where they begin."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logkb.log import Log
from logkb.redact import Redactor
from logkb.report import safe
from logkb.source import Source
from logkb.web_log import EVERY, MAX_SHOWN, find_lines, read_lines, write_log
from logkb.web_store import Store
from tests.test_report import finding, report


def written(data: bytes, folder: Path) -> tuple[int, list[tuple[int, str]]]:
    lines, sections = write_log(Source.from_bytes(data), folder, Redactor())
    return lines, [(section.line, section.name) for section in sections]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=2000).map(b"log ".__add__) | st.text(alphabet="ab\n\r\t\x1b[0m\u2028é", max_size=2000).map(str.encode))
def test_a_log_has_the_lines_that_the_analysis_counts(data: bytes) -> None:
    log = Log(Source.from_bytes(data))
    shown = [safe(line) for chunk in log.chunks() for line in chunk.data.decode("utf-8", "replace").removesuffix("\n").split("\n")]
    with tempfile.TemporaryDirectory() as name:
        count, _ = written(data, Path(name))
        assert count == log.lines
        kept = [line.text for start in range(1, count + 1, 1500) for line in read_lines(Path(name), start, 1500)]
    assert kept == shown[:count]


def test_any_line_can_be_opened(tmp_path: Path) -> None:
    count = 3 * EVERY + 5
    written(b"".join(b"line %d\n" % number for number in range(1, count + 1)), tmp_path)
    for start in (1, EVERY, EVERY + 1, 2 * EVERY + 17, count):
        assert read_lines(tmp_path, start, 1)[0].text == f"line {start}"
    assert read_lines(tmp_path, count + 1, 5) == ()
    assert read_lines(tmp_path, 10**15, 5) == ()
    assert read_lines(tmp_path / "nothing", 1, 5) == ()


def test_a_line_of_megabytes_is_cut_and_says_so(tmp_path: Path) -> None:
    written(b"a" * 3_000_000 + b"\nshort\n", tmp_path)
    first, second = read_lines(tmp_path, 1, 9)
    assert (len(first.text), first.cut, second.text, second.cut) == (MAX_SHOWN, True, "short", False)
    assert (tmp_path / "log.txt").stat().st_size < 10_000


def test_a_long_line_goes_on_even_where_its_secrets_leave_little(tmp_path: Path) -> None:
    written(b"password=" + b"A1b2C3d4" * 5000 + b" end\nshort\n", tmp_path)
    first, second = read_lines(tmp_path, 1, 9)
    assert (first.cut, second.text, second.cut) == (True, "short", False)
    assert "A1b2C3d4A1b2" not in first.text


def test_a_log_that_takes_too_long_to_mask_ends_early(tmp_path: Path) -> None:
    lines, _ = write_log(Source.from_bytes(b"line\n" * 10_000), tmp_path, Redactor(), seconds=0.0)
    assert 0 < lines < 10_000
    assert read_lines(tmp_path, lines, 5)[0].text == "line"


def test_a_key_over_many_lines_is_masked_and_the_lines_below_keep_their_numbers(tmp_path: Path) -> None:
    key = (
        "-----BEGIN RSA PRIVATE KEY-----\n"
        + "\n".join("MIIEpAIBAAKCAQEA" + "x1Y2" * 12 for _ in range(30))
        + "\n-----END RSA PRIVATE KEY-----"
    )
    data = "before\n" * (EVERY - 10) + key + "\nafter\n"
    count, _ = written(data.encode(), tmp_path)
    text = (tmp_path / "log.txt").read_text()
    assert "x1Y2" not in text
    assert text.splitlines()[count - 1] == "after"
    assert count == data.count("\n")


@pytest.mark.parametrize(
    ("log", "steps"),
    [
        ("a\n##[group]Run make\nmake\n##[endgroup]\nx\n##[group]Run make test\ny\n", [(2, "Run make"), (6, "Run make test")]),
        ("#1 [1/2] FROM x\n#1 DONE\n\n#2 [2/2] RUN make\n#2 0.1 hello\n", [(1, "[1/2] FROM x"), (4, "[2/2] RUN make")]),
        ("build\tSet up\t2024-01-01T00:00:00Z a\nbuild\tSet up\t2024-01-01T00:00:00Z b\nbuild\tTest\t2024-01-01T00:00:00Z c\n",
         [(1, "build / Set up"), (3, "build / Test")]),
        ("section_start:1:get\r\x1b[0Ka\nb\nsection_end:2:get\r\x1b[0Kc\nsection_start:3:run\r\x1b[0Kd\n", [(1, "get"), (4, "run")]),
        ("no steps at all\n", []),
    ],
)  # fmt: skip
def test_steps_begin_where_the_analysis_sees_them(log: str, steps: list[tuple[int, str]], tmp_path: Path) -> None:
    assert written(log.encode(), tmp_path)[1] == steps


def test_finding_stops_at_its_limit(tmp_path: Path) -> None:
    written(b"Yes\nno\n" * 100, tmp_path)
    assert find_lines(tmp_path, "YES", 3).lines == (1, 3, 5)
    assert find_lines(tmp_path, "YES", 3).more
    assert find_lines(tmp_path, "no\nyes").lines == ()
    assert not find_lines(tmp_path, "yes").more


def test_old_reports_go_first_and_strangers_stay(tmp_path: Path) -> None:
    import os

    store = Store(tmp_path / "kept", keep_seconds=1000, keep_reports=2, touched=False)
    names = [store.new_id() for _ in range(4)]
    for age, name in zip((5000, 30, 20, 10), names, strict=True):
        store.add(name, report(finding()))
        os.utime(store.path(name) / "report.json", (10_000 - age, 10_000 - age))
    (store.folder / "somebody-else-s-folder").mkdir()
    assert store.prune(10_000, busy=frozenset({names[0]})) == 1
    assert sorted(path.name for path in store.folder.iterdir()) == sorted([names[0], names[2], names[3], "somebody-else-s-folder"])
    assert store.prune(10_000) == 1
    with pytest.raises(KeyError):
        store.get(names[0])


def test_the_oldest_reports_go_when_all_together_are_too_large(tmp_path: Path) -> None:
    store = Store(tmp_path, keep_seconds=1000, keep_reports=10, touched=True, keep_bytes=250_000)
    names = [store.new_id() for _ in range(4)]
    for age, name in enumerate(names):
        store.add(name, report(finding()))
        (store.path(name) / "log.txt").write_bytes(b"x" * 100_000)
        os.utime(store.path(name) / "warnings.json", (1000 - age, 1000 - age))
    assert store.prune(now=1000, busy=frozenset({names[3]})) == 1
    assert [store.path(name).exists() for name in names] == [True, True, False, True]


def test_ids_are_not_guessable_and_lead_to_no_other_place(tmp_path: Path) -> None:
    store = Store(tmp_path, keep_seconds=1, keep_reports=1, touched=True)
    assert len({store.new_id() for _ in range(100)}) == 100
    for name in ("", "..", "a/b", "x" * 22 + "\n", "/etc/passwd"):
        with pytest.raises(KeyError):
            store.path(name)
