"""Two hardships for one rule: its samples as other machines would print them, and lines made to be slow."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from logkb.clean import clean_line, normalise
from logkb.errors import Problem
from logkb.matcher import Matcher
from logkb.records import Rule
from logkb.source import Source

# Less than half of what the matcher grants a search (0.2 s), so that a busy machine does not decide.
MAX_SECONDS = 0.08
ADVERSARIAL_LENGTH = 5_000
# Every line is tried this short first, and only the slowest few at full length.
SHORT, SUSPECTS = 1_000, 4
OPEN_REPEAT = re.compile(r"[*+]|\{\d*,\}|\{\d*,\d{3,}\}")
# Far above MAX_SECONDS, so that a busy machine does not stop a pattern before its own time is known.
SEARCH_TIMEOUT = 1.0
REPEATED = (" ", "a", "0", "/", ".", ":", "-", "'", '"', "(", "\t", "a ", "a/", "a.", "a:", "0 ")
CUTS = 4
OTHER_ROOT = "/mnt/agent-7/work"

Dress = Callable[[list[str]], str]


def _prefixed(*prefixes: str) -> Dress:
    """Each line behind a prefix, the prefixes in turn."""

    def dress(lines: list[str]) -> str:
        return "".join(f"{prefixes[index % len(prefixes)]}{line}\n" for index, line in enumerate(lines))

    return dress


def _coloured(lines: list[str]) -> str:
    return "".join(f"\x1b[1;31m{line}\x1b[0m\x1b[K\n" for line in lines)


def _coloured_inside(lines: list[str]) -> str:
    """Codes round the words, as compilers and npm write them."""
    return "".join(re.sub(r"(?<!\S)\S+", "\x1b[01m\\g<0>\x1b[m\x1b[K", line) + "\n" for line in lines)


# Time, builder and service prefixes as those systems document or print them.
DRESSES: tuple[tuple[str, Dress], ...] = (
    ("an ISO timestamp", _prefixed("2024-05-06T07:08:09.1234567Z ")),
    ("a Jenkins timestamp", _prefixed("[2024-05-06T07:08:09.123Z] ")),
    ("a clock time", _prefixed("07:08:09  ")),
    ("GitLab's timestamp", _prefixed("2024-05-06T07:08:09.123456Z 01O ")),
    ("a BuildKit prefix", _prefixed("#12 3.456 ")),
    ("a Compose prefix", _prefixed("web-1  | ")),
    ("the prefix of `gh run view`", _prefixed("build\tRun make\t2024-05-06T07:08:09.1234567Z ")),
    ("##[error]", _prefixed("2024-05-06T07:08:09.1234567Z ##[error]")),
    ("colours round the line", _coloured),
    ("colours inside the line", _coloured_inside),
    ("CRLF", lambda lines: "".join(f"{line}\r\n" for line in lines)),
)
_ABSOLUTE = re.compile(r"(?<![\w/:.~$}\\-])/(?P<top>[A-Za-z][\w.-]*)(?=/[\w.@+-])")


def elsewhere(text: str, named: str) -> str:
    """The text with its absolute paths below another root; a directory that is `named` in a pattern stays."""

    def move(found: re.Match[str]) -> str:
        wanted = re.search(rf"(?<!\\)\b{re.escape(found['top'])}\b", named)
        return found[0] if wanted else OTHER_ROOT

    return _ABSOLUTE.sub(move, text)


def check_dressing(rule: Rule) -> Iterator[Problem]:
    """A rule that matches its sample also matches it with each prefix, colours, CRLF and other paths."""
    matcher = Matcher((rule,), engine="aho-corasick")
    named = "\n".join((rule.pattern, rule.neighbour.pattern if rule.neighbour else "", *rule.keywords))
    for sample in rule.should_match:
        if not _matches(matcher, sample.text):
            continue
        lines = sample.text.rstrip("\n").split("\n")
        lost = [name for name, dress in DRESSES if not _matches(matcher, dress(lines))]
        if not _matches(matcher, elsewhere(sample.text, named)):
            lost.append("other paths")
        if lost:
            what = f"the rule loses its sample behind {', '.join(lost)}"
            yield Problem(sample.location, what, _mend(lost), rule.id)


def _mend(lost: Sequence[str]) -> str:
    if list(lost) == ["other paths"]:
        return "match any path (\\S+) where the sample's directory is not what the rule looks for"
    return "write the pattern for the line as cleaning leaves it: `logkb rules --test FILE` shows what is matched"


def _matches(matcher: Matcher, text: str) -> bool:
    return bool(matcher.scan(Source.from_bytes(text.encode())).matches)


def adversarial_lines(rule: Rule, pattern: str) -> Iterator[Callable[[int], str]]:
    """Makers of lines of any length: beginnings of a sample that go on with what a repeat eats, and never end well.

    Each line holds one of the rule's keywords, since the engine shows the pattern no other.
    """
    keyword = rule.keywords[0] if pattern == rule.pattern else ""
    seen: set[tuple[str, str]] = set()
    for line in normalise(rule.should_match[0].text.encode()).decode("utf-8", "replace").splitlines():
        text = clean_line(line).text[:200]
        ends = [found.end() for found in re.finditer(r"\W+(?=\w)", text)]
        cuts = {0, len(text), *(ends[len(ends) * part // CUTS] for part in range(CUTS) if ends)}
        for cut in cuts:
            seen.update((text[:cut], filling) for filling in (*REPEATED, text[:cut], text[:cut][-12:]) if filling)
    for start, filling in sorted(seen):
        yield partial(_adversarial, start, filling, keyword)


def _adversarial(start: str, filling: str, keyword: str, length: int) -> str:
    line = (start + filling * (length // len(filling)))[:length]
    # The control character is in no class that a pattern names, so what follows a repeat fails there.
    return line + "\x01" if keyword in line else f"{line}\x01{keyword}"


def check_speed(rule: Rule, limit: float = MAX_SECONDS) -> Iterator[Problem]:
    """Patterns that take longer than `limit` seconds of processor time on one adversarial line, measured."""
    for pattern in (rule.pattern, rule.neighbour.pattern if rule.neighbour else ""):
        if _is_linear(pattern):
            continue
        search = _timed(pattern)
        suspects = sorted(
            ((search(make(SHORT)), number, make) for number, make in enumerate(adversarial_lines(rule, pattern))), reverse=True
        )
        # What grows with the square of the length takes long enough on the short line to be seen there.
        for took, _, make in suspects[:SUSPECTS]:
            if took < limit * (SHORT / ADVERSARIAL_LENGTH) ** 3:
                break
            line = make(ADVERSARIAL_LENGTH)
            # The least of three tells a slow pattern from a busy machine.
            taken = search(line)
            if taken > limit and (taken := min(taken, search(line), search(line))) > limit:
                shown = re.sub(r"[^ -~]", "?", line[:40])
                what = f"the pattern takes {taken * 1000:.0f} ms on a line of {len(line)} characters that begins with '{shown}'"
                mend = "bound its repeats ({1,200}) and give each a class without the next literal"
                yield Problem(rule.location, what, mend, rule.id)
                break


def _is_linear(pattern: str) -> bool:
    """Whether it needs no measurement: without an open repeat, or with one alone behind the line's start."""
    repeats = len(OPEN_REPEAT.findall(pattern))
    return repeats == 0 or (repeats == 1 and pattern.startswith("^") and "|" not in pattern)


def _timed(pattern: str) -> Callable[[str], float]:
    """A search that returns its processor time, which is at most about `SEARCH_TIMEOUT`."""
    import regex

    compiled = regex.compile(pattern, regex.ASCII)

    def search(line: str) -> float:
        started = time.thread_time()
        try:
            compiled.search(line, timeout=SEARCH_TIMEOUT)
        except TimeoutError:
            # The timeout's clock is the wall's: on a busy machine little may have been used, and it was too much still.
            return SEARCH_TIMEOUT
        return time.thread_time() - started

    return search
