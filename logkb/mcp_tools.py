"""The five tools, without the protocol: arguments in, typed answers out. Every call may run in a thread of its own."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from logkb.analysis import Analyzer
from logkb.errors import UsageError
from logkb.knowledge import load_knowledge, suggestion
from logkb.lookup import search
from logkb.masking import mask
from logkb.mcp_logs import SHOWN, KeptLog, Logs
from logkb.mcp_models import (
    AnalysisResult,
    ArticleResult,
    CauseLine,
    CausesResult,
    DeeperResult,
    FamilyResult,
    HitResult,
    LinesResult,
    SearchHits,
    SectionResult,
    UntrustedText,
)
from logkb.mcp_pack import cut, visible, wrap
from logkb.mcp_report import Read, answer, read_log
from logkb.mcp_runs import fetch_logs, parse_run
from logkb.mcp_settings import McpSettings
from logkb.records import Cause

URI = "logkb://causes/{cause}"
# What an article is asked for most; the rest on request.
SECTIONS = ("Fix", "How to confirm")
ALL = "all"
# Characters of an answer of `get_lines`; some 8,000 tokens.
LINES_LIMIT = 24_000


@dataclass(slots=True)
class Call:
    """One call under way: told to stop by the server, telling how many bytes it has read of how many."""

    stopping: threading.Event = field(default_factory=threading.Event)
    read: list[int] = field(default_factory=lambda: [0])
    size: int | None = None


class Tools:
    """What the server shares between calls: the knowledge, a few analysers, and the logs that were asked about."""

    def __init__(self, settings: McpSettings) -> None:
        self.settings = settings
        self.knowledge = load_knowledge(settings.overlays)
        self.logs = Logs(settings.roots, settings.kept, settings.log_bytes)
        self._spare: list[Analyzer] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        """Forget the logs."""
        self.logs.close()

    def analyze_log(
        self, call: Call, path: str | None, text: str | None, url: str | None, *, max_tokens: int, details: bool
    ) -> AnalysisResult:
        """Why the build failed. Raises `LogkbError`."""
        given = [name for name, value in (("path", path), ("text", text), ("url", url)) if value is not None]
        if len(given) != 1:
            told = f"{' and '.join(given)} are given" if given else "none is given"
            raise UsageError(f"pass exactly one of path, text and url; {told}")
        notes: Sequence[str] = ()
        names: Sequence[str] = ("",)
        shortened: Sequence[bool] = (False,)
        if path is not None:
            kept = [KeptLog("the log", path=path)]
        elif text is not None:
            kept = [self._kept_text(text)]
        else:
            run = parse_run(url or "", self.settings.github, self.settings.gitlab)
            fetched = fetch_logs(
                run, self.settings.github, self.settings.gitlab, max_jobs=self.settings.max_jobs, stopping=call.stopping,
                seen=lambda read: call.read.__setitem__(0, read),
            )  # fmt: skip
            kept = [KeptLog(log.name, file=log.file) for log in fetched.logs]
            notes, names = fetched.notes, [log.name for log in fetched.logs]
            shortened = [log.shortened for log in fetched.logs]
        try:
            reads = [self._read(call, *item) for item in zip(kept, names, shortened, strict=True)]
        except BaseException:
            for log in kept:
                if log.file is not None:
                    log.file.close()
            raise
        made = self.logs.add(kept)
        return answer(made.id, reads, notes, budget=max_tokens, details=details)

    def get_lines(self, call: Call, path: str | None, analysis_id: str | None, log: int, start: int, count: int) -> LinesResult:
        """Lines of a log. Raises `LogkbError`."""
        if (path is None) == (analysis_id is None):
            raise UsageError("pass exactly one of path and analysis_id")
        if start == 0:
            raise UsageError("start is 0; lines count from 1, and -1 is the last one")
        if analysis_id is not None:
            logs = self.logs.get(analysis_id).logs
            if log > len(logs):
                raise UsageError(f"log is {log}; this analysis has {len(logs)}")
            kept = logs[log - 1]
        else:
            kept = KeptLog("the log", path=path)
        found = self.logs.lines(kept, start, count, call.stopping)
        rows: list[str] = []
        left = LINES_LIMIT
        for number, text in found.rows:
            row = f"{number}| {cut(visible(text), SHOWN)}"
            if rows and len(row) > left:
                break
            rows.append(row)
            left -= len(row) + 1
        first = found.rows[0][0] if rows else None
        last = None if first is None else first + len(rows) - 1
        more = found.more or len(rows) < len(found.rows)
        notes = ["The file has changed since it was analysed."] if found.changed else []
        notes += [f"The log ends before line {start}."] if not rows else []
        text = wrap(rows)
        return LinesResult(
            first_line=first, last_line=last, next_start=last + 1 if more and last is not None else None, notes=notes,
            log=UntrustedText(text=text),
        )  # fmt: skip

    def explain_cause(self, cause: str, sections: Sequence[str] | None) -> ArticleResult:
        """An article, or parts of it. Raises `UsageError` for a cause or a section that does not exist."""
        article = self.knowledge.article(cause)
        known = {section.heading.casefold(): section for section in article.sections}
        asked = [name.strip().casefold() for name in (SECTIONS if sections is None else sections)]
        if ALL in asked:
            asked = list(known)
        if sections is not None and (wrong := [name for name in asked if name not in known]):
            names = ", ".join(item.heading for item in article.sections)
            raise UsageError(f"the article has no section '{visible(wrong[0])[:60]}'; it has {names}, and '{ALL}' means all")
        head = article.cause
        return ArticleResult(
            cause=head.id, title=head.title, family=head.family, tags=list(head.tags), retryable=head.retryable, lead=article.lead,
            sections=[
                SectionResult(heading=item.heading, text=item.text.strip())
                for item in article.sections
                if item.heading.casefold() in asked
            ],
            other_sections=[item.heading for item in article.sections if item.heading.casefold() not in asked],
            explained_by=[DeeperResult(cause=deep.cause, share=deep.share, check=deep.check) for deep in head.explained_by],
            uri=URI.format(cause=head.id),
        )  # fmt: skip

    def search_kb(self, query: str, family: str | None, limit: int) -> SearchHits:
        """The causes that answer a query. Raises `UsageError` for a family that does not exist."""
        if not query.strip():
            raise UsageError("the query is empty; give words, a question, or a line of a log")
        found = search(query, knowledge=self.knowledge, overlays=self.settings.overlays, family=family or None, limit=limit)
        return SearchHits(
            exact=found.exact, note=visible(mask(found.note)),
            hits=[
                HitResult(
                    cause=hit.cause, title=hit.title, family=hit.family, matched=hit.matched, rule=hit.rule,
                    snippet="".join(text for text, _ in hit.snippet), fix=hit.fix,
                )
                for hit in found.hits
            ],
        )  # fmt: skip

    def list_causes(self, family: str | None) -> CausesResult:
        """The ids of all causes by family, or those of one family with their titles. Raises `UsageError`."""
        families: dict[str, list[Cause]] = {}
        for cause in sorted(self.knowledge.causes.values(), key=lambda cause: (cause.family, cause.id)):
            families.setdefault(cause.family, []).append(cause)
        if family and family not in families:
            asked = visible(family)[:60]
            raise UsageError(f"unknown family '{asked}'{suggestion(family, list(families))}; families: {', '.join(families)}")
        wanted = {family: families[family]} if family else families
        titles = [CauseLine(cause=cause.id, title=cause.title) for cause in wanted[family]] if family else []
        return CausesResult(
            families=[FamilyResult(family=name, causes=[cause.id for cause in causes]) for name, causes in wanted.items()],
            titles=titles,
        )

    def article_markdown(self, cause: str) -> str:
        """A whole article. Raises `UsageError`."""
        return self.knowledge.article(cause).markdown.strip() + "\n"

    def _kept_text(self, text: str) -> KeptLog:
        data = text.encode("utf-8", "replace")
        if len(data) > self.settings.text_bytes:
            raise UsageError(
                f"the text has {len(data)} bytes, and {self.settings.text_bytes} are taken; write it to a file below an allowed"
                " folder and pass its path"
            )
        file = tempfile.TemporaryFile()  # noqa: SIM115
        file.write(data)
        return KeptLog("the log", file=cast(BinaryIO, file))

    def _read(self, call: Call, kept: KeptLog, name: str, shortened: bool) -> Read:
        with self.logs.source(kept, call.stopping, call.read) as source, self._analyzer() as analyzer:
            call.size = kept.size
            read = read_log(analyzer, source, kept.redactor, name=name, shortened=shortened)
        kept.lines = read.report.log.lines
        return read

    @contextlib.contextmanager
    def _analyzer(self) -> Iterator[Analyzer]:
        """An engine's scratch space serves one scan at a time, so that each call takes an analyser for itself."""
        with self._lock:
            analyzer = self._spare.pop() if self._spare else None
        analyzer = analyzer or Analyzer(self.knowledge)
        try:
            yield analyzer
        finally:
            with self._lock:
                self._spare.append(analyzer)
