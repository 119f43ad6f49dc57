"""What `logkb mcp` was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from logkb.bounded import MEGABYTE
from logkb.forge import BotSettings

# A model's answer window is small; the limits hold for what it may ask for, whatever it asks.
MIN_TOKENS, DEFAULT_TOKENS, MAX_TOKENS = 600, 2000, 20_000
DEFAULT_COUNT, MAX_COUNT = 40, 500


@dataclass(frozen=True, slots=True)
class McpSettings:
    """What the tools may do. Sizes are bytes.

    Paths are read below `roots` only; a relative one starts in the first. `github` and `gitlab` say where the logs of runs come
    from, and with which credentials. `kept` analyses can be asked for lines, `workers` logs are analysed at once, and `queue`
    further calls may wait.
    """

    roots: tuple[Path, ...] = ()
    overlays: tuple[Path, ...] = ()
    github: BotSettings = field(default_factory=BotSettings)
    gitlab: BotSettings = field(default_factory=BotSettings)
    workers: int = 2
    queue: int = 32
    kept: int = 32
    text_bytes: int = 4 * MEGABYTE
    log_bytes: int = 4096 * MEGABYTE
    max_jobs: int = 10


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where to listen. `token` None: whoever reaches the port may ask; `allowed_hosts` are further names of this server."""

    host: str = "127.0.0.1"
    port: int = 8766
    token: str | None = field(default=None, repr=False)
    allowed_hosts: tuple[str, ...] = ()
    body_bytes: int = 8 * MEGABYTE
    sessions: int = 100
    idle_seconds: float = 1800.0
