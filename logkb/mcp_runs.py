"""The address of a run or a job on the configured GitHub or GitLab -> the logs of its failed jobs.

An address is only read, never requested: requests go to the API that the settings name, so that nobody can make this server
ask another machine.
"""

from __future__ import annotations

import re
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from logkb.bot import with_forge
from logkb.bounded import Stopped
from logkb.errors import ForgeError, UsageError
from logkb.forge import GITHUB_API, GITLAB_API, BotSettings, Forge, ForgeName, Job, LogGone, Target
from logkb.report import safe
from logkb.waiting import Clock

# Names as both forges allow them; none of dots alone, which a path would understand.
NAME = r"(?!\.+(?:/|$))[A-Za-z0-9_.-]{1,255}"
GITHUB_RUN = re.compile(rf"/({NAME}/{NAME})/actions/runs/(\d{{1,18}})(?:/attempts/\d{{1,6}})?(?:/jobs?/(\d{{1,18}}))?/?")
GITLAB_RUN = re.compile(rf"/({NAME}(?:/{NAME}){{1,20}})/-/(pipelines|jobs)/(\d{{1,18}})/?(?:raw)?")
HINT = "https://github.com/owner/name/actions/runs/123 (or …/job/456), or https://gitlab.com/group/name/-/jobs/456"


@dataclass(frozen=True, slots=True)
class Run:
    """What an address names: a run (a pipeline) or a job of it."""

    forge: ForgeName
    repository: str
    run: int | None
    job: int | None


@dataclass(frozen=True, slots=True)
class FetchedLog:
    """The log of a failed job, in a file without a name; `shortened`: its middle was left out."""

    name: str
    file: BinaryIO
    shortened: bool


@dataclass(frozen=True, slots=True)
class Fetched:
    """The logs that could be read, and in sentences what is missing."""

    logs: tuple[FetchedLog, ...]
    notes: tuple[str, ...]


def parse_run(url: str, github: BotSettings, gitlab: BotSettings) -> Run:
    """What the address names. Raises `UsageError` for any that is not of a run or job on one of the two configured servers."""
    shown = safe(url)[:200]
    try:
        parts = urlsplit(url.strip())
        place = (parts.scheme.lower(), parts.netloc.lower())
    except ValueError:
        raise UsageError(f"'{shown}' is no address; give one like {HINT}") from None
    hub, lab = _web(github.api or GITHUB_API), _web(gitlab.api or GITLAB_API)
    if place == hub[0] and (found := GITHUB_RUN.fullmatch(parts.path.removeprefix(hub[1]))):
        return Run("github", found[1], int(found[2]), int(found[3]) if found[3] else None)
    if place == lab[0] and parts.path.startswith(lab[1]) and (found := GITLAB_RUN.fullmatch(parts.path.removeprefix(lab[1]))):
        number = int(found[3])
        return Run("gitlab", found[1], number if found[2] == "pipelines" else None, number if found[2] == "jobs" else None)
    if place not in (hub[0], lab[0]):
        raise UsageError(
            f"'{shown}' is not on {hub[0][1]} or {lab[0][1]}, the configured servers; get the log there and pass its path or text,"
            " or start the server with GITHUB_API_URL or CI_API_V4_URL"
        )
    raise UsageError(f"'{shown}' names no run or job; give an address like {HINT}")


def fetch_logs(
    run: Run, github: BotSettings, gitlab: BotSettings, *, max_jobs: int, stopping: threading.Event, seen: Callable[[int], None]
) -> Fetched:
    """The logs of the failed jobs. Raises `ForgeError` and `UsageError` as the bot does, and `Stopped`. `seen` hears the bytes."""
    settings = github if run.forge == "github" else gitlab
    if not settings.token and settings.app is None:
        name, needs = ("GITHUB_TOKEN", "actions: read") if run.forge == "github" else ("GITLAB_TOKEN", "the scope read_api")
        raise UsageError(f"this server has no token for {run.forge}; start it with {name} set ({needs}), or pass the log itself")
    # Answers from here are waited for by somebody; the bot has more time.
    settings = replace(settings, wait=min(settings.wait, 20.0))
    target = Target(run.forge, run.repository, run=run.run)

    def work(forge: Forge, _: Clock) -> Fetched:
        return _fetch(forge, run, settings, max_jobs, stopping, seen)

    return with_forge(target, settings, _StoppingClock(stopping), work)


def _fetch(
    forge: Forge, run: Run, settings: BotSettings, max_jobs: int, stopping: threading.Event, seen: Callable[[int], None]
) -> Fetched:
    notes = []
    if run.job is not None:
        jobs: tuple[Job, ...] = (forge.job(run.job),)
    else:
        assert run.run is not None
        found = forge.jobs_of(run.run)
        jobs = found.failed
        if found.pending:
            notes.append(f"{found.pending} jobs have not finished.")
        if not jobs:
            raise UsageError(f"run {run.run} has no failed job" + (f"; {found.pending} have not finished" if found.pending else ""))
        if len(jobs) > max_jobs:
            notes.append(f"{len(jobs) - max_jobs} further failed jobs were not read; give the address of one of them.")
    logs: list[FetchedLog] = []
    unread: list[str] = []
    for job in jobs[:max_jobs]:
        file = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            shortened = forge.fetch_log(job, cast(BinaryIO, _StoppingFile(file, stopping, seen)), settings.max_log_bytes)
            logs.append(FetchedLog(job.name, cast(BinaryIO, file), shortened))
        except LogGone as error:
            file.close()
            unread.append(str(error))
        except BaseException:
            file.close()
            for log in logs:
                log.file.close()
            raise
    if not logs:
        raise ForgeError(f"no log could be read: {unread[0]}; run the job again")
    # The names of jobs are the contributor's words, so that only their number is told here.
    notes += [f"The logs of {len(unread)} failed jobs are gone (expired or deleted)."] if unread else []
    return Fetched(tuple(logs), tuple(notes))


def _web(api: str) -> tuple[tuple[str, str], str]:
    """((scheme, host and port), path) that pages begin with, for the root of a REST API."""
    if api.rstrip("/") == GITHUB_API:
        return ("https", "github.com"), ""
    parts = urlsplit(api.rstrip("/"))
    return (parts.scheme.lower(), parts.netloc.lower()), parts.path.removesuffix("/api/v3").removesuffix("/api/v4")


class _StoppingClock:
    """The machine's clock, without waiting on when nobody waits for the answer."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Stopped


class _StoppingFile:
    """A file whose writing ends when nobody waits for it any more."""

    def __init__(self, file: Any, stopping: threading.Event, seen: Callable[[int], None]) -> None:
        self._file, self._stopping, self._seen = file, stopping, seen
        self._written = 0

    def write(self, data: bytes) -> int:
        if self._stopping.is_set():
            raise Stopped
        self._written += len(data)
        self._seen(self._written)
        return int(self._file.write(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
