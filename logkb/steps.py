"""Section markers of CI systems and builders -> the step that a line belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from logkb.clean import CleanLine

MAX_STEP = 200


@dataclass(frozen=True, slots=True)
class Marker:
    """Lines that open or close a section: literals of which each holds one, and the pattern that the raw line matches.

    Patterns stay text until a log needs them: compiling all would cost more than reading a small log.
    """

    keywords: tuple[str, ...]
    pattern: str

    def marks(self, raw: str) -> bool:
        """Whether the line, which holds a keyword, is such a marker."""
        return re.search(self.pattern, raw) is not None


MARKERS = tuple(
    Marker(keywords, pattern)
    for keywords, pattern in (
        (("##[group]", "##[endgroup]"), r"##\[(?:end)?group\]"),
        (("##[section]",), r"##\[section\](?:Starting|Finishing): "),
        (("##[logkb-file]",), r"##\[logkb-file\]"),
        (("##[error]",), r"##\[error\]"),
        (("section_start:", "section_end:"), r"section_(?:start|end):\d+:"),
        (("travis_fold:", "travis_time:start"), r"travis_fold:(?:start|end):|travis_time:start:\w+ \$ "),
        (tuple(f"{word} {digit}" for word in ("Step", "STEP") for digit in range(1, 10)), r"\bS(?:tep|TEP) \d+(?:/\d+)? ?: "),
        (tuple(f"{digit} [" for digit in range(10)), r"^(?:.{0,60}[\s|])?#\d+ \["),
        (("[Pipeline] ",), r"\[Pipeline\] (?:\{ \(|// stage|\})"),
        (("[INFO] --- ",), r"\[INFO\] --- \S+:\S+ "),
        (("> Task :",), r"> Task :\S+"),
    )
)

_GROUP = r"##\[group\](.*)"
_SECTION = r"##\[section\](Starting|Finishing): (.*)"
_FILE = r"##\[logkb-file\](.*)"
_GITLAB = r"section_(start|end):\d+:([^\s\[]+)"
_TRAVIS = r"travis_fold:(start|end):(\S+)"
_TRAVIS_COMMAND = r"travis_time:start:\w+ \$ (.*)"
_DOCKER = r"\bS(?:tep|TEP) (\d+(?:/\d+)?) ?: (.*)"
_VERTEX = r"#(\d+) (\[.*)"
_STAGE = r"\[Pipeline\] (?:\{ \((.*)\)|(// stage|\}))"
_MAVEN = r"\[INFO\] --- (?:maven-)?(\S+?)(?:-plugin)?:[^\s:]+:(\S+)(?: \(([^)]*)\))?(?: @ (\S+))? ?(?:---|$)"
_GRADLE = r"> Task (:\S+)"


@dataclass(slots=True)
class StepTracker:
    """Follows the markers in line order; `step_of` names the step of a line met after them."""

    outer: list[str] = field(default_factory=list)
    command: str | None = None
    inner: str | None = None
    vertices: dict[int, str] = field(default_factory=dict)
    last_error: int = 0
    flags_errors: bool = False

    def feed(self, raw: str, number: int) -> None:
        """Take one line that holds a marker, with its raw number."""
        if "##[error]" in raw:
            self.last_error = number
        elif "##[logkb-file]" in raw and (found := re.search(_FILE, raw)):
            self.outer, self.command, self.inner = [found[1]], None, None
        elif "##[group]" in raw and (found := re.search(_GROUP, raw)):
            self.flags_errors = True
            self._group(found[1].strip())
        elif "##[endgroup]" in raw:
            if self.command is None and self.outer:
                self.outer.pop()
        elif "##[section]" in raw and (found := re.search(_SECTION, raw)):
            self.flags_errors = True
            self.outer, self.inner = ([found[2].strip()] if found[1] == "Starting" else []), None
        elif "section_" in raw and (folds := re.findall(_GITLAB, raw)):
            for kind, name in folds:
                self._fold(kind, name)
        elif "travis_" in raw:
            self._travis(raw)
        elif " [" in raw and (found := re.search(_VERTEX, raw)):
            self.vertices[int(found[1])] = found[2].strip()
        elif ("Step " in raw or "STEP " in raw) and (found := re.search(_DOCKER, raw)):
            self.inner = f"Step {found[1]}: {found[2].strip()}"
        elif "[Pipeline] " in raw and (found := re.search(_STAGE, raw)):
            if found[1]:
                self.outer, self.inner = [*self.outer[:20], found[1]], None
            elif found[2] == "// stage" and self.outer:
                self.outer.pop()
        elif "[INFO] --- " in raw and (found := re.search(_MAVEN, raw)):
            module = f" @ {found[4]}" if found[4] else ""
            self.inner = f"{found[1]}:{found[2]}{module}"
        elif found := re.search(_GRADLE, raw):
            self.inner = f"task {found[1]}"

    def _group(self, name: str) -> None:
        # In GitHub Actions the output of a step follows the end of its "Run …" group.
        if name.startswith("Run "):
            self.outer, self.command, self.inner = [], name, None
        elif self.command is None:
            self.outer = [*self.outer[:20], name]

    def _fold(self, kind: str, name: str) -> None:
        if kind == "start":
            self.outer, self.inner = [*self.outer[:20], name], None
        elif name in self.outer:
            self.outer = self.outer[: self.outer.index(name)]

    def _travis(self, raw: str) -> None:
        for found in re.finditer(_TRAVIS, raw):
            self._fold(found[1], found[2])
            self.command = None
        if command := re.search(_TRAVIS_COMMAND, raw):
            self.command, self.inner = command[1].strip(), None

    def step_of(self, line: CleanLine) -> str | None:
        """The step of a line, outermost first, or None when the log has no sections."""
        if line.vertex is not None and line.vertex in self.vertices:
            return self.vertices[line.vertex][:MAX_STEP]
        parts = [line.step] if line.step else self.outer[-1:]
        parts += [part for part in (self.command, self.inner) if part]
        return " › ".join(parts)[:MAX_STEP] or None
