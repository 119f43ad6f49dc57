"""What a pattern's literals say about every line that it matches."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logkb.literals import required_of
from logkb.needs import Need, holds

TABLE: list[tuple[str, Need]] = [
    (r"^ERROR: No matching (\S+) found$", ("&", "\nERROR: No matching ", " found\n")),
    (r"error: (?P<what>.+)", "error: "),
    (r"(?i)Exit Code", "\x00exit code"),
    (r"(?i:Exit Code) \d+", "\x00exit code"),
    (r"(?:first one|second \w+ third)", ("|", "first one", ("&", "second ", " third"))),
    (r"(?:first one|\d+)", ()),
    (r"(?:optional )?\w+", ()),
    (r"(?m)^line$", ()),
    (r"not a (pattern", ()),
]


@pytest.mark.parametrize(("pattern", "need"), TABLE)
def test_what_a_pattern_needs_is_read_from_its_literals(pattern: str, need: Need) -> None:
    assert required_of(pattern) == need


@pytest.mark.parametrize(
    ("pattern", "line", "possible"),
    [
        (r"^fatal: \w+", "fatal: x", True),
        (r"^fatal: \w+", "non-fatal: x", False),
        (r"done\.$", "all done.", True),
        (r"done\.$", "done. More follows", False),
        (r"(?i)no space left", "NO SPACE Left on device", True),
        (r"^\s+at \w+", "\tat main", True),
        (r"^\s+at \w+", "look at main", False),
        (r"Status: (?:\d+ ERROR|\d+ WARN)", "Status: downloaded", False),
    ],
)
def test_a_line_without_the_need_is_refused_before_the_pattern_is_compiled(pattern: str, line: str, possible: bool) -> None:
    assert holds(required_of(pattern), line) is possible


WORDS = st.sampled_from(["error", "Fatal", ": ", "no such", "x", "9", " "])
PIECES = st.recursive(
    WORDS.map(re.escape) | st.sampled_from([r"\d+", r"\s*", ".*", r"[ab]", "(?i:No Such)"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        inner.map(lambda part: f"(?:{part})?"),
        inner.map(lambda part: f"(?P<g>{part})" if "(?P<g>" not in part else part),
    ),
    max_leaves=8,
)


@given(PIECES, st.booleans(), st.booleans(), st.lists(WORDS, max_size=6).map("".join))
def test_no_line_that_matches_is_ever_refused(body: str, start: bool, end: bool, line: str) -> None:
    pattern = f"{'^' if start else ''}{body}{'$' if end else ''}"
    try:
        found = re.search(pattern, line)
    except re.error:
        return
    if found:
        assert holds(required_of(pattern), line)
