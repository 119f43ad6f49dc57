"""Bounded workers that take tasks from the store and bring comments up to date: at least once, never two for one pull request.

A task names a pull request, and working it means: look at the pull request as it is now, and make its one comment say so. Doing
that twice changes nothing, so whatever was interrupted is simply done again.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from logkb.deliveries import Store, Task
from logkb.errors import ForgeError, InputError, StoreError, TransientError, UsageError
from logkb.forge import Target
from logkb.metrics import Metrics
from logkb.webhook_events import dump_target, load_target, subject_of
from logkb.webhook_settings import WebhookSettings

log = logging.getLogger("logkb.worker")
_dice = random.Random()
# Seconds between looks at the store for what another process has put there, for tasks of dead processes, and for old deliveries.
POLL, RECLAIM_EVERY, PRUNE_EVERY = 1.0, 2.0, 600.0
LONGEST_REASON = 400


class Handler(Protocol):
    """What a worker asks of the bot. It may raise `TransientError` (later), or `ForgeError`, `UsageError`, `InputError` (never)."""

    def prepare(self) -> None:
        """Load what takes long, before the first request is answered: compiling the rules lets nothing else run."""
        ...

    def pull_request(self, target: Target) -> int | None:
        """The pull request that a run or commit belongs to, or None."""
        ...

    def comment(self, target: Target) -> str:
        """Bring the pull request's comment up to date; says what was done, in one word."""
        ...


@dataclass(frozen=True, slots=True)
class _Verdict:
    """How a task ends: `close` writes that to the store."""

    close: Callable[[], bool]
    outcome: str
    reason: str = ""


class Workers:
    """`settings.workers` threads over one store. `start` and `stop` are called once each."""

    def __init__(self, store: Store, handler: Handler, settings: WebhookSettings, metrics: Metrics) -> None:
        self._store, self._handler, self._settings, self._metrics = store, handler, settings, metrics
        self._stopping = threading.Event()
        self._news = threading.Condition()
        self._paused: dict[str, float] = {}
        self._threads = [threading.Thread(target=self._run, name=f"worker-{n}", daemon=True) for n in range(settings.workers)]
        self._threads.append(threading.Thread(target=self._keep_house, name="housekeeping", daemon=True))

    def start(self) -> None:
        """Free what dead processes held, and begin."""
        self._reclaim()
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There may be something to do."""
        with self._news:
            self._news.notify_all()

    def stop(self, seconds: float) -> bool:
        """Take no new task, and wait so long for those in progress; True when all have ended.

        A task that is still in progress then stays held until this process ends, so that no other begins it meanwhile.
        """
        self._stopping.set()
        with self._news:
            self._news.notify_all()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def alive(self) -> int:
        """How many of the workers run."""
        return sum(thread.is_alive() for thread in self._threads[:-1])

    def _run(self) -> None:
        trouble = 0
        while not self._stopping.is_set():
            try:
                task = self._store.claim(without=self._resting())
                trouble = 0
            except StoreError as error:
                trouble += 1
                log.error("no task can be taken", extra={"fields": {"reason": str(error)}})
                self._stopping.wait(min(30.0, 0.5 * 2**trouble))
                continue
            if task is not None:
                self._work(task)
            else:
                self._rest()

    def _rest(self) -> None:
        try:
            due = self._store.next_due()
        except StoreError:
            due = None
        with self._news:
            if not self._stopping.is_set():
                self._news.wait(POLL if due is None else min(POLL, max(0.02, due)))

    def _resting(self) -> tuple[str, ...]:
        now = time.monotonic()
        return tuple(forge for forge, until in list(self._paused.items()) if until > now)

    def _work(self, task: Task) -> None:
        started = time.monotonic()
        try:
            verdict = self._try(task)
        except TransientError as error:
            verdict = self._later(task, error)
        except (ForgeError, UsageError, InputError) as error:
            verdict = self._give_up(task, str(error))
        except Exception as error:
            # A mistake of ours: another try may pass, and if not, the task is given up like any other.
            log.exception("a task failed", extra={"fields": {"subject": task.subject}})
            verdict = self._again(task, f"{type(error).__name__} in logkb", "error")
        kept = self._write(verdict.close)
        seconds = time.monotonic() - started
        self._metrics.task_seconds.labels(task.forge).observe(seconds)
        log.log(
            logging.WARNING if verdict.outcome == "dead" else logging.INFO,
            "task",
            extra={
                "fields": {
                    "subject": task.subject,
                    "outcome": verdict.outcome if kept else "taken over",
                    "reason": verdict.reason,
                    "deliveries": task.deliveries,
                    "tries": task.tries,
                    "waited": round(max(0.0, time.time() - task.received), 3),
                    "seconds": round(seconds, 3),
                }
            },
        )

    def _try(self, task: Task) -> _Verdict:
        targets = [load_target(text) for text in reversed(task.targets)]
        target = next((target for target in targets if target.pull_request is not None), None)
        if target is None:
            number = self._look_up(targets)
            if number is None:
                return self._done(task, "no pull request")
            known = replace(targets[0], run=None, commit=None, pull_request=number)
            return _Verdict(lambda: self._store.move(task, subject_of(known), dump_target(known)), "found", subject_of(known))
        # Neither run nor commit: an event says that something changed, and what holds is the pull request as it is now.
        return self._done(task, self._handler.comment(replace(target, run=None, commit=None)))

    def _look_up(self, targets: list[Target]) -> int | None:
        """The pull request of events about one commit. A run knows the fork that it came from, and a commit does not."""
        for target in sorted(targets, key=lambda target: target.run is None):
            number = self._handler.pull_request(target)
            if number is not None:
                return number
        return None

    def _done(self, task: Task, action: str) -> _Verdict:
        self._metrics.comments.labels(task.forge, action).inc()
        return _Verdict(lambda: self._store.finish(task, action), action)

    def _give_up(self, task: Task, reason: str) -> _Verdict:
        self._metrics.dead.labels(task.forge).inc()
        reason = reason[:LONGEST_REASON]
        return _Verdict(lambda: self._store.bury(task, reason), "dead", reason)

    def _later(self, task: Task, error: TransientError) -> _Verdict:
        """A forge that says when to come back is left alone altogether until then: asking on makes the pause longer."""
        if error.retry_after is None:
            return self._again(task, str(error), "trouble")
        if time.time() - task.received > self._settings.longest_age:
            return self._give_up(task, str(error))
        pause = error.retry_after + _dice.uniform(0.0, 1.0) * min(1.0, error.retry_after)
        self._paused[task.forge] = time.monotonic() + pause
        self._metrics.retries.labels(task.forge, "rate limit").inc()
        reason = str(error)[:LONGEST_REASON]
        return _Verdict(lambda: self._store.retry(task, after=pause, reason=reason, counts=False), "put off", reason)

    def _again(self, task: Task, reason: str, kind: str) -> _Verdict:
        if task.tries + 1 >= self._settings.tries or time.time() - task.received > self._settings.longest_age:
            return self._give_up(task, reason)
        self._metrics.retries.labels(task.forge, kind).inc()
        reason = reason[:LONGEST_REASON]
        after = self._pause(task.tries)
        return _Verdict(lambda: self._store.retry(task, after=after, reason=reason), "put off", reason)

    def _pause(self, times: int) -> float:
        """Seconds to wait after try number `times` (from 0): exponential, and somewhere in its upper half so that tasks spread."""
        longest = min(self._settings.longest_pause, self._settings.first_pause * 2.0 ** min(times, 30))
        return longest * _dice.uniform(0.5, 1.0)

    def _write(self, close: Callable[[], bool]) -> bool:
        """Write how a task ended; while the disk is full the task stays held, and is written later or worked again."""
        pause = 0.1
        while True:
            try:
                return close()
            except StoreError as error:
                log.error("a task's end cannot be written", extra={"fields": {"reason": str(error)}})
                if self._stopping.wait(pause):
                    return False
                pause = min(10.0, pause * 2)

    def _keep_house(self) -> None:
        pruned = -PRUNE_EVERY
        while not self._stopping.wait(RECLAIM_EVERY):
            self._reclaim()
            if time.monotonic() - pruned >= PRUNE_EVERY:
                pruned = time.monotonic()
                try:
                    self._store.prune(self._settings.keep_days * 86400)
                except StoreError as error:
                    log.error("old deliveries cannot be removed", extra={"fields": {"reason": str(error)}})

    def _reclaim(self) -> None:
        try:
            freed = self._store.reclaim(lambda times: self._pause(times) if times > 1 else 0.0)
        except StoreError as error:
            log.error("tasks of ended processes cannot be freed", extra={"fields": {"reason": str(error)}})
            return
        if freed:
            log.info("tasks of an ended process were freed", extra={"fields": {"tasks": freed}})
            self.wake()
