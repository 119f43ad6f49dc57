"""The body of a request -> a file: raw, or a form's `log` or `text`; never whole in memory, never beyond the limit."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from logkb.report import safe
from logkb.serve_settings import MEGABYTE, ServeSettings
from logkb.web_problems import HttpProblem

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

BUFFER = MEGABYTE
# What a form may hold beside the log: boundaries, names, empty fields.
OVERHEAD = 64 * 1024
# A client slower than this many bytes a second is held for `idle_seconds` and no longer.
MIN_RATE = 2048
MAX_NAME = 160


@dataclass(frozen=True, slots=True)
class Upload:
    """A received log; the file is the holder's to remove."""

    path: Path
    name: str
    size: int


async def receive_upload(request: Request, settings: ServeSettings, folder: Path, name: str | None = None) -> Upload:
    """Read a request's body into a new file of `folder`. Raises `HttpProblem`, or `ClientDisconnect` when the client went away."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > settings.limit_bytes + OVERHEAD:
        raise _too_large(settings)
    with tempfile.NamedTemporaryFile(dir=folder, prefix="upload-", delete=False) as file:
        path = Path(file.name)
        sink = _Sink(file, settings.limit_bytes)
        try:
            if kind == b"multipart/form-data":
                name = await _form(request, settings, sink, options.get(b"boundary", b"")) or name
            else:
                await _read(request, settings, sink.feed, sink)
            await sink.flush()
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return Upload(path, clean_name(name) or "pasted log", sink.size)


def clean_name(name: str | None) -> str:
    """A file's name as its sender gave it, without its folders and control characters."""
    return safe(PurePosixPath((name or "").replace("\\", "/")).name).strip()[:MAX_NAME]


class _Sink:
    """Collects bytes and writes them in large pieces, outside the event loop."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self.size = 0
        self._file, self._limit = file, limit
        self._waiting: list[bytes] = []
        self._held = 0

    def feed(self, data: bytes) -> None:
        self.size += len(data)
        self._held += len(data)
        self._waiting.append(data)

    @property
    def full(self) -> bool:
        return self.size > self._limit

    def clear(self) -> None:
        """Forget what came so far: something better follows."""
        self.size = self._held = 0
        self._waiting.clear()
        self._file.seek(0)
        self._file.truncate()

    async def drain(self) -> None:
        if self._held >= BUFFER:
            await self.flush()

    async def flush(self) -> None:
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._held = 0
        await run_in_threadpool(self._file.write, data)
        await run_in_threadpool(self._file.flush)


async def _read(request: Request, settings: ServeSettings, feed: Callable[[bytes], None], sink: _Sink) -> None:
    begun, received = time.monotonic(), 0
    more = True
    while more:
        allowed = min(settings.upload_seconds, settings.idle_seconds + received / MIN_RATE) - (time.monotonic() - begun)
        try:
            async with asyncio.timeout(max(0.0, min(settings.idle_seconds, allowed))):
                message = await request.receive()
        except TimeoutError:
            raise HttpProblem(
                408, "The log came too slowly, and was given up; try again, or compress it first.", unread=True
            ) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        data, more = message.get("body", b""), message.get("more_body", False)
        received += len(data)
        feed(data)
        if sink.full or received > settings.limit_bytes + OVERHEAD:
            raise _too_large(settings)
        await sink.drain()


def _too_large(settings: ServeSettings) -> HttpProblem:
    limit = settings.limit_bytes
    size = f"{limit / MEGABYTE:,.0f} MB" if limit >= MEGABYTE else f"{limit:,} bytes"
    return HttpProblem(
        413,
        f"The log is larger than this server takes ({size}). Compress it with gzip, send its last part, or use"
        " `logkb analyze`, which has no limit.",
        unread=True,
    )


async def _form(request: Request, settings: ServeSettings, sink: _Sink, boundary: bytes) -> str | None:
    if not boundary:
        raise HttpProblem(
            400, "The form has no boundary; send it as multipart/form-data, or send the log itself as the body.", unread=True
        )
    form = _Form(sink)
    try:
        parser = MultipartParser(boundary, form.callbacks())
        await _read(request, settings, lambda data: _void(parser.write(data)), sink)
        parser.finalize()
    except FormParserError as error:
        raise HttpProblem(
            400, f"The form cannot be read ({safe(str(error))}); send the log itself as the body.", unread=True
        ) from None
    if not form.ended:
        raise HttpProblem(400, "The form ends before its last boundary; send it again.")
    if form.unknown is not None:
        raise HttpProblem(400, f"The form has a field {form.unknown!r}; a log goes into 'log' as a file, or into 'text'.")
    if form.repeated:
        raise HttpProblem(400, "One log at a time: put several into one zip archive, and they are read together.")
    if not form.found:
        raise HttpProblem(400, "The form has no log: put a file into 'log', or text into 'text'.")
    return form.name


def _void(_: object) -> None:
    """Take a value and drop it."""


class _Form:
    """Picks the log out of a form: a file in `log`, else what was pasted into `text`."""

    def __init__(self, sink: _Sink) -> None:
        self.name: str | None = None
        self.unknown: str | None = None
        self.found = self.ended = self.repeated = False
        self._sink = sink
        # The part that is being read and the one whose data is kept: their numbers, and what their kinds are worth.
        self._number = self._holder = 0
        self._part = self._rank = 0
        self._part_name: str | None = None
        self._header = bytearray()
        self._value = bytearray()
        self._headers: dict[bytes, bytes] = {}

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._number += 1
        self._headers.clear()
        self._header.clear()
        self._value.clear()
        self._part, self._part_name = 0, None

    def _header_end(self) -> None:
        self._headers[bytes(self._header).lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        field = options.get(b"name", b"")
        self._part = {b"log": 2, b"text": 1}.get(field, 0)
        self.found = self.found or self._part > 0
        if self._part == 0 and self.unknown is None:
            self.unknown = safe(field.decode("utf-8", "replace"))[:40]
        filename = options.get(b"filename")
        self._part_name = filename.decode("utf-8", "replace") if filename else None

    def _data(self, data: bytes, start: int, end: int) -> None:
        # A file is worth more than a text; a browser sends an empty one when no file was chosen.
        if start == end or self._part == 0:
            return
        self.repeated = self.repeated or (self._part == self._rank and self._holder != self._number)
        if self._part > self._rank:
            self._sink.clear()
            self._rank, self._holder, self.name = self._part, self._number, self._part_name
        if self._holder == self._number:
            self._sink.feed(data[start:end])

    def _end(self) -> None:
        self.ended = True
