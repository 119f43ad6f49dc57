"""Two engines, one answer; a cache that can be trusted or is not used."""

from __future__ import annotations

import random
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logkb.engine import Needle, build_engine
from logkb.knowledge import Knowledge, article_files, rule_files
from logkb.matcher import Matcher
from logkb.paths import data_root
from logkb.records import Scan
from logkb.rules import load_rule_files
from logkb.source import Source

SAMPLES = [
    sample.text
    for rule in load_rule_files(rule_files(data_root())).rules
    for sample in (*rule.should_match, *rule.should_not_match)
]
PREFIXES = ["", "2024-05-01T10:00:00.1234567Z ", "#12 3.456 ", "web-1  | ", "\x1b[31m", "[10:00:00] ", "##[error]", "  ", "é "]
NOISE = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=60)


@pytest.fixture(scope="module")
def engines(shipped: Knowledge) -> tuple[Matcher, Matcher]:
    return Matcher(shipped.rules, cache=shipped.cache, engine="hyperscan"), Matcher(shipped.rules, engine="aho-corasick")


def told(scan: Scan) -> list[tuple[int, str, tuple[tuple[str, str], ...], str | None]]:
    return [(match.line, match.rule.id, tuple(match.captures.items()), match.step) for match in scan.matches]


def assert_same(engines: tuple[Matcher, Matcher], data: bytes) -> None:
    one, two = (sorted(told(matcher.scan(Source.from_bytes(data)))) for matcher in engines)
    assert one == two


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(PREFIXES), st.one_of(st.sampled_from(SAMPLES), NOISE)), max_size=12))
def test_both_engines_find_the_same_matches_in_dressed_lines(
    engines: tuple[Matcher, Matcher], lines: list[tuple[str, str]]
) -> None:
    assert_same(engines, "\n".join(prefix + line for prefix, line in lines).encode())


def test_both_engines_find_the_same_matches_in_every_sample(engines: tuple[Matcher, Matcher]) -> None:
    assert_same(engines, "\n".join(SAMPLES).encode())


def test_both_engines_find_the_same_matches_in_every_article_s_log(engines: tuple[Matcher, Matcher]) -> None:
    assert_same(engines, b"\n".join(path.read_bytes() for path in article_files(data_root())))


def test_both_engines_agree_when_quotas_are_reached(engines: tuple[Matcher, Matcher]) -> None:
    pick = random.Random(7)
    lines = [pick.choice(SAMPLES[:40]) if pick.random() < 0.5 else "quiet" for _ in range(60_000)]
    assert_same(engines, "\n".join(lines).encode())


NEEDLES = (Needle(("error: ", "fatal: ")), Needle(("warning",), every=True))


@pytest.mark.parametrize("engine", ["hyperscan", "aho-corasick"])
def test_candidates_are_where_the_keywords_stand(engine: str) -> None:
    built = build_engine(NEEDLES, None, prefer=engine)
    data = b"warning\nerror: a\nfatal: b\nerror: warning\n"
    assert {index for index, _ in built.first(data)} == {0, 1}
    assert [offset // 8 for index, offset in sorted(built.first(data)) if index == 1] == [0, 4]
    lines = [data[:offset].count(b"\n") for index, offset in sorted(built.all(data, frozenset({0})))]
    assert lines == [1, 2, 3]


def filled(folder: Path) -> Path:
    """The folder's one database, made by an engine that was asked once."""
    build_engine(NEEDLES, folder, prefer="hyperscan").first(b"")
    (path,) = folder.glob("once-*.hsdb")
    return path


def test_the_database_is_kept_for_the_user_alone(tmp_path: Path) -> None:
    path = filled(tmp_path / "cache")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "writable"])
def test_a_damaged_or_foreign_database_is_made_anew(tmp_path: Path, damage: str) -> None:
    path = filled(tmp_path)
    good = path.read_bytes()
    if damage == "flip":
        path.write_bytes(good[:-9] + bytes([good[-9] ^ 1]) + good[-8:])
    elif damage == "cut":
        path.write_bytes(good[: len(good) // 2])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        path.chmod(0o666)
    engine = build_engine(NEEDLES, tmp_path, prefer="hyperscan")
    assert {index for index, _ in engine.first(b"error: x\n")} == {0}
    assert path.read_bytes()[:11] == good[:11]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_database_of_other_needles_is_not_taken(tmp_path: Path) -> None:
    filled(tmp_path)
    other = build_engine((Needle(("panic: ",)),), tmp_path, prefer="hyperscan")
    assert other.first(b"error: x\npanic: y\n") == [(0, 15)]


@pytest.mark.parametrize("engine", ["hyperscan", "aho-corasick"])
def test_all_without_a_choice_is_every_occurrence(engine: str) -> None:
    built = build_engine(NEEDLES, None, prefer=engine)
    data = b"warning\nerror: a\nerror: b\n"
    assert sorted(built.all(data)) == sorted(built.all(data, frozenset({0, 1}))) == [(0, 14), (0, 23), (1, 6)]


@pytest.mark.parametrize("engine", ["hyperscan", "aho-corasick"])
def test_threads_share_an_engine(engine: str, tmp_path: Path) -> None:
    built = build_engine(NEEDLES, tmp_path, prefer=engine)
    data = (b"quiet\n" * 50 + b"error: a\nwarning\n") * 400
    expected = sorted(built.all(data))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: (sorted(built.all(data)), len(built.first(data))), range(64)))
    assert [pairs for pairs, _ in found] == [expected] * 64
    assert len({count for _, count in found}) == 1


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    engine = build_engine(NEEDLES, blocked / "cache", prefer="hyperscan")
    assert engine.first(b"warning\n")
