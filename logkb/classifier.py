"""TF-IDF and a linear model, in plain Python: predicting needs neither scikit-learn nor NumPy.

The model file is data, never a pickle: a magic word, a SHA-256 over the rest, a JSON header, the vocabulary, the inverse document
frequencies (float32) and the weights (int8, one row a feature, one scale a class). It is mapped read-only, and only the
rows of features that the log has are touched.
"""

from __future__ import annotations

import json
import math
import mmap
import re
import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from zlib import crc32

from logkb.clean import clean_line
from logkb.errors import InputError
from logkb.records import Prediction

MAGIC = b"LOGKBM2\n"
# CRC-32, against damage: whoever can replace the model can replace the program.
DIGEST = 4
# The class of builds that passed: its probability is nobody's, and goes to the unknown.
PASSING = "passing"
MAX_LINES = 160
MAX_LINE = 300
MIN_GRAM, MAX_GRAM = 4, 5

_VOLATILE = re.compile(r"\b(?:0x)?[0-9a-f]{7,64}\b|\d+(?:[.:]\d+)*")
_WORD = re.compile(r"[a-z_][a-z0-9_+]{1,40}|[#@!=<>$]{1,3}")
# Sums of row * value are kept in one big integer with a lane of 64 bits a class: int8 weights are stored with an
# offset of 128, and a value has 30 bits after the point.
LANE = 8
OFFSET = 128
POINT = 30


def tokens(lines: Iterable[str]) -> list[str]:
    """The features of an excerpt: words, pairs of words, and the words' character n-grams. Numbers and digests are left out."""
    found: list[str] = []
    for line in list(lines)[-MAX_LINES:]:
        text = _VOLATILE.sub(" ", clean_line(line[:MAX_LINE]).text.lower())
        words = _WORD.findall(text)
        found += words
        found += [f"{one} {two}" for one, two in pairwise(words)]
        for word in words:
            if len(word) > MIN_GRAM:
                padded = f"<{word}>"
                found += [
                    f"~{padded[start : start + size]}"
                    for size in range(MIN_GRAM, MAX_GRAM + 1)
                    for start in range(len(padded) - size + 1)
                ]
    return found


@dataclass(frozen=True, slots=True)
class Term:
    """A feature and what it added to the log-odds of a class."""

    feature: str
    weight: float


class Classifier:
    """A model file, ready to predict. Raises `InputError` when the file is damaged."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as stream:
            self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        view = memoryview(self._map)
        start = len(MAGIC) + DIGEST
        if bytes(view[: len(MAGIC)]) != MAGIC or _digest(view[start:]) != bytes(view[len(MAGIC) : start]):
            raise InputError(f"{path}: is no model of logkb, or is damaged; train or install it again")
        length, words = struct.unpack_from("<II", view, start)
        start += 8
        header = json.loads(bytes(view[start : start + length]))
        start += length
        self.classes: tuple[str, ...] = tuple(header["classes"])
        self.facts: dict[str, object] = header["facts"]
        self._scales: list[float] = header["scales"]
        self._intercepts: list[float] = header["intercepts"]
        features = bytes(view[start : start + words]).decode().split("\n")
        start += words
        self._index = {feature: row for row, feature in enumerate(features)}
        self._idf = struct.unpack_from(f"<{len(features)}f", view, start)
        self._rows = start + 4 * len(features)
        self._view = view

    def predict(self, lines: Sequence[str]) -> tuple[Prediction, ...]:
        """The probability of each class, the likeliest first. They add up to one, `passing` among them."""
        scores = self._scores(self._vector(lines))
        highest = max(scores)
        exponentials = [math.exp(score - highest) for score in scores]
        total = sum(exponentials)
        pairs = sorted(zip(self.classes, exponentials, strict=True), key=lambda pair: -pair[1])
        return tuple(Prediction(name, value / total) for name, value in pairs)

    def terms(self, lines: Sequence[str], cause: str, count: int = 8) -> tuple[Term, ...]:
        """The features that spoke most for a class, against the mean of the classes."""
        column = self.classes.index(cause)
        size = len(self.classes)
        found = []
        for row, value in self._vector(lines).items():
            start = self._rows + row * size
            weights = [byte - OFFSET for byte in self._view[start : start + size]]
            mean = sum(weight * scale for weight, scale in zip(weights, self._scales, strict=True)) / size
            found.append((row, value * (weights[column] * self._scales[column] - mean)))
        names = list(self._index)
        best = sorted(found, key=lambda pair: -pair[1])[:count]
        return tuple(Term(names[row], weight) for row, weight in best if weight > 0)

    def _vector(self, lines: Sequence[str]) -> dict[int, float]:
        """Sublinear TF-IDF with length one, as scikit-learn's TfidfVectorizer(sublinear_tf=True) makes it."""
        index, idf = self._index, self._idf
        counts = Counter(token for token in tokens(lines) if token in index)
        vector = {index[token]: (1 + math.log(count)) * idf[index[token]] for token, count in counts.items()}
        norm = math.sqrt(sum(value * value for value in vector.values())) or 1.0
        return {row: value / norm for row, value in vector.items()}

    def _scores(self, vector: dict[int, float]) -> list[float]:
        size = len(self.classes)
        total = weight = 0
        lanes = bytearray(size * LANE)
        for row, value in vector.items():
            start = self._rows + row * size
            lanes[::LANE] = self._view[start : start + size]
            factor = round(value * (1 << POINT))
            total += int.from_bytes(lanes, "little") * factor
            weight += factor
        sums = struct.unpack(f"<{size}Q", total.to_bytes(size * LANE, "little"))
        return [
            intercept + scale * (lane - OFFSET * weight) / (1 << POINT)
            for lane, scale, intercept in zip(sums, self._scales, self._intercepts, strict=True)
        ]


def _digest(body: bytes | memoryview) -> bytes:
    return crc32(body).to_bytes(DIGEST, "big")


def save_model(
    path: Path,
    classes: Sequence[str],
    features: Sequence[str],
    idf: Sequence[float],
    rows: Iterable[bytes],
    scales: Sequence[float],
    intercepts: Sequence[float],
    facts: dict[str, object],
) -> None:
    """Write a model file. `rows` are int8 weights plus 128, one row a feature, one byte a class."""
    header = json.dumps(
        {"classes": list(classes), "scales": list(scales), "intercepts": list(intercepts), "facts": facts}, sort_keys=True
    ).encode()
    words = "\n".join(features).encode()
    body = struct.pack("<II", len(header), len(words)) + header + words + struct.pack(f"<{len(features)}f", *idf) + b"".join(rows)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(MAGIC + _digest(body) + body)
    temporary.replace(path)
