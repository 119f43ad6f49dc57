"""Between the workers and the bot: which settings a forge's comments are made with, and one analyser for each worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from logkb.analysis import Analyzer, Input
from logkb.bot import comment, find_pull_request
from logkb.errors import UsageError
from logkb.forge import BotSettings, ForgeName, Target
from logkb.knowledge import Knowledge, load_knowledge
from logkb.records import Report

CLIENTS: dict[ForgeName, str] = {"github": "githubkit", "gitlab": "gitlab"}
# Seconds that one task waits for a busy forge itself; a longer pause is the store's, so that it holds no worker.
SHORT_WAIT = 2.0


class Bot:
    """Comments through `logkb.bot`. `settings` are those of each forge that has any; `analysed` gets each analysis's seconds."""

    def __init__(
        self, settings: Mapping[ForgeName, BotSettings], overlays: tuple[Path, ...], analysed: Callable[[float], None]
    ) -> None:
        self._settings = {forge: replace(item, wait=SHORT_WAIT) for forge, item in settings.items()}
        self._overlays, self._analysed = overlays, analysed
        self._knowledge: Knowledge | None = None
        self._lock = threading.Lock()
        self._own = threading.local()

    def prepare(self) -> None:
        """Load the knowledge, compile the rules where that has not been done, and import the forges' clients."""
        self._analyzer()
        for forge in self._settings:
            import_module(CLIENTS[forge])

    def pull_request(self, target: Target) -> int | None:
        """The pull request that a run or commit belongs to, or None."""
        found = find_pull_request(target, self._of(target))
        return found.number if found is not None else None

    def comment(self, target: Target) -> str:
        """Bring the comment up to date."""
        return comment(target, self._of(target), analyzer=self._analyzer()).action

    def _of(self, target: Target) -> BotSettings:
        try:
            return self._settings[target.forge]
        except KeyError:
            raise UsageError(
                f"no token for {target.forge}; set one in the server's environment and send the delivery again"
            ) from None

    def _analyzer(self) -> Analyzer:
        """One for each worker, because an engine's scratch space serves one scan at a time."""
        found: Analyzer | None = getattr(self._own, "analyzer", None)
        if found is None:
            with self._lock:
                self._knowledge = self._knowledge or load_knowledge(self._overlays)
                found = self._own.analyzer = _Timed(self._knowledge, self._analysed)
        return found


class _Timed(Analyzer):
    """An analyser that tells how long each log took, in seconds."""

    def __init__(self, knowledge: Knowledge, tell: Callable[[float], None]) -> None:
        super().__init__(knowledge)
        self._tell = tell

    def analyze(
        self, log: Input, *, name: str | None = None, progress: Callable[[int], None] | None = None, why: bool = False
    ) -> Report:
        """See `Analyzer.analyze`."""
        started = time.monotonic()
        try:
            return super().analyze(log, name=name, progress=progress, why=why)
        finally:
            self._tell(time.monotonic() - started)
