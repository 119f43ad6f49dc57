"""The one tree of errors.

```text
LogkbError                  everything that logkb raises on purpose
├── InputError              a log cannot be read (missing, a directory, a damaged or hostile archive)
├── UsageError              the call itself is wrong (an unknown cause, a bad option)
├── ForgeError              GitHub or GitLab refused: a missing permission, something that is not there
│   └── TransientError      it may work later: a rate limit, a server error, a broken connection
├── StoreError              the file of accepted deliveries cannot be read or written
└── KnowledgeError          rules or articles are wrong; carries every problem, not only the first
```

Each message says where, what is wrong and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file that a person edits; `line` counts from 1."""

    path: Path
    line: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a rule or an article: where it is, what is wrong, how to mend it."""

    location: Location
    what: str
    mend: str
    subject: str = ""

    def __str__(self) -> str:
        subject = f"{self.subject}: " if self.subject else ""
        return f"{self.location}: {subject}{self.what}; {self.mend}"


class LogkbError(Exception):
    """The base of all errors: `except logkb.LogkbError` catches whatever logkb raises on purpose."""


class InputError(LogkbError):
    """A log cannot be read. The message names the input and the way out."""


class UsageError(LogkbError):
    """The call is wrong: an unknown cause, an option out of its range."""


class ForgeError(LogkbError):
    """GitHub or GitLab refused for good. The message says what was asked, what came back and what to grant or change."""


class TransientError(ForgeError):
    """It may work later. `retry_after` is the number of seconds to wait, or None when nobody said."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class StoreError(LogkbError):
    """The file of accepted deliveries cannot be read or written: a full disk, a damaged file. Nothing of the call was stored."""

    def __init__(self, message: str, *, damaged: bool = False) -> None:
        self.damaged = damaged
        super().__init__(message)


class KnowledgeError(LogkbError):
    """Rules or articles are wrong. `problems` holds all of them, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
