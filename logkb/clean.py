"""Raw bytes -> text that rules can match: control codes out, CI prefixes off, raw line numbers kept.

Two stages, because speed matters: `normalise` works on whole chunks (and does nothing where nothing is to do);
`clean_line` works on the few lines that a rule may match.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# A search cleans one line; importing the records would take longer.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from logkb.records import Level

# ECMA-48: CSI, OSC (ended by BEL or ST), DCS/SOS/PM/APC (Buildkite's timestamps), two-byte escapes, a lone ESC.
ANSI = rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)|[ -/]*[0-~])?"
# The same codes when a paste from a web page lost the ESC, or `cat -v` wrote it as ^[. Each starts with a literal,
# which the regular expression engine skips to; an alternation of starts would cost ten times as much.
LOST_ESC = rb"\[(?:\d{1,3}(?:;\d{1,3}){0,4})?(?:m|(?<=\[0)K)"
CARET_ESC = rb"\^\[\[[0-9;]*[A-Za-z]"
# Travis and GitLab end a marker with CR, so that the terminal overwrites it; the marker must survive.
MARKER_CR = rb"((?:travis_(?:fold|time)|section_(?:start|end)):[^\r\n]{1,300})\r(?:\x1b?\[0K)*"
# Curly quotes, as GCC prints them, and the thin and no-break spaces that pnpm sets its labels in.
TYPOGRAPHY = (
    (b"\xe2\x80\x98", b"'"), (b"\xe2\x80\x99", b"'"), (b"\xe2\x80\x9c", b'"'), (b"\xe2\x80\x9d", b'"'),
    (b"\xe2\x80\x89", b" "), (b"\xe2\x80\xaf", b" "), (b"\xc2\xa0", b" "),
)  # fmt: skip


def normalise(data: bytes, *, pasted: bool = True) -> bytes:
    """Whole raw lines -> the same number of lines without escape codes, carriage returns, NULs or curly quotes.

    `pasted` looks for escape codes that lost their ESC as well; that is for people's pastes, which are small.
    """
    if b"\r" in data:
        if b"travis_" in data or b"section_" in data:
            data = re.sub(MARKER_CR, rb"\1 ", data)
        if b"\x1b" in data:
            data = re.sub(ANSI, b"", data)
        while b"\r\n" in data:
            data = data.replace(b"\r\n", b"\n")
        data = _last_segments(data.rstrip(b"\r"))
    if b"\x1b" in data:
        data = re.sub(ANSI, b"", data)
    if pasted and b"^[[" in data:
        data = re.sub(CARET_ESC, b"", data)
    if pasted and (b"[0m" in data or b"[0K" in data):
        data = re.sub(LOST_ESC, b"", data)
    if b"\x00" in data:
        data = data.replace(b"\x00", b"")
    if not data.isascii():
        for fancy, plain in TYPOGRAPHY:
            if fancy in data:
                data = data.replace(fancy, plain)
    return data


def _last_segments(data: bytes) -> bytes:
    """Each line without what its carriage returns overwrote."""
    parts, position = [], 0
    while (first := data.find(b"\r", position)) >= 0:
        start = data.rfind(b"\n", position, first) + 1
        end = data.find(b"\n", first)
        parts.append(data[position : max(start, position)])
        position = data.rfind(b"\r", first, end if end >= 0 else len(data)) + 1
    parts.append(data[position:])
    return b"".join(parts)


class CleanLine(NamedTuple):
    """A line without its prefixes, and what they told: the job, the step, the BuildKit vertex, the level."""

    text: str
    step: str | None = None
    vertex: int | None = None
    level: Level = "plain"


# Compiled by `re` at first use, and only where a line starts in a way that could match: most lines carry no prefix.
_DIGITS = tuple("0123456789")
_TIME_STARTS = (*_DIGITS, "[", "\ufeff")
LEVELS: dict[str, Level] = {"error": "error", "warning": "warning"}
_GH_CLI = r"^([^\t\n]{1,200})\t([^\t\n]{1,200})\t(?:\ufeff)?(?=\d{4}-\d\d-\d\dT|\s*$)"
_TIME = (
    r"^\ufeff?(?:"
    r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?\]?(?:\s|$)"
    # TeamCity's downloaded logs: the level's letter (blank, i, W, E), a tab for each depth, the step.
    r"|\[\d\d:\d\d:\d\d\][ A-Za-z]:\s{1,20}(?:\[Step \d{1,3}/\d{1,3}\](?: |$))?"
    r"|\[?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\]?(?:\s{1,2}|(?=\[))"
    r"|\[\s*\d{1,6}\.\d{1,6}s?\] )"
)
_GITLAB_STREAM = r"^\d\d[OE](?:[ +]|$)"
_BUILDKIT = r"^#(\d{1,4}) (?:\d{1,6}\.\d{1,3}(?: |$))?"
_BUILDKIT_SUMMARY = r"^(?:\d{1,6}\.\d{1,3} )"
_COMPOSE = r"^[A-Za-z][\w.-]{0,60}\s{0,20}\| "
_MARKER = r"^(?:(?:travis_(?:fold|time)|section_(?:start|end)):\S*\s*)+"
_BRACKET_LEVEL = r"^##\[(error|warning|debug|command|notice)\]"
_WORKFLOW_COMMAND = r"^::(error|warning|notice)(?: [^:]*)?::"
_TASK_PREFIX = (
    r"^(?:\[\d{1,3}\] |@?[\w./-]{1,80}:(?:build|test|lint|check|compile|install|dev)[\w:-]{0,30}: "
    r"|[@\w./-]{1,120} (?:build|test|lint|(?:pre|post)?install|prepare)(?::[\w:-]+)?: |\[[^\]\s]{1,60}:\d{1,5}\] )"
)


def clean_line(raw: str) -> CleanLine:
    """Strip CI timestamps and builder prefixes from one normalised line, in any order that they are nested in."""
    text = raw
    step: str | None = None
    vertex: int | None = None
    level: Level = "plain"
    for _ in range(6):
        before = text
        if "\t" in text and (found := re.match(_GH_CLI, text)):
            step, text = f"{found[1]} / {found[2]}", text[found.end() :]
        if text.startswith(_TIME_STARTS) and (found := re.match(_TIME, text)):
            text = text[found.end() :]
        if text.startswith(_DIGITS) and (found := re.match(_GITLAB_STREAM, text)):
            text = text[found.end() :]
        if text.startswith("#"):
            if found := re.match(_BUILDKIT, text):
                vertex, text = int(found[1]), text[found.end() :]
            elif text.startswith("##[") and (found := re.match(_BRACKET_LEVEL, text)):
                level = LEVELS.get(found[1], level)
                text = text[found.end() :]
        elif text.startswith("::") and (found := re.match(_WORKFLOW_COMMAND, text)):
            level = LEVELS.get(found[1], level)
            text = text[found.end() :]
        elif (
            (text.startswith(_DIGITS) and (found := re.match(_BUILDKIT_SUMMARY, text)))
            or (text.startswith(("travis_", "section_")) and (found := re.match(_MARKER, text)))
            or ("| " in text[:90] and (found := re.match(_COMPOSE, text)))
            or ((text.startswith("[") or ": " in text[:220]) and (found := re.match(_TASK_PREFIX, text)))
        ):
            text = text[found.end() :]
        if text == before:
            break
    return CleanLine(text.rstrip(), step, vertex, level)
