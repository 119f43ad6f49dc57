"""Any text -> the words that are searched for, and phrases that FTS5 reads. Plain string work: no query can be wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# Words of a question that say nothing about a failure.
STOP = frozenset(
    """
    a about after all am an and any are as at be because been but by can could did do does doing during for from get gets
    getting had has have he her here his how i if in into is it its just keep keeps me my no not now of off on or our out over
    please says she should since so some such than that the their them then there these they this those to too under up us very
    was way we went were what when where which while who why will with won would you your
    """.split()  # noqa: SIM905
)
# Names that a split at the punctuation would destroy.
NAMES = (("c++", " cpp "), ("c#", " csharp "), ("f#", " fsharp "), (".net", " dotnet "))
MAX_TEXT = 16_000
MAX_WORD = 64


def words(text: str) -> list[str]:
    """All words, folded, in order: runs of letters and digits. A long text gives those of its first and last part."""
    if len(text) > MAX_TEXT:
        text = f"{text[: MAX_TEXT // 2]} {text[-MAX_TEXT // 2 :]}"
    text = text.lower()
    for name, plain in NAMES:
        if name in text:
            text = text.replace(name, plain)
    return [word for word in "".join(c if c.isalnum() else " " for c in text).split() if len(word) <= MAX_WORD]


def informative(found: Iterable[str]) -> list[str]:
    """The distinct words that say something about a failure, in order."""
    return list(dict.fromkeys(word for word in found if word not in STOP and len(word) > 1))


def compounds(text: str) -> Iterator[list[str]]:
    """The parts of identifiers: `ERR_PNPM_OUTDATED_LOCKFILE`, `libssl.so.1.1`, `ModuleNotFoundError`; each of two parts or more."""
    for piece in text[:MAX_TEXT].split():
        parts = words(piece)
        if 2 <= len(parts) <= 8:
            yield parts
        for name in "".join(c if c.isalnum() else " " for c in piece).split():
            humps = words(_humps(name))
            if 2 <= len(humps) <= 8:
                yield humps


def _humps(name: str) -> str:
    """`ModuleNotFoundError` -> `Module Not Found Error`; `JSONDecodeError` -> `JSON Decode Error`."""
    if len(name) > MAX_WORD or name.islower() or name.isupper() or not name.isalpha():
        return ""
    out = name[0]
    for index in range(1, len(name)):
        before, here, after = name[index - 1], name[index], name[index + 1 : index + 2]
        if here.isupper() and (before.islower() or (after.islower() and before.isupper())):
            out += " "
        out += here
    return out


def quoted(parts: Iterable[str]) -> str:
    """A phrase as FTS5 reads it. Words hold only letters and digits, so nothing in it can be an operator."""
    return '"' + " ".join(parts) + '"'


def distance(one: str, other: str, most: int) -> int:
    """The optimal string alignment distance (insertions, deletions, replacements, swaps of neighbours); `most` + 1 above it."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    previous: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        older, previous, row = previous, row, [i]
        for j, right in enumerate(other, 1):
            cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
