"""A path that a model names -> an open file below an allowed folder, and nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from logkb.errors import InputError
from logkb.report import safe

# Nothing here may wait for a writer, or make a terminal ours.
FLAGS = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))
NO_LINK = getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True, slots=True)
class OpenLog:
    """A regular file, open for reading; `changed` is when it was written last, in nanoseconds."""

    file: BinaryIO
    name: str
    size: int
    changed: int


def open_below(asked: str, roots: Sequence[Path]) -> OpenLog:
    """Open a regular file that lies in one of the (resolved) roots once all links are followed. Raises `InputError`.

    Between the check and the opening a folder may become a link, so each step below the root is opened without following any.
    """
    shown = safe(asked)[:200]
    if not asked.strip() or "\x00" in asked:
        raise InputError("the path is empty or no path; name a log file")
    if not roots:
        raise InputError("this server reads no files; start it with --root and the folder of the logs, or pass the log as text")
    try:
        resolved = (roots[0] / asked).resolve()
    except (OSError, RuntimeError, ValueError):
        raise InputError(f"'{shown}' cannot be followed (a loop of links, or too long a name); name the file itself") from None
    root = next((root for root in roots if resolved.is_relative_to(root)), None)
    if root is None:
        raise InputError(
            f"'{shown}' is outside the folders that this server may read ({', '.join(map(str, roots))}); copy the log there, or"
            " start the server with --root and its folder"
        )
    try:
        descriptor = _open(root, resolved.relative_to(root).parts)
    except FileNotFoundError:
        raise InputError(f"'{shown}': no such file; check the path, which starts in {roots[0]}") from None
    except IsADirectoryError:
        raise InputError(f"'{shown}' is a folder; name one log file in it") from None
    except OSError as error:
        raise InputError(f"'{shown}' cannot be read ({error.strerror or type(error).__name__}); check its permissions") from None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise _not_regular(shown)
    return OpenLog(os.fdopen(descriptor, "rb"), shown, found.st_size, found.st_mtime_ns)


def _open(root: Path, parts: Sequence[str]) -> int:
    if not parts:
        raise IsADirectoryError
    if os.open not in os.supports_dir_fd:
        _check(os.lstat(root.joinpath(*parts)), parts[-1])
        return os.open(root.joinpath(*parts), os.O_RDONLY | FLAGS)
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | FLAGS)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | NO_LINK | FLAGS, dir_fd=folder)
            os.close(folder)
            folder = inner
        _check(os.stat(parts[-1], dir_fd=folder, follow_symlinks=False), parts[-1])
        return os.open(parts[-1], os.O_RDONLY | NO_LINK | FLAGS, dir_fd=folder)
    finally:
        os.close(folder)


def _check(found: os.stat_result, name: str) -> None:
    """To open a device can have effects, so it is not opened to find out that it is one."""
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError
    if not stat.S_ISREG(found.st_mode):
        raise _not_regular(safe(name)[:200])


def _not_regular(shown: str) -> InputError:
    return InputError(f"'{shown}' is a device, a pipe or a socket; name a regular file")
