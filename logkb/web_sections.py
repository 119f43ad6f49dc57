"""Where the steps of a log begin, for the viewer: the markers that the analysis follows, met on every line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from logkb.clean import clean_line
from logkb.steps import MARKERS, StepTracker

MAX_SECTIONS = 5000
_VERTEX = re.compile(r"^#\d{1,4} ", re.M)
_KEYWORDS = tuple(dict.fromkeys(keyword for marker in MARKERS for keyword in marker.keywords if keyword != "##[error]"))


@dataclass(frozen=True, slots=True)
class Section:
    """A step of the build: its first line, and its name."""

    line: int
    name: str


class Sections:
    """Follows the markers through the pieces of a log and notes where the step changes; `found` has them in line order."""

    def __init__(self) -> None:
        self.found: list[Section] = []
        self._tracker = StepTracker()
        self._name: str | None = None
        self._job = "\n"

    def feed(self, text: str, first: int) -> None:
        """Take whole lines, the first of which has this raw number."""
        if len(self.found) >= MAX_SECTIONS:
            return
        starts = {text.rfind("\n", 0, at) + 1 for at in _marked(text)}
        if self._tracker.vertices or any(text.startswith("#", start) for start in starts):
            starts.update(found.start() for found in _VERTEX.finditer(text))
        if "\t" in text[:2000]:
            starts.update(self._jobs(text))
        position, number = 0, first
        for start in sorted(starts):
            number += text.count("\n", position, start)
            position = start
            self._take(text[start : start + 2000].split("\n", 1)[0], number)

    def _jobs(self, text: str) -> Iterator[int]:
        """Where the two columns that `gh run view --log` puts before each line change."""
        start = 0
        for line in text.split("\n"):
            if not line.startswith(self._job):
                columns = line.split("\t", 2)
                if len(columns) == 3:
                    self._job = f"{columns[0]}\t{columns[1]}\t"
                    yield start
            start += len(line) + 1

    def _take(self, line: str, number: int) -> None:
        if any(marker.marks(line) for marker in MARKERS):
            self._tracker.feed(line, number)
        name = self._tracker.step_of(clean_line(line))
        if name is not None and name != self._name and len(self.found) < MAX_SECTIONS:
            self._name = name
            self.found.append(Section(number, name))


def _marked(text: str) -> Iterator[int]:
    for keyword in _KEYWORDS:
        at = text.find(keyword)
        while at >= 0:
            yield at
            at = text.find("\n", at)
            at = text.find(keyword, at) if at >= 0 else -1
