"""Lines of logs -> a text for a language model, within a budget: the evidence first, then the end, then what stands round them.

A head-only cut loses the error, which stands near the end; a tail-only cut loses a cause that showed early. What was left
out is said where it is missing, with the numbers to ask for it.
"""

from __future__ import annotations

import json
import re
import secrets
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from logkb.report import safe

# Bytes of UTF-8 a token, on the low side: English prose has some four, logs with paths and digests some three.
BYTES_A_TOKEN = 3
# An evidence line may have a fifth of the budget, the others less; these are the bounds in characters.
EVIDENCE_WIDTH, CONTEXT_WIDTH = (160, 800), (80, 300)
# Characters that show nothing and can carry hidden text to a model, or break a line for some readers: format characters,
# variation selectors above the usual ones, tags, line and paragraph separators, private use, and lone surrogates.
UNSEEN = re.compile(
    "[\u00ad\u061c\u180b-\u180f\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\uf8ff\U000e0000-\U0010ffff]"
)

Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Packed:
    """The text between its marks, and the numbers of the lines that it holds."""

    text: str
    shown: frozenset[Key]


def tokens(text: str) -> int:
    """An estimate that real tokenizers stay below for most logs."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_A_TOKEN)


def visible(text: str) -> str:
    """The text without control, direction and invisible characters; each becomes a replacement mark."""
    text = safe(text)
    return text if text.isascii() else UNSEEN.sub("\ufffd", text)


def wrap(lines: Sequence[str]) -> str:
    """The lines between two marks that share a random number: no text that was written before can close them early."""
    number = secrets.token_hex(8)
    return "\n".join((f"<<<log {number}", *lines, f"log {number}>>>"))


def cut(text: str, width: int, keep: str = "") -> str:
    """At most `width` characters of a line: round `keep` where the line holds it, else its two ends."""
    if len(text) <= width:
        return text
    at = text.find(keep) if keep else -1
    if at >= 0:
        start = max(0, min(at - width // 4, len(text) - width))
        return ("…" if start else "") + text[start : start + width] + ("…" if start + width < len(text) else "")
    head = width * 2 // 3
    return f"{text[:head]}…[{len(text) - width} characters]…{text[len(text) - (width - head) :]}"


def pack(
    texts: Mapping[Key, str],
    order: Sequence[Key],
    evidence: Mapping[Key, str],
    heads: Mapping[int, Sequence[str]],
    totals: Mapping[int, int],
    budget: int,
) -> Packed:
    """As many lines as fit in `budget` tokens when written as a JSON string, taken in `order`, shown in the log's order.

    `texts` are masked lines by (log, line), `evidence` the lines that prove something, with a word that must stay in sight;
    `heads` are lines of text to show above each log, and `totals` the number of its lines. The first line of `order` is always
    there.
    """
    characters = budget * BYTES_A_TOKEN
    wide = _within(characters // 5, EVIDENCE_WIDTH)
    narrow = _within(characters // 20, CONTEXT_WIDTH)
    rows = {key: cut(texts[key], wide if key in evidence else narrow, evidence.get(key, "")) for key in order}
    keys = list(dict.fromkeys(order))

    def made(count: int) -> str:
        return _render(sorted(keys[:count]), rows, heads, totals)

    def size(count: int) -> int:
        return tokens(json.dumps(made(count), ensure_ascii=False))

    count = bisect_right(range(1, len(keys) + 1), budget, key=size)
    # A line that closes a gap may be shorter than the words about the gap, so that sizes do not only grow.
    while count > 1 and size(count) > budget:
        count -= 1
    count = max(count, min(1, len(keys)))
    return Packed(made(count), frozenset(keys[:count]))


def _within(value: int, bounds: tuple[int, int]) -> int:
    return max(bounds[0], min(bounds[1], value))


def _render(keys: Sequence[Key], rows: Mapping[Key, str], heads: Mapping[int, Sequence[str]], totals: Mapping[int, int]) -> str:
    lines: list[str] = []
    for log, total in totals.items():
        lines += [f"{'- ' if len(totals) == 1 else f'log {log}: '}{head}" for head in heads.get(log, ())]
        last = 0
        for key in keys:
            if key[0] == log:
                lines += _gap(last, key[1])
                lines.append(f"{log}:{key[1]}| {rows[key]}" if len(totals) > 1 else f"{key[1]}| {rows[key]}")
                last = key[1]
        if last:
            lines += _gap(last, total + 1)
    return wrap(lines)


def _gap(last: int, number: int) -> list[str]:
    missing = number - last - 1
    return [f"[{missing} left out: {last + 1}-{number - 1}]"] if missing > 0 else []
