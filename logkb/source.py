"""A file, standard input or bytes -> blocks of decompressed UTF-8 bytes, in bounded memory.

gzip, zstd, xz, bzip2 and zip are known by their magic bytes, UTF-16 by its mark. A truncated archive gives what it
holds and a warning; a damaged one gives the same; an archive that expands without end is stopped.
"""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from logkb.errors import InputError

BLOCK = 256 * 1024
# A log compresses some 15 to 50 times; DEFLATE can reach 1,032 and zstd far more on a hostile file.
MAX_EXPANDED = 16 * 1024**3
MAX_RATIO = 400
RATIO_FREE = 512 * 1024**2
ZIP_SPOOL = 64 * 1024**2
MAX_MEMBERS = 10_000
# Bytes of a zip archive's directory; Python makes some twelve times as much of it, and reads it whole. 10,000 members need 2 MB.
MAX_DIRECTORY = 4 * 1024**2
# A compressed stream may be many in a row, each with a log's worth in it; so many that hold next to nothing are no log.
MAX_HOLLOW, HOLLOW = 100_000, 16
# What lies behind a compressed part is copied by the decompressor, so it is handed on in small pieces.
PIECE = 16 * 1024
LONGEST_MAGIC = 6
# zstandard cannot bound its output; 4 bytes can stand for 128 KB, so 256 bytes stay under 8 MB.
ZSTD_SLICE = 256

GZIP, ZSTD, XZ, BZIP2 = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00", b"BZh"
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class Source:
    """One input. Iterate over `blocks()` once; afterwards `truncated` and `warnings` tell what was odd."""

    def __init__(self, name: str, open_stream: Callable[[], BinaryIO], *, size: int | None = None) -> None:
        self.name = name
        self.size = size
        self.truncated = False
        self.warnings: list[str] = []
        self._open_stream = open_stream
        self._consumed = 0
        self._expanded = 0
        self._hollow = 0

    @classmethod
    def from_path(cls, path: Path) -> Source:
        """A file. Raises `InputError` when it is missing, a directory or unreadable."""
        if path.is_dir():
            raise InputError(f"{path}: is a directory; name a log file, or one of the files in it")
        try:
            size = path.stat().st_size
            path.open("rb").close()
        except FileNotFoundError:
            raise InputError(f"{path}: no such file; check the path, or pipe the log in: … | logkb analyze") from None
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from None
        return cls(str(path), lambda: path.open("rb"), size=size)

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "<bytes>") -> Source:
        """A log that is in memory already."""
        return cls(name, lambda: io.BytesIO(data), size=len(data))

    @classmethod
    def from_stream(cls, stream: BinaryIO, name: str = "-") -> Source:
        """An open binary stream, read to its end, such as `sys.stdin.buffer`."""
        return cls(name, lambda: stream)

    def blocks(self) -> Iterator[bytes]:
        """Yield decompressed UTF-8 bytes, at most a few hundred KB each. Raises `InputError` for a decompression bomb."""
        stream = self._open_stream()
        try:
            yield from _as_utf8(self._decompressed(stream))
        except OSError as error:
            raise InputError(f"{self.name}: reading failed ({error.strerror or error}); try again") from None
        finally:
            if self.size is not None:
                stream.close()

    @property
    def consumed(self) -> int:
        """Bytes read from the input so far, before decompression."""
        return self._consumed

    def _read(self, stream: BinaryIO) -> bytes:
        block = stream.read(BLOCK)
        self._consumed += len(block)
        return block

    def _decompressed(self, stream: BinaryIO) -> Iterator[bytes]:
        head = self._read(stream)
        while 0 < len(head) < 8 and (more := self._read(stream)):
            head += more
        if head.startswith(ZIP):
            yield from self._zip_members(head, stream)
            return
        start = _decompressor_for(head)
        if start is None:
            while head:
                yield head
                head = self._read(stream)
            return
        for block in self._expand(head, stream, start):
            self._guard(len(block))
            yield block

    def _guard(self, length: int) -> None:
        self._expanded += length
        ratio = self._expanded / max(1, self._consumed)
        if self._expanded > MAX_EXPANDED or (self._expanded > RATIO_FREE and ratio > MAX_RATIO):
            raise self._bomb(f"expands to more than {self._expanded // 1024**2} MB from {self._consumed} bytes")

    def _bomb(self, what: str) -> InputError:
        return InputError(
            f"{self.name}: {what}; this looks like a decompression bomb; unpack it yourself and pipe the part that you trust"
        )

    def _expand(self, head: bytes, stream: BinaryIO, start: Callable[[], _Decompressor]) -> Iterator[bytes]:
        pieces = self._pieces(head, stream)
        machine, begun = start(), 0
        try:
            pending = next(pieces)
            while pending:
                pending = yield from _feed(machine, pending)
                if not machine.eof:
                    pending = next(pieces, b"")
                    continue
                # The next part's magic bytes may lie across two pieces.
                pending = pending.lstrip(b"\x00")
                while len(pending) < LONGEST_MAGIC and (more := next(pieces, b"")):
                    pending = (pending + more).lstrip(b"\x00")
                if not pending:
                    return
                following = _decompressor_for(pending)
                if following is None:
                    self._warn("has other data behind its compressed part, which was left out")
                    return
                self._hollow += self._expanded - begun < HOLLOW
                if self._hollow > MAX_HOLLOW:
                    raise self._bomb(f"has more than {MAX_HOLLOW:,} parts that hold next to nothing")
                machine, begun = following(), self._expanded
            self._warn("ends early (a truncated archive); what it holds was analysed")
        except InputError:
            raise
        except Exception as error:  # zlib.error, lzma.LZMAError, OSError (bz2), ZstdError: all mean damaged data
            self._warn(f"is damaged ({error}); what could be read was analysed")

    def _pieces(self, head: bytes, stream: BinaryIO) -> Iterator[bytes]:
        while head:
            for start in range(0, len(head), PIECE):
                yield head[start : start + PIECE]
            head = self._read(stream)

    def _warn(self, what: str) -> None:
        self.truncated = True
        self.warnings.append(f"{self.name}: {what}")

    def _zip_members(self, head: bytes, stream: BinaryIO) -> Iterator[bytes]:
        """Members in archive order, each behind a section line, so that GitHub's log archive keeps its steps."""
        import tempfile
        import zipfile

        with tempfile.SpooledTemporaryFile(max_size=ZIP_SPOOL) as spool:
            block = head
            while block:
                spool.write(block)
                block = self._read(stream)
            spool.seek(0)
            try:
                archive = zipfile.ZipFile(_Archive(spool))
            except _DirectoryTooLarge:
                raise InputError(
                    f"{self.name}: has more files in it than a log archive has; unpack it yourself and send the part that failed"
                ) from None
            except (zipfile.BadZipFile, OSError, ValueError) as error:
                raise InputError(f"{self.name}: is a damaged zip archive ({error}); download it again") from None
            with archive:
                for name in _log_members([info.filename for info in archive.infolist() if not info.is_dir()]):
                    yield "##[logkb-file]{}\n".format(name.replace("\n", " ")).encode("utf-8", "replace")
                    yield from self._zip_member(archive, name)

    def _zip_member(self, archive: object, name: str) -> Iterator[bytes]:
        import zipfile

        assert isinstance(archive, zipfile.ZipFile)
        last = b"\n"
        try:
            with archive.open(name) as stream:
                watched = _Watched(stream, self._guard)
                inner = Source(f"{self.name}:{name}", lambda: watched)  # type: ignore[arg-type,return-value]
                inner._hollow = self._hollow
                for block in inner.blocks() if not name.lower().endswith(".zip") else ():
                    # What is not compressed once more was counted as it was read.
                    self._guard(len(block) if inner._expanded else 0)
                    last = block[-1:] or last
                    yield block
                self._hollow = inner._hollow
                self.warnings.extend(inner.warnings)
                self.truncated = self.truncated or inner.truncated
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
            self._warn(f"member {name!r} is damaged or locked ({error}); the others were analysed")
        except InputError:
            raise
        except Exception as error:  # zlib.error of a damaged member
            self._warn(f"member {name!r} is damaged ({error}); the others were analysed")
        if last != b"\n":
            yield b"\n"


class _Watched:
    """A member's stream that counts what is read of it: a reader may read much and give nothing."""

    def __init__(self, stream: IO[bytes], count: Callable[[int], None]) -> None:
        self._stream, self._count = stream, count

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._count(len(data))
        return data


class _DirectoryTooLarge(Exception):
    """A zip archive's directory is larger than any log archive's."""


class _Archive:
    """A zip archive for `zipfile`, which asks for the whole directory at once and believes what the archive says of its size."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY:
            raise _DirectoryTooLarge
        return self._file.read(size)


def _log_members(names: list[str]) -> list[str]:
    """GitHub's archive holds each job twice: whole (`0_build.txt`) and by step (`build/3_Run tests.txt`). Steps win."""
    names = names[:MAX_MEMBERS]
    stepped = {name.split("/", 1)[0] for name in names if "/" in name}
    kept = [name for name in names if "/" in name or not (name.endswith(".txt") and name[:-4].split("_", 1)[-1] in stepped)]
    return sorted(kept, key=_member_key)


def _member_key(name: str) -> tuple[str, int, str]:
    folder, _, leaf = name.rpartition("/")
    number = leaf.split("_", 1)[0]
    return folder, int(number) if number.isascii() and number.isdigit() else 0, leaf


def _decompressor_for(head: bytes) -> Callable[[], _Decompressor] | None:
    if head.startswith(GZIP):
        import zlib

        return lambda: zlib.decompressobj(wbits=31)
    if head.startswith(XZ):
        import lzma

        return lambda: lzma.LZMADecompressor(memlimit=512 * 1024**2)
    if head.startswith(BZIP2) and head[3:4].isdigit():
        import bz2

        return bz2.BZ2Decompressor
    if head.startswith(ZSTD):
        return _zstd
    return None


def _zstd() -> _Decompressor:
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.ZstdDecompressor()
    import zstandard

    return zstandard.ZstdDecompressor(max_window_size=128 * 1024**2).decompressobj()


def _feed(machine: _Decompressor, data: bytes) -> Generator[bytes, None, bytes]:
    """Decompress `data` in blocks of bounded size; return what lies behind the end of the compressed stream."""
    if hasattr(machine, "needs_input"):  # bz2, lzma and compression.zstd take a limit and keep the rest themselves
        yield machine.decompress(data, BLOCK)  # type: ignore[call-arg]
        while not machine.eof and not machine.needs_input:
            yield machine.decompress(b"", BLOCK)  # type: ignore[call-arg]
        return machine.unused_data
    if hasattr(machine, "unconsumed_tail") and type(machine).__module__ == "zlib":
        while data and not machine.eof:
            yield machine.decompress(data, BLOCK)  # type: ignore[call-arg]
            data = machine.unconsumed_tail
        return machine.unused_data
    for start in range(0, len(data), ZSTD_SLICE):
        yield machine.decompress(data[start : start + ZSTD_SLICE])
        if machine.eof:
            return machine.unused_data + data[start + ZSTD_SLICE :]
    return b""


def _as_utf8(blocks: Iterator[bytes]) -> Iterator[bytes]:
    head = next(blocks, b"")
    # A decompressor may give nothing at first.
    while len(head) < 3 and (more := next(blocks, None)) is not None:
        head += more
    encoding = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}.get(head[:2])
    if encoding is None:
        yield head.removeprefix(codecs.BOM_UTF8)
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    yield decoder.decode(head[2:]).encode("utf-8", "replace")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "replace")
    yield decoder.decode(b"", True).encode("utf-8", "replace")
