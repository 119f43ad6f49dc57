"""What the pages and the JSON API share while the server runs: settings, knowledge, jobs, kept reports."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from logkb.bounded import TooLarge
from logkb.errors import InputError
from logkb.knowledge import Knowledge, load_knowledge
from logkb.lookup import search
from logkb.records import Report
from logkb.serve_settings import ServeSettings
from logkb.web_jobs import Busy, Job, Jobs
from logkb.web_problems import HttpProblem, place
from logkb.web_store import Kept, Store
from logkb.web_upload import receive_upload

PRUNE_SECONDS = 30
RETRY_SECONDS = 5
LOGGER = logging.getLogger("logkb.serve")


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a masked log can be read: `ready` of `total` lines, and whether more will come."""

    total: int
    ready: int
    complete: bool


class Core:
    """Opened by `running()`; before that it holds settings and nothing else."""

    knowledge: Knowledge
    jobs: Jobs
    store: Store

    def __init__(self, settings: ServeSettings) -> None:
        self.settings = settings
        self._uploads = 0
        self._folder = Path()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open everything; on leaving, jobs are given up and temporary files removed."""
        settings = self.settings
        self._folder = Path(tempfile.mkdtemp(prefix="logkb-"))
        pruning: asyncio.Task[None] | None = None
        try:
            self.knowledge = await run_in_threadpool(load_knowledge, settings.overlays)
            self.store = Store(
                settings.history or self._folder / "reports",
                keep_seconds=settings.keep_seconds, keep_reports=settings.keep_reports, touched=settings.history is None,
                keep_bytes=settings.temporary_bytes if settings.history is None else None,
            )  # fmt: skip
            self.jobs = Jobs(settings, self.store, self.knowledge)
            pruning = asyncio.create_task(self._prune())
            warming = asyncio.create_task(run_in_threadpool(self._warm))
            try:
                yield
            finally:
                pruning.cancel()
                await run_in_threadpool(self.jobs.stop)
                # A thread cannot be cancelled, and must not outlive the server; it takes some seconds at most.
                await warming
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _warm(self) -> None:
        """The search's database is made anew when rules or articles have changed; the first person shall not wait for it."""
        try:
            search("warm", knowledge=self.knowledge, overlays=self.settings.overlays, limit=1)
        except Exception as error:
            LOGGER.error("search failed", extra={"fields": {"error": type(error).__name__, "at": place(error)}})

    async def _prune(self) -> None:
        while True:
            await run_in_threadpool(self.store.prune, busy=self.jobs.busy())
            await asyncio.sleep(PRUNE_SECONDS)

    async def accept(
        self, request: Request, *, keep: bool, name: str | None = None, empty: bool = True
    ) -> tuple[Job, Future[Report]]:
        """Receive the log of a request and queue it. Raises `HttpProblem`."""
        if self._uploads >= self.settings.uploads:
            raise HttpProblem(
                503, "Too many logs are being sent at once; try again in a moment.", retry_after=RETRY_SECONDS, unread=True
            )
        self._uploads += 1
        try:
            upload = await receive_upload(request, self.settings, self._folder, name)
        finally:
            self._uploads -= 1
        try:
            if upload.size == 0 and not empty:
                raise HttpProblem(400, "There was nothing in it: choose a file, or paste the end of the log into the field.")
            return self.jobs.submit(upload.path, upload.name, keep=keep)
        except Busy:
            upload.path.unlink(missing_ok=True)
            raise HttpProblem(503, "Too many logs wait to be read; try again in a moment.", retry_after=RETRY_SECONDS) from None
        except BaseException:
            upload.path.unlink(missing_ok=True)
            raise

    def job(self, identifier: str) -> Job | None:
        """The job of a report, unless it is long over."""
        return self.jobs.get(identifier)

    def kept(self, identifier: str) -> Kept:
        """A report. Raises `HttpProblem` 404."""
        try:
            return self.store.get(identifier)
        except KeyError:
            raise self.gone() from None

    def gone(self) -> HttpProblem:
        """Why a report is not there."""
        kept = (
            "reports are kept for a limited time"
            if self.settings.history
            else "reports are dropped after half an hour without a look"
        )
        return HttpProblem(404, f"There is no such report, or no longer: {kept}. Send the log again.")

    def progress(self, kept: Kept) -> Progress:
        """How much of the report's log the viewer can show."""
        document: dict[str, Any] = json.loads(kept.document)
        if kept.lines is not None:
            return Progress(kept.lines, kept.lines, True)
        job = self.jobs.get(kept.id)
        complete = kept.id not in self.jobs.busy()
        return Progress(int(document["log"]["lines"]), job.ready if job else 0, complete)


def core_of(request: Request) -> Core:
    """The core of the application that a request came to."""
    core: Core = request.app.state.core
    return core


def problem_of(error: InputError) -> HttpProblem:
    """Why a log could not be read, as an answer."""
    return HttpProblem(413 if isinstance(error, TooLarge) else 422, str(error))
