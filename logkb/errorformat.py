r"""vim's errorformat -> regular expressions. `%f:%l:%c: %m` is a scanf-like form; vim's help, `:help errorformat`, defines it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from logkb.drafts import Found
from logkb.errors import UsageError

_SETTING = re.compile(r"^\s*(?:CompilerSet|setlocal|set|setl|se|let)\s+&?(?:[lg]:)?(?:errorformat|efm)\s*[+^.]?=\s*(?P<value>.*)$")
# A kind that starts a message stands alone well enough; these only make sense beside their neighbours.
_BESIDE = {
    "C": "continues a message of several lines",
    "Z": "ends a message of several lines",
    "D": "follows a change of directory",
    "X": "follows a change of directory",
    "O": "follows a change of file",
    "P": "follows a change of file",
    "Q": "follows a change of file",
    "G": "is a general message, not an error",
}
_NUMBERS = {"l": "line", "c": "column", "v": "column", "n": "code", "e": "end_line", "k": "end_column"}
_MAGIC = {"(": "(?:", ")": ")", "|": "|", "+": "+", "?": "?", "=": "?", "{": "{", "}": "}", "<": r"\b", ">": r"\b", "t": r"\t"}
_CLASSES = {"d": r"\d", "D": r"\D", "s": r"\s", "S": r"\S", "w": r"\w", "W": r"\W", "a": "[A-Za-z]", "x": "[0-9A-Fa-f]",
            "u": "[A-Z]", "l": "[a-z]", "h": r"[\w]", "i": r"\w", "k": r"\w", "f": r"[^\s:]", "p": "[ -~]"}  # fmt: skip


def read_errorformat(text: str) -> Iterator[Found]:
    """Each pattern of an errorformat: a vim script that sets it, or the bare value, or one pattern a line."""
    for value in _values(text):
        for part in re.split(r"(?<!\\),", value):
            pattern = part.replace(r"\,", ",").strip("\r\n")
            if pattern.strip():
                try:
                    yield Found(_name(pattern), to_regex(pattern))
                except UsageError as error:
                    yield Found(_name(pattern), "", refused=str(error))


def _values(text: str) -> Iterator[str]:
    # A line that begins with a backslash continues the one above it.
    joined = re.sub(r"\n\s*\\", "", text.replace("\r\n", "\n"))
    lines = joined.split("\n")
    settings = [found for line in lines if (found := _SETTING.match(line))]
    if settings:
        for found in settings:
            quoted = re.fullmatch(r"(['\"])(.*)\1\s*", found["value"])
            if quoted:
                yield quoted[2].replace("''", "'") if quoted[1] == "'" else re.sub(r"\\([\\\"])", r"\1", quoted[2])
            else:
                # `:set` takes one backslash away; the comma's own stays for the split.
                yield re.sub(r"\\([\\ |\"])", r"\1", found["value"])
        return
    for line in lines:
        if "%" in line and not line.lstrip().startswith('"'):
            yield line


def _name(pattern: str) -> str:
    words = re.findall(r"[A-Za-z]{3,}", re.sub(r"%[-+]?.", " ", pattern))
    return "errorformat " + " ".join(words[:5])


def to_regex(pattern: str) -> str:
    """One pattern of an errorformat as a regular expression for the whole line. Raises `UsageError` with the reason."""
    head = re.match(r"%(?P<sign>[-+]?)(?P<kind>[A-Z])", pattern)
    if head:
        if head["sign"] == "-":
            raise UsageError("hides lines instead of finding them")
        if head["kind"] in _BESIDE:
            raise UsageError(_BESIDE[head["kind"]])
        if head["kind"] not in "EWINA":
            raise UsageError(f"uses %{head['kind']}, which has no translation")
        pattern = pattern[head.end() :]
    return f"^{''.join(_parts(pattern))}$"


def _parts(pattern: str) -> Iterator[str]:
    used: set[str] = set()
    position = 0

    def group(name: str, inner: str) -> str:
        if name in used:
            return inner
        used.add(name)
        return f"(?P<{name}>{inner})"

    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character != "%":
            if character == "\\" and position < len(pattern):
                character = pattern[position]
                position += 1
            yield re.escape(character) if character not in " -" else character
            continue
        code, position = pattern[position : position + 1], position + 1
        rest = pattern[position:]
        if code in _NUMBERS:
            yield group(_NUMBERS[code], r"\d+")
        elif code == "f":
            yield group("file", _until(rest))
        elif code == "m":
            yield group("message", r"\S.*")
        elif code == "o":
            yield group("module", r"\S+")
        elif code == "t":
            yield group("type", r"\w")
        elif code in "rs":
            yield ".*" if code == "r" else group("text", ".+")
        elif code == "p":
            yield r"[-\t .]*"
        elif code == "*":
            repeated, length = _repeated(rest)
            position += length
            yield repeated
        elif code == "\\":
            yield _vim_escape(rest)
            position += 1
        elif code in "%~":
            yield re.escape(code)
        elif code == "#":
            yield "*"
        elif code in ".[^$":
            yield code
        else:
            raise UsageError(f"uses %{code}, which has no translation")


def _until(rest: str) -> str:
    """A file name, which ends where the next literal of the pattern begins."""
    follower = re.match(r"\\?([^%\\])|%([%~])", rest)
    stop = (follower[1] or follower[2]) if follower else ""
    if not rest:
        return r"\S.*"
    if stop == ":":
        return r"(?:[A-Za-z]:)?[^:]+"
    return rf"[^{re.escape(stop)}]+" if stop and stop != " " else r"\S+"


def _repeated(rest: str) -> tuple[str, int]:
    """What `%*` repeats: a class in brackets, or a backslash class; with the length that it takes."""
    if found := re.match(r"\[\^?\]?(?:\\.|[^\]\\])*\]", rest):
        return f"{found[0]}+", found.end()
    if (found := re.match(r"%?\\([A-Za-z])", rest)) and found[1] in _CLASSES:
        return f"{_CLASSES[found[1]]}+", found.end()
    raise UsageError("uses %* with something that has no translation")


def _vim_escape(rest: str) -> str:
    code = rest[:1]
    if code in _MAGIC:
        return _MAGIC[code]
    if code in _CLASSES:
        return _CLASSES[code]
    if code and not code.isalnum() and code not in "@&_%~":
        return re.escape(code)
    raise UsageError(f"uses vim's %\\{code}, which has no translation")
