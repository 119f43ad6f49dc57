"""Inputs of every kind become the same bytes; bad ones a clear message."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from logkb import source as source_module
from logkb.errors import InputError
from logkb.source import Source

TEXT = "".join(f"line {number}: über 🚀\n" for number in range(30_000)).encode()


def zstd(data: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd as codec

        return codec.compress(data)
    import zstandard

    return zstandard.ZstdCompressor().compress(data)


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
}


def read(data: bytes) -> tuple[bytes, Source]:
    source = Source.from_bytes(data)
    return b"".join(source.blocks()), source


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compression_is_known_by_its_magic_bytes(kind: str) -> None:
    data, source = read(COMPRESSORS[kind](TEXT))
    assert data == TEXT
    assert not source.truncated
    assert source.warnings == []


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd"])
def test_two_compressed_members_in_a_row_are_both_read(kind: str) -> None:
    data, _ = read(COMPRESSORS[kind](TEXT[:5000]) + COMPRESSORS[kind](TEXT[5000:]))
    assert data == TEXT


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd"])
def test_a_truncated_archive_gives_what_it_holds_and_says_so(kind: str) -> None:
    packed = COMPRESSORS[kind](TEXT)
    data, source = read(packed[: len(packed) * 3 // 4])
    assert TEXT.startswith(data)
    assert source.truncated
    assert "truncated archive" in source.warnings[0]


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd"])
def test_a_damaged_archive_is_no_traceback(kind: str) -> None:
    packed = bytearray(COMPRESSORS[kind](TEXT))
    middle = len(packed) // 2
    packed[middle : middle + 64] = b"\xff" * 64
    _, source = read(bytes(packed))
    assert source.truncated
    assert len(source.warnings) == 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_known_by_its_mark(encoding: str) -> None:
    mark = {"utf-16": b"", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}[encoding]
    data, _ = read(mark + TEXT.decode().encode(encoding))
    assert data == TEXT


def test_a_utf8_mark_is_dropped() -> None:
    assert read(b"\xef\xbb\xbferror\n")[0] == b"error\n"


def test_github_s_archive_is_read_by_step_and_each_job_once() -> None:
    archive = zipped(
        {
            "0_build.txt": b"whole job\n",
            "build/10_Test.txt": b"test\n",
            "build/2_Install.txt": b"install",
            "build/1_Set up job.txt": b"set up\n",
        }
    )
    lines = read(archive)[0].decode().splitlines()
    assert lines == [
        "##[logkb-file]build/1_Set up job.txt", "set up",
        "##[logkb-file]build/2_Install.txt", "install",
        "##[logkb-file]build/10_Test.txt", "test",
    ]  # fmt: skip


def test_a_zip_holds_compressed_members_too() -> None:
    assert b"hello" in read(zipped({"a.log.gz": gzip.compress(b"hello\n")}))[0]


def test_a_damaged_member_leaves_the_others() -> None:
    archive = bytearray(zipped({"a.txt": TEXT, "b.txt": b"fine\n"}))
    archive[60:160] = b"\x00" * 100
    data, source = read(bytes(archive))
    assert b"fine" in data
    assert "a.txt" in source.warnings[0]


def test_a_damaged_zip_is_an_input_error() -> None:
    with pytest.raises(InputError, match="damaged zip"):
        read(zipped({"a.txt": TEXT})[:40])


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd"])
def test_a_decompression_bomb_is_stopped_in_bounded_memory(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "RATIO_FREE", 20 * 1024**2)
    bomb = COMPRESSORS[kind](bytes(64 * 1024**2))
    tracemalloc.start()
    with pytest.raises(InputError, match="bomb"):
        for _ in Source.from_bytes(bomb).blocks():
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * 1024**2


def test_a_zip_bomb_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "RATIO_FREE", 20 * 1024**2)
    with pytest.raises(InputError, match="bomb"):
        read(zipped({"a.txt": bytes(64 * 1024**2)}))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "none.log", "no such file; check the path"),
        (lambda folder: folder, "is a directory; name a log file"),
    ],
)
def test_what_is_no_file_is_told_clearly(tmp_path: Path, make: Callable[[Path], Path], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Source.from_path(make(tmp_path))


def test_an_empty_input_is_empty() -> None:
    assert read(b"")[0] == b""
