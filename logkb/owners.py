"""Which process holds something: a lock that ends with the process, however that ends, instead of a time that runs out."""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path

from filelock import FileLock, Timeout


class Owner:
    """A name for this process that others can tell to be alive: its lock file stays locked until the process ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.name = uuid.uuid4().hex
        self._lock = FileLock(folder / f"{self.name}.lock", timeout=0)
        self._lock.acquire()

    def release(self) -> None:
        """Say that this process holds nothing any more."""
        self._lock.release()
        with contextlib.suppress(OSError):
            Path(self._lock.lock_file).unlink(missing_ok=True)


def is_alive(folder: Path, name: str) -> bool:
    """Whether the process with this owner's name still runs; the lock file of a dead one is removed."""
    path = folder / f"{name}.lock"
    if not path.exists():
        return False
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    lock.release()
    path.unlink(missing_ok=True)
    return False


def forget_dead(folder: Path) -> None:
    """Remove the lock files of processes that have ended. Whoever makes an `Owner` must not do so meanwhile."""
    for lock in list(folder.glob("*.lock")):
        is_alive(folder, lock.stem)
