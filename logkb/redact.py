"""Mask secrets before text leaves this machine. The same secret has the same placeholder, such as `<github-token:1>`.

A text is read as a person reads it: without colours, and with wrapped lines joined. Every line that holds a part of a secret
shows the placeholder, so the number of lines stays. The time grows with the length of the text, whatever stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from logkb.redact_keys import private_keys
from logkb.redact_kinds import EMAIL, KINDS, VALUES, Kind, compiled
from logkb.redact_values import LONG_VALUE, assignments, looks_random
from logkb.redact_views import View, codes, joined, uncoloured

PLACEHOLDER = re.compile(r"<([a-z]{1,20}(?:-[a-z]{1,20}){0,3}):(\d{1,9})>")
# A stream is masked in blocks; the last lines of each wait for the next, because a secret may go on there.
BLOCK = 400
HELD = 40
# Characters, for logs of long lines: at so many a block is masked, and what waits is at least one line, and else no longer.
BLOCK_LENGTH, HELD_LENGTH = 512 * 1024, 64 * 1024
ROUNDS = 4

Fragment = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Hit:
    """A secret: its kind, its text without breaks, and the pieces of the text that hold it. A lower `rank` is more telling."""

    kind: str
    secret: str
    rank: int
    fragments: tuple[Fragment, ...]

    @property
    def length(self) -> int:
        """The number of characters masked."""
        return sum(end - start for start, end in self.fragments)


def redact(text: str, *, emails: bool = False) -> str:
    """The text with every secret replaced by a placeholder. Redacting twice changes nothing; `emails` masks addresses, too."""
    return Redactor(emails=emails).redact(text)


class Redactor:
    """Masks several texts, or a stream of lines, in which the same secret keeps its placeholder."""

    def __init__(self, *, emails: bool = False) -> None:
        self.emails = emails
        self._numbers: dict[tuple[str, str], int] = {}
        self._counts: dict[str, int] = {}

    def redact(self, text: str) -> str:
        """The text with placeholders, with as many lines as before."""
        # What stood beside a secret may be seen for one once the secret is gone; nothing is left after a round or two.
        for _ in range(ROUNDS):
            hits = self._hits(text)
            if not hits:
                break
            text = self._masked(text, hits)
        return text

    def lines(self, lines: Iterable[str]) -> Iterator[str]:
        """Each line (without its newline) masked, in order; holds back some hundred lines, because secrets span lines."""
        waiting: list[str] = []
        length = 0
        for line in lines:
            waiting.append(line.replace("\n", " "))
            length += len(line) + 1
            if len(waiting) >= BLOCK + HELD or (length >= BLOCK_LENGTH and len(waiting) > 1):
                yield from self._release(waiting)
                length = sum(len(line) + 1 for line in waiting)
        if waiting:
            yield from self.redact("\n".join(waiting)).split("\n")

    def _release(self, waiting: list[str]) -> list[str]:
        """Mask what waits, and let go of all but the last lines: none that shares a secret with them."""
        text = "\n".join(waiting)
        block = len(waiting) - _held(waiting)
        cut = sum(len(line) + 1 for line in waiting[:block])
        view = uncoloured(text)
        for hit in sorted(self._hits_in(view), key=lambda hit: -hit.fragments[0][0]):
            start, end = _origin(view, hit.fragments[0])[0], _origin(view, hit.fragments[-1])[1]
            if start < cut < end:
                cut = text.rfind("\n", 0, start) + 1
        count = text.count("\n", 0, cut)
        if count == 0:
            count = block
        done = self.redact("\n".join(waiting[:count])).split("\n")
        del waiting[:count]
        return done

    def _hits(self, text: str) -> list[tuple[Hit, View]]:
        view = uncoloured(text)
        return [(hit, view) for hit in self._hits_in(view)]

    def _hits_in(self, view: View) -> list[Hit]:
        text = view.text
        hits = [hit for hit in self._found(text) if not PLACEHOLDER.fullmatch(hit.secret)]
        whole = {hit.fragments[0][0] for hit in hits if hit.rank < 0}
        if "\n" in text:
            unwrapped = joined(text)
            for hit in self._found(unwrapped.text):
                pieces = tuple(piece for fragment in hit.fragments for piece in unwrapped.fragments(*fragment))
                if pieces and pieces[0][0] not in whole and not PLACEHOLDER.fullmatch(hit.secret):
                    hits.append(Hit(hit.kind, hit.secret, hit.rank, pieces))
        return _merged(hits)

    def _found(self, text: str) -> Iterator[Hit]:
        lower = text.lower()
        if len(lower) != len(text):
            lower = compiled(r"[A-Z]+").sub(lambda found: found[0].lower(), text)
        for fragments, secret in private_keys(text):
            yield Hit("private-key", secret, 0, fragments)
        kinds: tuple[Kind, ...] = (*KINDS, *VALUES, EMAIL) if self.emails else (*KINDS, *VALUES)
        for rank, kind in enumerate(kinds, 1):
            if any(keyword in lower for keyword in kind.keywords):
                for found in compiled(kind.pattern).finditer(text):
                    group = "secret" if "secret" in found.re.groupindex else 0
                    if kind in VALUES and not _believed(kind, found):
                        continue
                    complete = len(found[group]) in kind.whole
                    yield Hit(kind.name, found[group], -rank if complete else rank, (found.span(group),))
        for start, end, name in assignments(text, lower):
            yield Hit(name, text[start:end], len(KINDS) + len(VALUES) + 2, ((start, end),))

    def _masked(self, text: str, hits: list[tuple[Hit, View]]) -> str:
        for found in PLACEHOLDER.finditer(text):
            self._counts[found[1]] = max(self._counts.get(found[1], 0), int(found[2]))
        pieces: list[tuple[int, int, str]] = []
        for hit, view in sorted(hits, key=lambda item: item[0].fragments[0]):
            placeholder = self._placeholder(hit)
            for fragment in hit.fragments:
                start, end = _origin(view, fragment)
                kept = "".join(found[0] for found in codes().finditer(text, start, end))
                pieces.append((start, end, placeholder + kept))
        parts: list[str] = []
        position = 0
        for start, end, placeholder in sorted(pieces):
            parts += (text[position:start], placeholder)
            position = end
        return "".join((*parts, text[position:]))

    def _placeholder(self, hit: Hit) -> str:
        key = (hit.kind, hit.secret)
        if key not in self._numbers:
            self._counts[hit.kind] = self._counts.get(hit.kind, 0) + 1
            self._numbers[key] = self._counts[hit.kind]
        return f"<{hit.kind}:{self._numbers[key]}>"


def _held(waiting: list[str]) -> int:
    """How many of the last lines wait for the next block."""
    count, length = 1, len(waiting[-1])
    while count < min(HELD, len(waiting) - 1) and length + len(waiting[-count - 1]) <= HELD_LENGTH:
        length += len(waiting[-count - 1])
        count += 1
    return count


def _believed(kind: Kind, found: re.Match[str]) -> bool:
    """Whether a header's or parameter's value is a value and not prose: "authorization: required"."""
    secret = found["secret"]
    if kind.name == "authorization" and "scheme" in found.re.groupindex:
        mixed = any(character.isdigit() or character.isupper() or character == "=" for character in secret[1:])
        return mixed and (found["scheme"] is not None or len(secret) >= 8)
    return kind.name != "url-parameter" or looks_random(secret)


def _origin(view: View, fragment: Fragment) -> Fragment:
    pieces = list(view.fragments(*fragment))
    return pieces[0][0], pieces[-1][1]


def _merged(hits: list[Hit]) -> list[Hit]:
    """Hits that overlap become one: the kind of the longest, of the most telling where they are equal or all of them long."""
    owned = sorted((start, end, index) for index, hit in enumerate(hits) for start, end in hit.fragments)
    parent = list(range(len(hits)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    reach, last = -1, -1
    for start, end, index in owned:
        if start < reach:
            parent[root(index)] = root(last)
        if end > reach:
            reach, last = end, index
    groups: dict[int, list[int]] = {}
    for index in range(len(hits)):
        groups.setdefault(root(index), []).append(index)
    merged = []
    for members in groups.values():
        best = min((hits[index] for index in members), key=lambda hit: (-min(hit.length, LONG_VALUE), abs(hit.rank), hit.fragments))
        pieces = sorted(fragment for index in members for fragment in hits[index].fragments)
        merged.append(Hit(best.kind, best.secret, best.rank, _union(pieces)))
    return merged


def _union(pieces: list[Fragment]) -> tuple[Fragment, ...]:
    union: list[Fragment] = []
    for start, end in pieces:
        if union and start < union[-1][1]:
            union[-1] = (union[-1][0], max(end, union[-1][1]))
        elif end > start:
            union.append((start, end))
    return tuple(union)
