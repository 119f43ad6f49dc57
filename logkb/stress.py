"""Two hardships for one rule: its samples as other machines would print them, and lines made to be slow."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence

from logkb.clean import clean_line, normalise
from logkb.errors import Problem
from logkb.matcher import Matcher
from logkb.records import Rule
from logkb.source import Source

MAX_SECONDS = 0.05
ADVERSARIAL_LENGTH = 5_000
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


def elsewhere(text: str, pattern: str) -> str:
    """The text with its absolute paths below another root; a directory that the pattern names is what the rule looks for."""

    def move(found: re.Match[str]) -> str:
        named = re.search(rf"(?<!\\)\b{re.escape(found['top'])}\b", pattern)
        return found[0] if named else OTHER_ROOT

    return _ABSOLUTE.sub(move, text)


def check_dressing(rule: Rule) -> Iterator[Problem]:
    """A rule that matches its sample also matches it with each prefix, colours, CRLF and other paths."""
    matcher = Matcher((rule,), engine="aho-corasick")
    patterns = rule.pattern + (rule.neighbour.pattern if rule.neighbour else "")
    for sample in rule.should_match:
        if not _matches(matcher, sample.text):
            continue
        lines = sample.text.rstrip("\n").split("\n")
        lost = [name for name, dress in DRESSES if not _matches(matcher, dress(lines))]
        if not _matches(matcher, elsewhere(sample.text, patterns)):
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


def adversarial_lines(rule: Rule, pattern: str) -> Iterator[str]:
    """Lines of 5,000 characters: beginnings of the samples that go on with what a repeat eats, and never end well.

    Each holds the rule's keyword, since the engine shows the pattern no other line.
    """
    seen: set[str] = set()
    for sample in rule.should_match[:2]:
        for line in normalise(sample.text.encode()).decode("utf-8", "replace").splitlines():
            text = clean_line(line).text[:400]
            ends = [found.end() for found in re.finditer(r"\W+(?=\w)", text)]
            cuts = {0, len(text), *(ends[len(ends) * part // CUTS] for part in range(CUTS) if ends)}
            for cut in sorted(cuts):
                start = text[:cut]
                for filling in (*REPEATED, start, start[-12:]):
                    if filling:
                        seen.add((start + filling * (ADVERSARIAL_LENGTH // len(filling)))[:ADVERSARIAL_LENGTH])
    keyword = rule.keywords[0] if pattern == rule.pattern else ""
    for line in sorted(seen):
        # The keyword in the middle lets both halves of the pattern run; the end matches no class that a pattern names.
        yield line if any(word in line for word in rule.keywords) else f"{line}\x01{keyword}"


def check_speed(rule: Rule, limit: float = MAX_SECONDS) -> Iterator[Problem]:
    """Patterns that take longer than `limit` seconds of processor time on one adversarial line, measured."""
    for pattern in (rule.pattern, rule.neighbour.pattern if rule.neighbour else ""):
        if not pattern:
            continue
        slowest, line = max(((seconds(pattern, line), line) for line in adversarial_lines(rule, pattern)), default=(0.0, ""))
        # A second measurement tells a slow pattern from a busy machine.
        if slowest > limit and (slowest := min(slowest, seconds(pattern, line), seconds(pattern, line))) > limit:
            shown = re.sub(r"[^ -~]", "?", line[:40])
            what = f"the pattern takes {slowest * 1000:.0f} ms on a line of {len(line)} characters that begins with '{shown}'"
            yield Problem(
                rule.location, what, "bound its repeats ({1,200}) and give each a class without the next literal", rule.id
            )


def seconds(pattern: str, line: str) -> float:
    """Processor time of one search, at most about `SEARCH_TIMEOUT`."""
    import regex

    compiled = regex.compile(pattern, regex.ASCII)
    started = time.thread_time()
    try:
        compiled.search(line, timeout=SEARCH_TIMEOUT)
    except TimeoutError:
        # The clock of the timeout is the wall's; what was used is at least too much.
        return max(SEARCH_TIMEOUT, time.thread_time() - started)
    return time.thread_time() - started
