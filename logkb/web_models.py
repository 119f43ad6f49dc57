"""What the JSON API answers, field by field; the report is the command line's own document."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Field(pattern="^[A-Za-z0-9_-]{22}$", description="The report's id; knowing it is the right to read the report.")


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class EvidenceModel(_Exact):
    """A line that proves a finding."""

    line: int = Field(ge=1, description="The raw line number, from 1.")
    text: str
    rule: str
    captures: dict[str, str]


class FindingModel(_Exact):
    """A cause with the probability that it is the root cause."""

    cause: str
    title: str
    family: str
    confidence: float = Field(ge=0, le=1)
    role: Literal["cause", "consequence", "possible"]
    retryable: bool
    message: str
    fingerprint: str
    step: str | None
    evidence: list[EvidenceModel]
    sources: list[Literal["rules", "classifier", "graph"]] = Field(alias="from")
    article: str = Field(pattern="^causes/")
    fixes: list[str]
    check: str | None


class ExcerptModel(_Exact):
    """The part of the log to read."""

    first_line: int
    last_line: int
    text: str


class RetryModel(_Exact):
    """Whether running the build again, unchanged, is a sound first answer."""

    safe: bool
    why: str


class LogModel(_Exact):
    """What was read: bytes after decompression."""

    bytes: int = Field(ge=0)
    lines: int = Field(ge=0)
    truncated: bool


class ReportModel(_Exact):
    """`logkb analyze --format json`, with secrets masked."""

    schema_: Literal["logkb.report/1"] = Field(alias="schema")
    source: str
    outcome: Literal["failed", "passed", "unclear"]
    findings: list[FindingModel]
    unknown: float = Field(ge=0, le=1)
    excerpt: ExcerptModel | None
    retry: RetryModel
    log: LogModel


class JobModel(_Exact):
    """An upload on its way. `read` and `size` are bytes of the upload; `report` is where the report is, once `state` is done."""

    id: str = Id
    state: Literal["waiting", "reading", "done", "failed"]
    read: int = Field(ge=0)
    size: int = Field(ge=0)
    report: str | None
    error: str | None


class LineModel(_Exact):
    """One line of the masked log; `cut` says that it goes on beyond what is kept."""

    number: int = Field(ge=1)
    text: str
    cut: bool


class LinesModel(_Exact):
    """A page of the masked log. `total` counts the log's lines, `ready` those that can be read already."""

    total: int = Field(ge=0)
    ready: int = Field(ge=0)
    complete: bool
    lines: list[LineModel]


class StepModel(_Exact):
    """A step of the build: it begins on this line and ends where the next begins."""

    line: int = Field(ge=1)
    name: str


class StepsModel(_Exact):
    """The steps of a log, in order; none until the log is complete."""

    complete: bool
    steps: list[StepModel]


class FoundModel(_Exact):
    """The numbers of the lines that hold a text, in order; `more` says that there are further ones."""

    lines: list[int]
    more: bool


class PieceModel(_Exact):
    """A piece of a snippet."""

    text: str
    marked: bool


class HitModel(_Exact):
    """A cause that answers a query. `matched`: by a rule that knows the line, by the text, or the nearest when nothing fits."""

    cause: str
    title: str
    family: str
    score: float
    snippet: list[PieceModel]
    fix: str
    matched: Literal["rule", "text", "near"]
    rule: str | None


class SearchModel(_Exact):
    """The hits, best first; when `exact` is false they are the nearest, and `note` says so."""

    query: str
    exact: bool
    note: str
    hits: list[HitModel]


class CauseModel(_Exact):
    """A cause in the list."""

    id: str
    title: str
    family: str
    tags: list[str]
    retryable: bool


class CausesModel(_Exact):
    """All causes, by family and id."""

    causes: list[CauseModel]


class DeeperModel(_Exact):
    """A deeper cause that shows as this one: how often (0 to 1), and the command that settles it."""

    cause: str
    share: float = Field(gt=0, lt=1)
    check: str


class ArticleModel(_Exact):
    """A cause with its article."""

    id: str
    title: str
    family: str
    tags: list[str]
    retryable: bool
    explained_by: list[DeeperModel]
    fixes: list[str]
    confirm: str
    reviewed: str
    markdown: str = Field(description="The article; empty for a cause that nobody has written about yet.")
