"""Raw line numbers survive, whatever the log does; the memory stays bounded."""

from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import Iterator

import pytest

from logkb.log import MAX_LINE, Log
from logkb.records import Scan
from logkb.source import Source
from tests.conftest import RuleMaker

FAILED = "tool: failed alpha"


@pytest.mark.parametrize(
    ("data", "lines", "found"),
    [
        (b"", 0, []),
        (b"\n", 1, []),
        (b"tool: failed alpha", 1, [1]),
        (b"a\nb\ntool: failed alpha\n", 3, [3]),
        (b"a\r\n10%\r20%\r30%\ntool: failed alpha\r\n", 3, [3]),
        (b"a\x00\x00\nb\ntool: \x00failed alpha\n", 3, [3]),
        (b"\xff\xfe\xff\nbad utf-8 \xc3\x28\ntool: failed alpha\n".removeprefix(b"\xff\xfe"), 3, [3]),
        (b"x\n" * 200_000 + b"tool: failed alpha\n" + b"y\n" * 200_000, 400_001, [200_001]),
        (b"tool: failed alpha\n" + b"z" * 300_000 + b"\ntool: failed alpha\n", 3, [1, 3]),
        (b"progress\rtool: failed alpha\n", 1, [1]),
    ],
)
def test_matches_carry_raw_line_numbers(matcher_of: RuleMaker, data: bytes, lines: int, found: list[int]) -> None:
    scan = matcher_of({}).scan(Source.from_bytes(data))
    assert scan.lines == lines
    assert [match.line for match in scan.matches] == found


def test_a_line_without_end_is_cut_and_read_in_bounded_memory(matcher_of: RuleMaker) -> None:
    class Endless:
        left = 400

        def read(self, size: int) -> bytes:
            self.left -= 1
            return b"tool: failed alpha " + b"x" * (size - 19) if self.left == 399 else b"x" * size if self.left > 0 else b""

    matcher = matcher_of({})
    tracemalloc.start()
    scan = matcher.scan(Source.from_stream(Endless()))  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert scan.size > 90 * 1024**2
    assert scan.lines == 1
    assert scan.truncated
    assert [match.line for match in scan.matches] == [1]
    assert peak < 12 * 1024**2


def test_what_stands_beyond_the_cut_of_a_long_line_is_not_matched(matcher_of: RuleMaker) -> None:
    scan = matcher_of({"pattern": "tool: failed (?P<what>x+)$"}).scan(Source.from_bytes(b"y" * MAX_LINE + b"tool: failed xxx\n"))
    assert scan.matches == ()
    assert scan.truncated


def rawjson() -> Iterator[bytes]:
    vertex = {"digest": "sha256:1", "name": "[2/3] RUN make"}
    log = {"vertex": "sha256:1", "data": base64.b64encode(b"compiling\ntool: failed alpha\n").decode()}
    yield json.dumps({"vertexes": [vertex]}).encode()
    yield json.dumps({"logs": [log]}).encode()
    yield json.dumps({"vertexes": [{**vertex, "error": "exit code: 2"}]}).encode()


def compact(line: bytes) -> bytes:
    return json.dumps(json.loads(line), separators=(",", ":")).encode()


def test_rawjson_progress_is_read_as_plain_progress(matcher_of: RuleMaker) -> None:
    scan: Scan = matcher_of({}).scan(Source.from_bytes(b"\n".join(map(compact, rawjson())) + b"\n"))
    assert scan.lines == 3
    assert [(match.line, match.step) for match in scan.matches] == [(2, "[2/3] RUN make")]


def test_only_the_last_chunks_are_the_tail() -> None:
    chunks = list(Log(Source.from_bytes(b"line\n" * 600_000)).chunks())
    flags = [chunk.tail for chunk in chunks]
    assert flags == sorted(flags)
    assert 0 < sum(flags) < len(flags)
