"""Blocks of bytes -> chunks of whole, normalised lines with raw line numbers. The memory stays bounded.

Only a newline ends a line. The last chunks of a log are flagged as its tail, where a build says why it died.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from logkb.clean import normalise
from logkb.source import Source

CHUNK = 256 * 1024
TAIL_CHUNKS = 4
# A line is cut here for matching; a compiler's longest useful message is far shorter.
MAX_LINE = 64 * 1024
MAX_CARRY = 1024 * 1024
# Beyond this nobody pasted the log from a web page.
MAX_PASTE = 16 * 1024 * 1024
RAWJSON = (b'{"vertexes":', b'{"logs":', b'{"statuses":')


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole normalised lines. `numbers` gives each line's raw number where one raw line holds several (rawjson)."""

    data: bytes
    first_line: int
    tail: bool
    numbers: tuple[int, ...] | None = None

    def number(self, index: int) -> int:
        """The raw number of the line with this index in the chunk."""
        return self.first_line + index if self.numbers is None else self.numbers[index]


class Log:
    """One pass over a source. After `chunks()` is exhausted, `lines`, `size` and `truncated` describe the whole log."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines = 0
        self.size = 0
        self._cut = False

    @property
    def truncated(self) -> bool:
        """The input ended early, or a line was too long to be matched whole."""
        return self._cut or self.source.truncated

    def chunks(self) -> Iterator[Chunk]:
        """Yield the log in order. Raises `InputError` as the source does."""
        waiting: deque[Chunk] = deque()
        rawjson: _RawJson | None = None
        for data, first_line, last_line in self._numbered():
            if first_line == 1 and data.startswith(RAWJSON):
                rawjson = _RawJson()
            if rawjson is not None:
                chunk = rawjson.convert(data, first_line)
            else:
                chunk = Chunk(normalise(data, pasted=self.size <= MAX_PASTE), first_line, tail=False)
            self.lines = last_line
            waiting.append(chunk)
            if len(waiting) > TAIL_CHUNKS:
                yield waiting.popleft()
        for chunk in waiting:
            yield Chunk(chunk.data, chunk.first_line, tail=True, numbers=chunk.numbers)

    def _numbered(self) -> Iterator[tuple[bytes, int, int]]:
        line = 1
        for data in self._whole_lines():
            count = data.count(b"\n") + (not data.endswith(b"\n"))
            yield data, line, line + count - 1
            line += count

    def _whole_lines(self) -> Iterator[bytes]:
        carry, parts, held = b"", [], 0
        for block in self.source.blocks():
            self.size += len(block)
            cut = block.rfind(b"\n") + 1
            if cut == 0:
                carry = self._grow(carry, block)
                continue
            parts.append(carry)
            parts.append(block[:cut])
            held += len(carry) + cut
            carry = block[cut:]
            if held >= CHUNK:
                yield b"".join(parts)
                parts, held = [], 0
        if parts:
            yield b"".join(parts)
        if carry:
            yield carry

    def _grow(self, carry: bytes, block: bytes) -> bytes:
        """An unfinished line. Once it is absurdly long keep its head, or what follows its last carriage return."""
        if len(carry) + len(block) <= MAX_CARRY:
            return carry + block
        overwritten = block.rfind(b"\r", 0, -1)
        if overwritten >= 0:
            return block[overwritten:]
        self._cut = True
        return carry[:MAX_LINE] + block[: max(0, MAX_LINE - len(carry))]


class _RawJson:
    """BuildKit's `--progress=rawjson` -> the lines of its plain progress, numbered by the raw line they came from."""

    def __init__(self) -> None:
        self._vertices: dict[str, int] = {}

    def convert(self, data: bytes, first_line: int) -> Chunk:
        import json

        texts: list[bytes] = []
        numbers: list[int] = []
        for offset, raw in enumerate(data.split(b"\n")):
            try:
                status = json.loads(raw) if raw else {}
            except (ValueError, RecursionError):
                status = None
            lines = self._lines(status) if isinstance(status, dict) else [raw]
            for line in lines:
                texts.append(normalise(line.replace(b"\n", b" ") + b"\n"))
                numbers.append(first_line + offset)
        return Chunk(b"".join(texts), first_line, False, tuple(numbers) or (first_line,))

    def _lines(self, status: dict[str, object]) -> Iterator[bytes]:
        import base64
        import binascii

        for vertex in _dicts(status.get("vertexes")):
            digest = str(vertex.get("digest", ""))
            if digest not in self._vertices:
                self._vertices[digest] = len(self._vertices) + 1
                yield f"#{self._vertices[digest]} {vertex.get('name', '')}".encode("utf-8", "replace")
            if vertex.get("error"):
                for line in str(vertex["error"]).splitlines():
                    yield f"#{self._vertices[digest]} ERROR: {line}".encode("utf-8", "replace")
        for entry in _dicts(status.get("logs")):
            number = self._vertices.get(str(entry.get("vertex", "")), 0)
            try:
                text = base64.b64decode(str(entry.get("data", "")), validate=True)
            except (binascii.Error, ValueError):
                continue
            for part in text.rstrip(b"\n").split(b"\n"):
                yield f"#{number} ".encode() + part


def _dicts(value: object) -> list[dict[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
