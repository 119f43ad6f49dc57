"""Reports and masked logs on disk, each in a folder with an unguessable name; the oldest go first.

With a history they stay; without one the folder is temporary and its reports go when nobody has looked at them for a while.
"""

from __future__ import annotations

import json
import math
import re
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from logkb.markdown import render_markdown
from logkb.records import Report
from logkb.report import dump_json
from logkb.web_sections import Section

# 128 random bits: knowing the name is the right to read.
NAME = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True, slots=True)
class Kept:
    """A report that is kept: its JSON document, what that leaves out, and how much of its log can be read.

    `lines` is None until the whole masked log is written, and 0 when it was never kept.
    """

    id: str
    created: float
    document: str
    warnings: tuple[str, ...]
    lines: int | None


class Store:
    """The folder of reports. Every method may be called from any thread."""

    def __init__(
        self, folder: Path, *, keep_seconds: float, keep_reports: int, touched: bool, keep_bytes: int | None = None
    ) -> None:
        """`touched`: the time to keep a report counts from the last look at it, not from its making."""
        self.folder = folder
        self._keep_bytes = math.inf if keep_bytes is None else keep_bytes
        self._keep_seconds, self._keep_reports, self._touched = keep_seconds, keep_reports, touched
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @staticmethod
    def new_id() -> str:
        """An id that nobody can guess."""
        return secrets.token_urlsafe(16)

    def path(self, identifier: str) -> Path:
        """The folder of a report; it need not exist. Raises `KeyError` for what is no id."""
        if not NAME.fullmatch(identifier):
            raise KeyError(identifier)
        return self.folder / identifier

    def add(self, identifier: str, report: Report) -> None:
        """Keep a masked report; its log follows."""
        folder = self.path(identifier)
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / "report.md").write_text(render_markdown(report), encoding="utf-8")
        (folder / "warnings.json").write_text(json.dumps(report.warnings), encoding="utf-8")
        # Its presence makes the report: written last, and moved into place whole.
        draft = folder / "report.json.new"
        draft.write_text(dump_json(report), encoding="utf-8")
        draft.replace(folder / "report.json")

    def add_log(self, identifier: str, lines: int, sections: Sequence[Section]) -> None:
        """Say that `log.txt` and `log.idx` are complete."""
        draft = self.path(identifier) / "log.json.new"
        draft.write_text(json.dumps({"lines": lines, "sections": [[item.line, item.name] for item in sections]}), encoding="utf-8")
        draft.replace(draft.with_suffix(""))

    def get(self, identifier: str) -> Kept:
        """Raises `KeyError` when there is no such report, or no longer."""
        folder = self.path(identifier)
        try:
            made = folder / "report.json"
            document, created = made.read_text(encoding="utf-8"), made.stat().st_mtime
            warnings = json.loads((folder / "warnings.json").read_text(encoding="utf-8"))
            if self._touched:
                (folder / "warnings.json").touch()
        except (FileNotFoundError, NotADirectoryError):
            raise KeyError(identifier) from None
        try:
            lines = json.loads((folder / "log.json").read_text(encoding="utf-8"))["lines"]
        except FileNotFoundError:
            lines = None
        return Kept(identifier, created, document, tuple(warnings), lines)

    def markdown(self, identifier: str) -> str:
        """The report as Markdown. Raises `KeyError`."""
        try:
            return (self.path(identifier) / "report.md").read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            raise KeyError(identifier) from None

    def sections(self, identifier: str) -> tuple[Section, ...]:
        """The steps of the log; none until it is complete."""
        try:
            kept = json.loads((self.path(identifier) / "log.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return ()
        return tuple(Section(line, name) for line, name in kept["sections"])

    def drop_log(self, identifier: str) -> None:
        """Remove an unfinished log; the report stays."""
        for name in ("log.txt", "log.idx"):
            (self.path(identifier) / name).unlink(missing_ok=True)

    def remove(self, identifier: str) -> None:
        """Remove a report and its log; nothing happens when there is none."""
        shutil.rmtree(self.path(identifier), ignore_errors=True)

    def prune(self, now: float | None = None, busy: frozenset[str] = frozenset()) -> int:
        """Remove what is too old, and the oldest above the number or size to keep, but none that is `busy`.

        Returns how many went.
        """
        now = time.time() if now is None else now
        ages: list[tuple[float, str]] = []
        for folder in self.folder.iterdir():
            if NAME.fullmatch(folder.name) and folder.name not in busy:
                # Without it the folder is not ours, or was left behind empty.
                looked = folder / ("warnings.json" if self._touched else "report.json")
                try:
                    ages.append((now - looked.stat().st_mtime, folder.name))
                except (FileNotFoundError, NotADirectoryError):
                    continue
        ages.sort()
        gone: list[str] = []
        size = 0
        for number, (age, name) in enumerate(ages):
            size += _size(self.folder / name) if self._keep_bytes < math.inf else 0
            if age > self._keep_seconds or number >= self._keep_reports or size > self._keep_bytes:
                gone.append(name)
        for name in gone:
            self.remove(name)
        return len(gone)


def _size(folder: Path) -> int:
    """Bytes of the files in a folder, which may be on its way out."""
    try:
        return sum(file.stat().st_size for file in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return 0
