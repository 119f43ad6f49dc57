"""A file system that passes everything through to a folder until one operation fails as told.

Usage: failfs.py SOURCE MOUNTPOINT OPERATION[,OPERATION] ERRNO [PATH-REGEX] [AFTER-BYTES]
"""

from __future__ import annotations

import errno
import os
import re
import sys
from typing import Any

import mfusepy  # type: ignore[import-not-found,unused-ignore]


class FailFs(mfusepy.Operations):  # type: ignore[misc,unused-ignore]
    """Pass-through operations, each of which may be told to fail."""

    use_ns = True

    def __init__(self, source: str, failing: set[str], number: int, pattern: str, after: int) -> None:
        self.source, self.failing, self.number = source, failing, number
        self.pattern, self.left = re.compile(pattern), after

    def _path(self, path: str) -> str:
        return self.source + path

    def _maybe_fail(self, operation: str, path: str) -> None:
        if operation in self.failing and self.left <= 0 and self.pattern.search(path):
            raise mfusepy.FuseOSError(self.number)

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        self._maybe_fail("getattr", path)
        st = os.lstat(self._path(path))
        keys = ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size", "st_ino")
        times = {"st_atime": st.st_atime_ns, "st_mtime": st.st_mtime_ns, "st_ctime": st.st_ctime_ns}
        return {**{key: getattr(st, key) for key in keys}, **times}

    def readdir(self, path: str, fh: int) -> list[str]:
        self._maybe_fail("readdir", path)
        return [".", "..", *os.listdir(self._path(path))]

    def readlink(self, path: str) -> str:
        return os.readlink(self._path(path))

    def mkdir(self, path: str, mode: int) -> None:
        self._maybe_fail("mkdir", path)
        os.mkdir(self._path(path), mode)
        self._give(path)

    def rmdir(self, path: str) -> None:
        os.rmdir(self._path(path))

    def unlink(self, path: str) -> None:
        self._maybe_fail("unlink", path)
        os.unlink(self._path(path))

    def symlink(self, target: str, source: str) -> None:
        os.symlink(source, self._path(target))

    def rename(self, old: str, new: str) -> None:
        self._maybe_fail("rename", new)
        os.rename(self._path(old), self._path(new))

    def link(self, target: str, source: str) -> None:
        os.link(self._path(source), self._path(target))

    def chmod(self, path: str, mode: int) -> None:
        os.chmod(self._path(path), mode)

    def chown(self, path: str, uid: int, gid: int) -> None:
        os.chown(self._path(path), uid, gid, follow_symlinks=False)

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> None:
        os.utime(self._path(path), ns=times or (0, 0), follow_symlinks=False)

    def open(self, path: str, flags: int) -> int:
        self._maybe_fail("open", path)
        return os.open(self._path(path), flags)

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        self._maybe_fail("create", path)
        handle = os.open(self._path(path), os.O_RDWR | os.O_CREAT | os.O_TRUNC, mode)
        self._give(path)
        return handle

    def _give(self, path: str) -> None:
        uid, gid, _ = mfusepy.fuse_get_context()
        os.chown(self._path(path), uid, gid)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        self._maybe_fail("read", path)
        if "read" in self.failing and self.pattern.search(path):
            self.left -= size
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        self._maybe_fail("write", path)
        if self.pattern.search(path):
            self.left -= len(data)
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        os.truncate(self._path(path), length)

    def flush(self, path: str, fh: int) -> None:
        self._maybe_fail("flush", path)

    def fsync(self, path: str, datasync: bool, fh: int) -> None:
        self._maybe_fail("fsync", path)

    def release(self, path: str, fh: int) -> None:
        os.close(fh)

    def statfs(self, path: str) -> dict[str, int]:
        st = os.statvfs(self._path(path))
        keys = ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files", "f_frsize", "f_namemax")
        return {key: getattr(st, key) for key in keys}


if __name__ == "__main__":
    source, mountpoint, operations, name, pattern, after = [*sys.argv[1:], "", "0"][:6] if len(sys.argv) < 7 else sys.argv[1:7]
    failing = FailFs(source, set(operations.split(",")), getattr(errno, name), pattern, int(after or 0))
    mfusepy.FUSE(failing, mountpoint, foreground=True, allow_other=True, nothreads=True, default_permissions=True)
