"""One comment on a pull request: find the failed jobs, analyse their logs together, and keep exactly one comment up to date."""

from __future__ import annotations

import contextvars
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from logkb.analysis import Analyzer
from logkb.comments import MARKER, JobReport, Summary, failed_body, folded_body, state_of, summarise
from logkb.errors import InputError, TransientError
from logkb.forge import BotSettings, Forge, Found, GitHubApp, Job, Jobs, LogGone, NotThere, Posted, PullRequest, Target
from logkb.knowledge import load_knowledge
from logkb.waiting import Clock, RealClock

__all__ = ["BotSettings", "CommentResult", "GitHubApp", "Target", "comment", "find_pull_request"]


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CommentResult:
    """What was done, and why. `body` is the comment's Markdown, also of a dry run; `url` leads to the comment."""

    action: Literal["created", "updated", "folded", "unchanged", "skipped"]
    reason: str
    url: str | None = None
    body: str | None = None


def comment(
    target: Target,
    settings: BotSettings,
    *,
    analyzer: Analyzer | None = None,
    logs: Sequence[Path] = (),
    clock: Clock | None = None,
) -> CommentResult:
    """Bring the one comment of a pull request up to date.

    With `logs` these files are analysed instead of the logs of the failed jobs. Calling it again for the same state sends
    no second comment. Raises `TransientError` for what may work later (a rate limit, a server error, a broken connection),
    `ForgeError` for what will not (a missing permission), `UsageError` for a target or settings that cannot work, and
    `InputError` for a log file that cannot be read.
    """

    def work(forge: Forge, clock: Clock) -> CommentResult:
        return _Session(forge, target, settings, analyzer, clock).run(logs)

    return with_forge(target, settings, clock, work)


def find_pull_request(target: Target, settings: BotSettings, *, clock: Clock | None = None) -> PullRequest | None:
    """The pull request that a target leads to, or None. Raises as `comment` does."""
    return with_forge(target, settings, clock, lambda forge, _: forge.find(target).pull_request)


def with_forge(target: Target, settings: BotSettings, clock: Clock | None, work: Callable[[Forge, Clock], T]) -> T:
    """What `work` gives, with an open connection to the target's forge."""
    time = clock or RealClock()

    def run() -> T:
        if target.forge == "github":
            from logkb.github import GitHubForge

            with GitHubForge(target.repository, settings, time) as github:
                return work(github, time)
        from logkb.gitlab import GitLabForge

        with GitLabForge(target.repository, settings, time) as gitlab:
            return work(gitlab, time)

    # githubkit keeps its connection in context variables, which a context never lets go of; this one ends with the call.
    return contextvars.copy_context().run(run)


class _Session:
    """One call of `comment`."""

    def __init__(self, forge: Forge, target: Target, settings: BotSettings, analyzer: Analyzer | None, clock: Clock) -> None:
        self._forge, self._target, self._settings, self._clock = forge, target, settings, clock
        self._analyzer = analyzer

    def run(self, logs: Sequence[Path]) -> CommentResult:
        found = self._forge.find(self._target)
        if refusal := self._refusal(found):
            return CommentResult("skipped", refusal)
        pull = found.pull_request
        assert pull is not None
        if logs:
            return self._post_summary(pull, self._read_files(logs))
        jobs = self._forge.jobs(found, self._target)
        if not jobs.failed:
            return self._without_failure(pull, jobs)
        summary = self._read_jobs(jobs)
        result = self._post_summary(pull, summary)
        if result.action == "skipped" and summary.unread and len(summary.unread) == len(jobs.failed):
            return CommentResult("skipped", f"no log could be read: {summary.unread[0][1]}")
        return result

    def _refusal(self, found: Found) -> str:
        pull = found.pull_request
        if pull is None:
            return "no pull request belongs to this"
        if not pull.open:
            return f"pull request {pull.number} is closed"
        if self._settings.silence_label in pull.labels:
            return f"pull request {pull.number} has the label {self._settings.silence_label}"
        if found.outdated:
            return f"pull request {pull.number} has a newer commit"
        return ""

    def _read_files(self, logs: Sequence[Path]) -> Summary:
        reports = []
        for path in logs:
            piped = str(path) == "-"
            name = "standard input" if piped else path.name
            reports.append(JobReport(Job(name, "", name), self._analyse(sys.stdin.buffer if piped else path, name)))
        return summarise(reports, self._settings.threshold)

    def _read_jobs(self, jobs: Jobs) -> Summary:
        reports: list[JobReport] = []
        unread: list[tuple[Job, str]] = []
        limit = self._settings.max_jobs
        for job in jobs.failed[:limit]:
            with tempfile.TemporaryFile() as file:
                try:
                    shortened = self._forge.fetch_log(job, file, self._settings.max_log_bytes)
                    reports.append(JobReport(job, self._analyse(file, job.name), shortened))
                except LogGone:
                    unread.append((job, "the log has expired or was deleted"))
                except InputError:
                    unread.append((job, "the log is no text that can be read"))
        unseen = max(0, len(jobs.failed) - limit)
        return summarise(reports, self._settings.threshold, unread=unread, unseen=unseen, pending=jobs.pending)

    def _analyse(self, log: Any, name: str) -> Any:
        if self._analyzer is None:
            self._analyzer = Analyzer(load_knowledge(self._settings.overlays))
        return self._analyzer.analyze(log, name=name)

    def _post_summary(self, pull: PullRequest, summary: Summary) -> CommentResult:
        if summary.causes:
            body = failed_body(summary, pull.head, self._settings.silence_label, article_url=self._settings.article_url)
            count = len(summary.causes)
            reason = f"{count} root cause{'' if count == 1 else 's'}"
            return self._publish(pull, body, reason, recreate=self._settings.recreate)
        reason = f"no cause reaches the threshold of {self._settings.threshold:.0%}"
        if summary.unread:
            return CommentResult("skipped", reason)  # what was said before may still hold
        return self._fold(pull, reason, fixed=False)

    def _without_failure(self, pull: PullRequest, jobs: Jobs) -> CommentResult:
        if jobs.pending:
            return CommentResult("skipped", f"no job has failed so far; {jobs.pending} have not finished")
        if jobs.unclear:
            return CommentResult("skipped", "a run ended without success and without a failed job")
        return self._fold(pull, "no job fails", fixed=True)

    def _fold(self, pull: PullRequest, reason: str, *, fixed: bool) -> CommentResult:
        """Shorten our comment, if there is one; write none."""
        ours = self._ours(pull)
        if not ours:
            return CommentResult("skipped", reason)
        state = state_of(ours[0].body)
        if state == "fixed" or (state == "unknown" and not fixed):
            if not self._settings.dry_run:
                self._forget(pull, ours[1:])
            return CommentResult("unchanged", reason, ours[0].url, ours[0].body)
        body = folded_body(ours[0].body, pull.head, self._settings.silence_label, fixed=fixed)
        result = self._publish(pull, body, reason, recreate=False)
        return replace(result, action="folded") if result.action == "updated" else result

    def _ours(self, pull: PullRequest) -> list[Posted]:
        return sorted(self._forge.comments(pull, MARKER), key=lambda posted: posted.id)

    def _publish(self, pull: PullRequest, body: str, reason: str, *, recreate: bool) -> CommentResult:
        """Make `body` the one comment. After a lost answer it looks again before it writes again."""
        return self._forge.patience.run(lambda: self._publish_once(pull, body, reason, recreate=recreate))

    def _publish_once(self, pull: PullRequest, body: str, reason: str, *, recreate: bool) -> CommentResult:
        ours = self._ours(pull)
        current = (ours[-1] if recreate else ours[0]) if ours else None
        action = _action(current, body, recreate=recreate)
        if self._settings.dry_run:
            url = current.url if current else None
            return CommentResult("skipped", f"dry run; the comment would be {action}: {reason}", url, body)
        if current is not None and action == "unchanged":
            kept = current
        elif current is not None and action == "updated":
            kept = self._update(pull, current, body)
        else:
            kept = self._forge.create(pull, body)
            self._forget(pull, ours)
            # Another worker may have done the same at this very moment: the older comment stays.
            gone = {posted.id for posted in ours}
            ours = [posted for posted in self._ours(pull) if posted.id not in gone]
            if ours and ours[0].id < kept.id:
                kept = ours[0] if _same(ours[0], body) else self._update(pull, ours[0], body)
        self._forget(pull, [posted for posted in ours if posted.id != kept.id])
        return CommentResult(action, reason, kept.url, body)

    def _update(self, pull: PullRequest, posted: Posted, body: str) -> Posted:
        try:
            return self._forge.update(pull, posted, body)
        except NotThere as error:
            # Somebody deleted it a moment ago: look again.
            raise TransientError(str(error), 0.0) from None

    def _forget(self, pull: PullRequest, posted: Sequence[Posted]) -> None:
        for item in posted:
            self._forge.delete(pull, item)


def _same(posted: Posted, body: str) -> bool:
    return posted.body.rstrip() == body.rstrip()


def _action(current: Posted | None, body: str, *, recreate: bool) -> Literal["created", "updated", "unchanged"]:
    if current is None:
        return "created"
    if _same(current, body):
        return "unchanged"
    return "created" if recreate else "updated"
