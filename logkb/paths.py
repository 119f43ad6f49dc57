"""Where the data lies (repository or wheel), where users keep their own, and where caches may go."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
OVERLAY_NAME = ".logkb"


def data_root() -> Path:
    """The folder with `patterns/` and `docs/causes/`: the repository of an editable install, else the wheel's own copy."""
    repository = PACKAGE.parent
    if (repository / "patterns").is_dir() and (repository / "docs" / "causes").is_dir():
        return repository
    return PACKAGE / "data"


def model_file() -> Path:
    """The shipped classifier's model file."""
    return PACKAGE / "data" / "model.bin"


def overlay_root(start: Path | None = None) -> Path | None:
    """The nearest `.logkb/` in `start` (default: the working directory) or above it, up to the repository's top."""
    folder = (start or Path.cwd()).resolve()
    for candidate in (folder, *folder.parents):
        overlay = candidate / OVERLAY_NAME
        if overlay.is_dir():
            return overlay
        if (candidate / ".git").exists():
            return None
    return None


def cache_dir() -> Path:
    """The user's cache folder for compiled knowledge: `LOGKB_CACHE_DIR`, or the platform's usual place. Not created."""
    chosen = os.environ.get("LOGKB_CACHE_DIR")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "logkb" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "logkb"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "logkb"
