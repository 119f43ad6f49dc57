"""Where the data lies (repository or wheel), where users keep their own, and where caches may go: `places` as paths."""

from __future__ import annotations

from pathlib import Path

from logkb import places

PACKAGE = Path(places.PACKAGE)
OVERLAY_NAME = places.OVERLAY_NAME


def data_root() -> Path:
    """The folder with `patterns/` and `docs/causes/`: the repository of an editable install, else the wheel's own copy."""
    return Path(places.data_root())


def model_file() -> Path:
    """The shipped classifier's model file."""
    return PACKAGE / "data" / "model.bin"


def overlay_root(start: Path | None = None) -> Path | None:
    """The nearest `.logkb/` in `start` (default: the working directory) or above it, up to the repository's top."""
    found = places.overlay_root(None if start is None else str(start))
    return None if found is None else Path(found)


def cache_dir() -> Path:
    """The user's cache folder for compiled knowledge: `LOGKB_CACHE_DIR`, or the platform's usual place. Not created."""
    return Path(places.cache_dir())
