"""Where things lie, as plain strings: for doors that start so often that `pathlib` would be a fifth of their time.

`paths` says the same as `Path` objects; everything else uses that.
"""

from __future__ import annotations

import os
import sys

PACKAGE = os.path.dirname(os.path.realpath(__file__))  # noqa: PTH120
OVERLAY_NAME = ".logkb"


def data_root() -> str:
    """The folder with `patterns/` and `docs/causes/`: the repository of an editable install, else the wheel's own copy."""
    repository = os.path.dirname(PACKAGE)  # noqa: PTH120
    if os.path.isdir(f"{repository}/patterns") and os.path.isdir(f"{repository}/docs/causes"):  # noqa: PTH112
        return repository
    return os.path.join(PACKAGE, "data")  # noqa: PTH118


def overlay_root(start: str | None = None) -> str | None:
    """The nearest `.logkb/` in `start` (default: the working directory) or above it, up to the repository's top."""
    folder = os.path.realpath(start or os.getcwd())  # noqa: PTH109
    while True:
        overlay = os.path.join(folder, OVERLAY_NAME)  # noqa: PTH118
        if os.path.isdir(overlay):  # noqa: PTH112
            return overlay
        above = os.path.dirname(folder)  # noqa: PTH120
        if above == folder or os.path.exists(os.path.join(folder, ".git")):  # noqa: PTH110, PTH118
            return None
        folder = above


def overlays(folder: str | os.PathLike[str] | None) -> tuple[str, ...]:
    """The user's folders of rules and articles: the nearest `.logkb/`, then the one asked for. Raises `UsageError`."""
    if folder is not None and not os.path.isdir(folder):  # noqa: PTH112
        from logkb.errors import UsageError

        raise UsageError(f"{folder}: no such folder; name a folder with patterns/ and causes/ in it")
    return tuple(os.fspath(one) for one in (overlay_root(), folder) if one is not None)


def cache_dir() -> str:
    """The user's cache folder: `LOGKB_CACHE_DIR`, or the platform's usual place. Not created."""
    chosen = os.environ.get("LOGKB_CACHE_DIR")
    if chosen:
        return chosen
    home = os.path.expanduser("~")  # noqa: PTH111
    if sys.platform == "win32":
        return os.path.join(os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local"), "logkb", "cache")  # noqa: PTH118
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Caches", "logkb")  # noqa: PTH118
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "logkb")  # noqa: PTH118


def rule_files(root: str) -> list[str]:
    """The rule files below a root, sorted; `data` folders hold lists, not rules."""
    found: list[str] = []
    waiting = [os.path.join(root, "patterns")]  # noqa: PTH118
    while waiting:
        for entry in _entries(waiting.pop()):
            if entry.is_dir(follow_symlinks=False) and entry.name != "data":
                waiting.append(entry.path)
            elif entry.name.endswith(".toml"):
                found.append(entry.path)
    return sorted(found)


def article_files(root: str) -> list[str]:
    """The articles below a root, sorted: `docs/causes/*.md`, or `causes/*.md` in an overlay."""
    folders = (os.path.join(root, "docs", "causes"), os.path.join(root, "causes"))  # noqa: PTH118
    return sorted(entry.path for folder in folders for entry in _entries(folder) if entry.name.endswith(".md"))


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
