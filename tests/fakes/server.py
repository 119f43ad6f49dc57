"""What the fake forges share: an HTTP server on loopback that records every request and fails on demand."""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import socket
import threading
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(slots=True)
class Request:
    """A request as it came. Header names are in lower case; `path` is as sent (percent-encoded), without the query."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    status: int = 0
    """What was answered; 0 while it is worked on or when the connection was dropped."""

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else {}

    def first(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[0]


@dataclass(slots=True)
class Answer:
    """A response: JSON for anything but bytes."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    """Send only so many bytes of the body, then drop the connection."""
    pause: float = 0.0
    """Seconds to wait before each kilobyte of the body."""


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong: the next `times` requests that match get it (-1: all of them).

    With `after_work` the request is carried out and only its answer is lost; `drop` closes the connection without an
    answer; `cut` and `pause` spoil the true answer's body; otherwise `answer` is sent instead.
    """

    path: str = ""
    method: str = ""
    answer: Answer | None = None
    times: int = 1
    after_work: bool = False
    drop: bool = False
    cut: int | None = None
    pause: float = 0.0

    def fits(self, request: Request) -> bool:
        return self.times != 0 and (not self.method or self.method == request.method) and bool(re.search(self.path, request.path))


class FakeServer(ABC):
    """An HTTP server in threads of this process. `with FakeX() as server:`, or `start()` and `stop()`."""

    host = "127.0.0.1"

    def __init__(self, port: int = 0) -> None:
        self.lock = threading.RLock()
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self._connections: set[socket.socket] = set()
        self._server = _Server((self.host, port), _handler_for(self))
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def start(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(10)
            self._thread = None
        self._server.server_close()
        with self.lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def plan(self, *faults: Fault) -> None:
        """Let requests fail; faults are tried in this order."""
        with self.lock:
            self.faults.extend(faults)

    def seen(self, method: str = "", path: str = "") -> list[Request]:
        """The recorded requests of a method whose path holds a pattern."""
        with self.lock:
            return [item for item in self.requests if (not method or item.method == method) and re.search(path, item.path)]

    @abstractmethod
    def handle(self, request: Request) -> Answer:
        """The answer to a request; called under the lock."""

    def control(self, request: Request) -> Answer | None:
        """What a process of its own understands under `/_fake/`."""
        return None

    def answer(self, request: Request) -> Answer | None:
        """The answer with the planned faults; None drops the connection."""
        with self.lock:
            if request.path.startswith("/_fake/"):
                return self.control(request) or Answer(404, {"message": "no such control"})
            self.requests.append(request)
            fault = next((item for item in self.faults if item.fits(request)), None)
            if fault is None:
                made = self.handle(request)
                request.status = made.status
                return made
            fault.times -= 1 if fault.times > 0 else 0
            spoils = fault.cut is not None or bool(fault.pause)
            made = self.handle(request) if fault.after_work or spoils else Answer(500, {"message": "Server Error"})
            if fault.drop:
                return None
            made = fault.answer or made
            request.status = made.status
            return Answer(made.status, made.body, made.headers, fault.cut, fault.pause)

    def connected(self, connection: socket.socket, here: bool) -> None:
        with self.lock:
            (self._connections.add if here else self._connections.discard)(connection)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what the tests are about."""


def _handler_for(owner: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def setup(self) -> None:
            super().setup()
            owner.connected(self.connection, True)

        def finish(self) -> None:
            owner.connected(self.connection, False)
            with contextlib.suppress(OSError):
                super().finish()

        def log_message(self, format: str, *args: Any) -> None:
            """Tests read `requests` instead."""

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, parts.path, parse_qs(parts.query, keep_blank_values=True), headers, body)
            try:
                answer = owner.answer(request)
            except Exception:  # a mistake in the fake, which must not look like one in the network
                traceback.print_exc()
                answer = Answer(418, {"message": f"the fake is broken: {traceback.format_exc()}"})
            if answer is None:
                self.close_connection = True
                return
            self._send(answer)

        def _send(self, answer: Answer) -> None:
            if isinstance(answer.body, bytes):
                kind, data = "text/plain; charset=utf-8", answer.body
            else:
                kind = "application/json; charset=utf-8"
                data = b"" if answer.body is None else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": kind, **answer.headers}.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "HEAD" or answer.status == 204:
                self.wfile.flush()
                return
            sent = data if answer.cut is None else data[: answer.cut]
            if answer.pause:
                for start in range(0, len(sent), 1024):
                    self.wfile.write(sent[start : start + 1024])
                    self.wfile.flush()
                    time.sleep(answer.pause)
            else:
                self.wfile.write(sent)
                self.wfile.flush()
            if answer.cut is not None:
                self.close_connection = True

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = _serve

    return Handler


def page_of(items: list[Any], request: Request, default: int) -> tuple[list[Any], int, int, int]:
    """The items of the page that is asked for, its number, the number of pages, and the page size."""
    size = max(1, min(100, int(request.first("per_page") or default)))
    number = max(1, int(request.first("page") or 1))
    pages = max(1, -(-len(items) // size))
    return items[(number - 1) * size : number * size], number, pages, size


def link_header(base: str, request: Request, number: int, pages: int) -> str:
    """The `Link` header of a page, as both forges write it."""

    def url(page: int) -> str:
        rest = "&".join(f"{name}={value}" for name, values in request.query.items() if name != "page" for value in values)
        return f"{base}{request.path}?{rest + '&' if rest else ''}page={page}"

    links = []
    if number > 1:
        links += [(number - 1, "prev"), (1, "first")]
    if number < pages:
        links += [(number + 1, "next"), (pages, "last")]
    return ", ".join(f'<{url(page)}>; rel="{relation}"' for page, relation in links)


def part(text: str) -> str:
    """A part of a path, decoded."""
    return unquote(text)


def run_alone(make: Callable[[int], FakeServer]) -> None:
    """Run a fake as a process of its own: print its address, and serve until the process is ended."""
    parser = argparse.ArgumentParser(description="A fake forge on loopback, for tests.")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    server = make(parser.parse_args().port).start()
    print(server.url, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.stop()
