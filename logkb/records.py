"""The records that flow from the log to the report: frozen, without behaviour, imported by every other module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from logkb.errors import Location
from logkb.needs import Need

Strength = Literal["strong", "medium", "weak"]
Mark = Literal["failed", "passed"]
Role = Literal["cause", "consequence", "possible"]
Outcome = Literal["failed", "passed", "unclear"]
Level = Literal["plain", "error", "warning"]


@dataclass(frozen=True, slots=True)
class Sample:
    """A text that a rule must match (with these captures) or must not match."""

    text: str
    location: Location
    captures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The second half of a rule over several lines: `pattern` must hold within `within` lines after (or before)."""

    pattern: str
    within: int
    after: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern for one message of one tool.

    A rule either names a `cause`, or `marks` the log as failed or passed (a wrapper line such as "exit code 1",
    which is never a cause). `keywords` are literals of which every matching line holds at least one; `required` is
    what its pattern needs as literals (`literals.required_of`), so that most candidates need no regular expression.
    """

    id: str
    cause: str | None
    marks: Mark | None
    strength: Strength
    keywords: tuple[str, ...]
    pattern: str
    message: str
    fingerprint: tuple[str, ...]
    fix: str | None
    neighbour: Neighbour | None
    should_match: tuple[Sample, ...]
    should_not_match: tuple[Sample, ...]
    location: Location
    required: Need = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """A deeper cause that shows as this one: how often (`share`, 0 to 1), and the command that settles it."""

    cause: str
    share: float
    check: str


@dataclass(frozen=True, slots=True)
class Cause:
    """Why builds fail: the head of an article. `fixes` are the first sentences of its steps, the safe one first."""

    id: str
    title: str
    family: str
    tags: tuple[str, ...]
    retryable: bool
    explained_by: tuple[Explanation, ...]
    fixes: tuple[str, ...]
    confirm: str
    reviewed: str
    review_every: int
    location: Location


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log: its raw number (from 1) and its text without control codes."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    """A rule on a line. `text` is the line as it was matched, `context` the lines round it."""

    rule: Rule
    line: int
    text: str
    captures: Mapping[str, str]
    step: str | None
    level: Level
    context: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The classifier's word: the probability (0 to 1) that `cause` is the root cause."""

    cause: str
    probability: float


@dataclass(frozen=True, slots=True)
class Scan:
    """All that one pass over a log brings back.

    `lines` and `size` (bytes after decompression) count the whole log; `tail` holds its last lines; `truncated`
    says that the input ended early or that a line was cut for matching; `last_error` is the raw number of the last
    line that the CI system flagged as an error (0: none), and `flags_errors` that this CI system does flag them.
    """

    matches: tuple[Match, ...]
    tail: tuple[Line, ...]
    lines: int
    size: int
    truncated: bool
    last_error: int = 0
    flags_errors: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """A line that proves a finding."""

    line: int
    text: str
    rule: str
    captures: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A cause with its probability and role, as the ranking leaves it."""

    cause: Cause
    confidence: float
    role: Role
    matches: tuple[Match, ...]
    sources: tuple[str, ...]
    check: str | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause with its confidence (the probability, 0 to 1, that it is the root cause), role and evidence."""

    cause: str
    title: str
    family: str
    confidence: float
    role: Role
    retryable: bool
    message: str
    fingerprint: str
    step: str | None
    evidence: tuple[Evidence, ...]
    sources: tuple[str, ...]
    article: str
    fixes: tuple[str, ...]
    confirm: str
    check: str | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The part of the log that a person should read."""

    first_line: int
    last_line: int
    text: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Whether running the build again, unchanged, is a sound first answer."""

    safe: bool
    why: str


@dataclass(frozen=True, slots=True)
class LogFacts:
    """What was read: bytes after decompression, lines, and whether something was cut."""

    bytes: int
    lines: int
    truncated: bool


@dataclass(frozen=True, slots=True)
class Report:
    """Ranked findings for one log; `unknown` is the probability that none of them is the root cause."""

    source: str
    outcome: Outcome
    findings: tuple[Finding, ...]
    unknown: float
    excerpt: Excerpt | None
    retry: Retry
    log: LogFacts
    warnings: tuple[str, ...] = ()
