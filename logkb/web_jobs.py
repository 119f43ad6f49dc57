"""Uploads -> reports, beside the event loop: a few threads, a queue with an end, and a way to stop.

Analysing takes a second for 100 MB; masking a whole log takes much longer. So the report comes first, and the viewer's log
is written behind it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from logkb.analysis import Analyzer
from logkb.bounded import Bounded, Stopped
from logkb.errors import InputError
from logkb.knowledge import Knowledge
from logkb.masking import mask, mask_report
from logkb.records import Report
from logkb.redact import Redactor
from logkb.serve_settings import MEGABYTE, ServeSettings
from logkb.web_log import write_log
from logkb.web_problems import place
from logkb.web_store import Store

State = Literal["waiting", "reading", "done", "failed"]
REMEMBERED = 1000
# Bytes of text that are masked by the thread that has read them: well under a second.
SMALL = 2 * MEGABYTE
# A log of 1,000 MB takes some ten minutes; one that is made of secrets takes longer, and the others wait behind it.
MASK_SECONDS = 900.0
LOGGER = logging.getLogger("logkb.serve")


class Busy(Exception):
    """The queue is full."""


@dataclass(slots=True)
class Job:
    """One upload on its way. `read` and `size` are bytes of the upload; `ready` is how many lines the viewer can show."""

    id: str
    name: str
    size: int
    state: State = "waiting"
    read: int = 0
    ready: int = 0
    error: InputError | None = None
    created: float = field(default_factory=time.time)


class Jobs:
    """The threads, and what they work on."""

    def __init__(self, settings: ServeSettings, store: Store, knowledge: Knowledge) -> None:
        self.settings, self.store, self.knowledge = settings, store, knowledge
        self._jobs: dict[str, Job] = {}
        self._working: set[str] = set()
        self._masking: set[str] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._own = threading.local()
        self._readers = ThreadPoolExecutor(settings.workers, "logkb-read")
        self._maskers = ThreadPoolExecutor(1, "logkb-mask")

    def submit(self, upload: Path, name: str, *, keep: bool) -> tuple[Job, Future[Report]]:
        """Analyse an upload; the file belongs to the job from now on. The future gives the masked report.

        Raises `Busy` when the queue is full; the file is then still the caller's.
        """
        with self._lock:
            if len(self._working) - len(self._masking) >= self.settings.workers + self.settings.queue:
                raise Busy
            job = Job(self.store.new_id(), name, upload.stat().st_size)
            self._jobs[job.id] = job
            self._working.add(job.id)
            while len(self._jobs) > REMEMBERED:
                del self._jobs[next(iter(self._jobs))]
        return job, self._readers.submit(self._read, job, upload, keep)

    def get(self, identifier: str) -> Job | None:
        """The job of this id, unless it is long over."""
        return self._jobs.get(identifier)

    def busy(self) -> frozenset[str]:
        """The ids that are being worked on, the masking of their logs included."""
        with self._lock:
            return frozenset(self._working)

    def stop(self) -> None:
        """Give up what is under way, and wait for the threads."""
        self._stopping.set()
        self._readers.shutdown(cancel_futures=True)
        self._maskers.shutdown(cancel_futures=True)

    def _source(self, job: Job, upload: Path, seen: Callable[[int], None]) -> Bounded:
        return Bounded(
            job.name, lambda: upload.open("rb"), size=job.size, limit=self.settings.expanded_bytes, stopping=self._stopping,
            seen=seen,
        )  # fmt: skip

    def _read(self, job: Job, upload: Path, keep: bool) -> Report:
        handed_on = False
        try:
            job.state = "reading"
            # One for the report and the log, so that a secret has the same placeholder in both.
            redactor = Redactor()
            source = self._source(job, upload, lambda read: setattr(job, "read", read))
            report = mask_report(self._analyzer().analyze(source), redactor)
            if keep:
                self.store.add(job.id, report)
                # A small log shall not wait behind a large one.
                if report.log.bytes <= SMALL:
                    job.state = "done"
                    self._write(job, upload, redactor)
                    handed_on = True
                elif self._room_to_mask(job):
                    self._maskers.submit(self._write, job, upload, redactor)
                    handed_on = True
            job.state = "done"
            return report
        except InputError as error:
            job.error, job.state = type(error)(mask(str(error))), "failed"
            raise job.error from None
        except BaseException:
            job.state = "failed"
            raise
        finally:
            if not handed_on:
                self._done(job, upload)

    def _room_to_mask(self, job: Job) -> bool:
        """Whether the viewer's log can be written, too: while too many wait for that, a report comes without."""
        with self._lock:
            room = len(self._masking) < self.settings.queue
            if room:
                self._masking.add(job.id)
            return room

    def _write(self, job: Job, upload: Path, redactor: Redactor) -> None:
        try:
            source = self._source(job, upload, lambda read: None)
            folder = self.store.path(job.id)
            lines, sections = write_log(source, folder, redactor, lambda ready: setattr(job, "ready", ready), seconds=MASK_SECONDS)
            self.store.add_log(job.id, lines, sections)
        except Stopped:
            self.store.drop_log(job.id)
        except Exception as error:
            self.store.drop_log(job.id)
            LOGGER.error("masking failed", extra={"fields": {"error": type(error).__name__, "at": place(error)}})
        finally:
            self._done(job, upload)

    def _done(self, job: Job, upload: Path) -> None:
        upload.unlink(missing_ok=True)
        with self._lock:
            self._working.discard(job.id)
            self._masking.discard(job.id)

    def _analyzer(self) -> Analyzer:
        """One for each thread: an engine's scratch space serves one scan at a time."""
        found: Analyzer | None = getattr(self._own, "analyzer", None)
        if found is None:
            found = self._own.analyzer = Analyzer(self.knowledge)
        return found
