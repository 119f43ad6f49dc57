"""Private keys over several lines: behind CI prefixes, in JSON with `\\n`, cut off, or with the end missing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from logkb.redact_kinds import compiled
from logkb.redact_views import line_prefix

_BEGIN = r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
_END = r"-----END (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
# On the line of BEGIN itself: the key's characters, and line ends as JSON and shells write them.
_INLINE = r"(?:[A-Za-z0-9+/=:., \t-]|\\+[nrt]|%0[AaDd]|&#1[03];){0,40000}+"
_BODY = r"[A-Za-z0-9+/=]{1,130}"
_HEADER = r"(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash|MessageID|PrivateMAC|Private-Lines|Key-Derivation)\s?:.*"
# A full line inside a block: both cases and digits, so that no hexadecimal digest is meant.
_FULL = r"(?=[A-Za-z0-9+/]*[a-z])(?=[A-Za-z0-9+/]*[A-Z])(?=[A-Za-z0-9+/]*[0-9])[A-Za-z0-9+/]{60,76}"
MAX_LINES = 1000
# So many lines that look like no key end one whose END never comes.
STRANGE = 2


def private_keys(text: str) -> Iterator[tuple[tuple[tuple[int, int], ...], str]]:
    """The pieces of the text that hold each private key, one a line, and the key without breaks.

    An excerpt may start inside a key: then its first lines, and the lines above an END without BEGIN, are a key, too.
    """
    position = 0
    if opening := _opening(text):
        position = opening[-1][1]
        yield tuple(opening), _joined(text, opening)
    if "PRIVATE KEY" not in text:
        return
    begins = [found.span() for found in compiled(_BEGIN).finditer(text)]
    ends = [found.span() for found in compiled(_END).finditer(text)]
    for start, stop, opens in sorted([(*span, True) for span in begins] + [(*span, False) for span in ends]):
        if start < position:
            continue
        if not opens:
            yield from _above(text, start, stop)
            position = stop
            continue
        following = bisect_left(ends, (stop, stop))
        pieces = _pieces(text, start, stop, ends[following] if following < len(ends) else None)
        position = pieces[-1][1]
        if len(pieces) > 1 or position - stop >= 16:
            yield tuple(pieces), _joined(text, pieces)


def _joined(text: str, pieces: list[tuple[int, int]]) -> str:
    return "".join(text[start:end].strip() for start, end in pieces)


def _opening(text: str) -> list[tuple[int, int]]:
    """The lines at the start of the text that can only be the middle of a key (or of a certificate)."""
    pieces: list[tuple[int, int]] = []
    position = 0
    while position < len(text) and len(pieces) < MAX_LINES:
        stop = _line_end(text, position)
        line = text[position:stop].rstrip()
        start = position + line_prefix(line)
        if not compiled(_FULL).fullmatch(text[start : position + len(line)]):
            break
        pieces.append((start, position + len(line)))
        position = stop + 1
    return pieces


def _above(text: str, end: int, stop: int) -> Iterator[tuple[tuple[tuple[int, int], ...], str]]:
    """The key that ends here and whose beginning is out of sight."""
    start = text.rfind("\n", 0, end) + 1
    pieces = [(min(end, start + line_prefix(text[start:stop])), stop)]
    for _ in range(MAX_LINES):
        if start == 0:
            break
        above, start = start - 1, text.rfind("\n", 0, start - 1) + 1
        line = text[start:above].rstrip()
        begin = start + line_prefix(line)
        if not _is_body(text[begin : start + len(line)]):
            break
        pieces.append((begin, start + len(line)))
    if len(pieces) > 1:
        yield tuple(reversed(pieces)), _joined(text, pieces[::-1])


def _pieces(text: str, start: int, stop: int, end: tuple[int, int] | None) -> list[tuple[int, int]]:
    """The pieces of the key whose BEGIN stands at `start` to `stop`; `end` is the next END."""
    inline = compiled(_INLINE)
    line = _line_end(text, stop)
    if end and end[1] <= line and inline.fullmatch(text, stop, end[0]):
        return [(start, end[1])]
    run = inline.match(text, stop, line)
    last = run.end() if run else stop
    if line - last > 10 or text[last:line].strip(" \t\r\\\"'"):
        return [(start, last)]
    return [(start, last), *_following(text, line + 1)]


def _following(text: str, position: int) -> list[tuple[int, int]]:
    """The key's pieces on the lines after BEGIN: to its END, or to where the lines no longer look like a key."""
    ending = compiled(_END)
    pieces: list[tuple[int, int]] = []
    sure = strange = 0
    for _ in range(MAX_LINES):
        if position > len(text):
            break
        stop = _line_end(text, position)
        line = text[position:stop]
        start = position + line_prefix(line)
        closed = ending.search(text, position, min(stop, position + 10_000))
        if closed:
            pieces.append((min(start, closed.start()), closed.end()))
            return pieces
        shown = text[start:stop].strip(" \t\r\\\"'+")
        word = shown.rsplit(None, 1)[-1] if shown else ""
        inline = compiled(_INLINE).fullmatch(text, start, stop) if "\\n" in shown else None
        if not shown:
            pass
        elif inline or compiled(_HEADER).fullmatch(shown) or _is_body(shown):
            pieces.append((start, stop - (len(text[start:stop]) - len(text[start:stop].rstrip()))))
            sure, strange = len(pieces), 0
        elif len(word) >= 40 and compiled(_BODY).fullmatch(word):
            # A prefix that we do not know; the key is the last word of the line.
            at = text.rfind(word, position, stop)
            pieces.append((at, at + len(word)))
            sure, strange = len(pieces), 0
        else:
            strange += 1
            if strange > STRANGE:
                break
            pieces.append((start, start + len(text[start:stop].rstrip())))
        position = stop + 1
    return pieces[:sure]


def _is_body(shown: str) -> bool:
    """A full line of a key, or a short last one, which a plain word is not."""
    plain = shown.isalpha() and (shown.islower() or shown.istitle())
    return bool(compiled(_BODY).fullmatch(shown)) and (len(shown) >= 40 or not plain)


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end
