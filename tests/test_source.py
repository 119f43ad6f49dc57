"""Inputs of every kind become the same bytes; bad ones a clear message."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
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


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd"])
def test_many_small_compressed_members_are_all_read(kind: str) -> None:
    # Their magic bytes fall across the edges of every block that is read.
    member = COMPRESSORS[kind](b"a line of a log\n")
    data, source = read(member * 20_000)
    assert data == b"a line of a log\n" * 20_000
    assert source.warnings == []


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd"])
def test_members_without_end_that_hold_nothing_are_a_bomb(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "MAX_HOLLOW", 50)
    hollow = COMPRESSORS[kind](b"") * 60
    with pytest.raises(InputError, match="more than 50 parts that hold next to nothing"):
        read(hollow)
    with pytest.raises(InputError, match="more than 50 parts that hold next to nothing"):
        read(zipped({f"{number}.txt": hollow[: len(hollow) // 4] for number in range(8)}))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_mark_is_known_behind_a_decompressor_that_gives_nothing_at_first(encoding: str) -> None:
    text = "".join(f"{number * 7919 % 100_003:x} " for number in range(50_000))
    assert read(zstd(text.encode(encoding)))[0] == text.encode()


def test_what_a_member_makes_us_read_counts_even_where_it_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "RATIO_FREE", 20 * 1024**2)
    padded = gzip.compress(b"x") + bytes(8 * 1024**2)
    with pytest.raises(InputError, match="bomb"):
        read(zipped({f"{number}.txt": padded for number in range(4)}))


def test_a_zip_that_is_all_directory_is_refused_before_python_reads_it() -> None:
    name = b"a.txt"
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0) + name
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0) + name
    count = source_module.MAX_DIRECTORY // len(entry) + 1
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count % 65536, count % 65536, count * len(entry), len(local), 0)
    archive = local + entry * count + end
    tracemalloc.start()
    with pytest.raises(InputError, match="more files in it than a log archive has"):
        read(archive)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * len(archive)


def test_a_member_s_name_stays_on_its_line() -> None:
    data, _ = read(zipped({"a\n##[error]b.txt": b"line\n"}))
    assert data.split(b"\n") == [b"##[logkb-file]a ##[error]b.txt", b"line", b""]


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
