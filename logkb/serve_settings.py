"""What `logkb serve` was asked for. Every part of the server reads it here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEGABYTE = 1024**2
# Without a history a report is dropped when nobody has looked at it for this long.
TEMPORARY = 30 * 60
# A search may hold 10,000 characters of a log, of which an address can need twelve bytes each.
MAX_QUERY = 10_000
MAX_HEAD = 16 * 1024 + 12 * MAX_QUERY
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """How to serve. Sizes are bytes, times are seconds.

    `limit_bytes` holds for one upload as it arrives, before it is unpacked, and `expanded_bytes` for the text that comes out of
    it. `history` is the folder that keeps reports and masked logs; without one they live in a temporary folder for
    `keep_seconds` at most, and together take `temporary_bytes` and little more. `allowed_hosts` are names, beside the loopback
    ones, that a request may call this server by. `webhooks` is None or whatever the webhook module wants to know.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    limit_bytes: int = 100 * MEGABYTE
    expanded_bytes: int = 1000 * MEGABYTE
    history: Path | None = None
    keep_seconds: int = TEMPORARY
    keep_reports: int = 1000
    temporary_bytes: int = 10_000 * MEGABYTE
    overlays: tuple[Path, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    workers: int = 2
    queue: int = 8
    uploads: int = 8
    idle_seconds: float = 20.0
    upload_seconds: float = 15 * 60.0
    webhooks: Any = None
    webhooks_only: bool = False
