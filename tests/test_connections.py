"""Connections that ask for nothing: they end, they make room, and a client that does ask is never cut short."""

from __future__ import annotations

import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from logkb.connections import MOST, bounded_protocol, most_connections
from tests.browser import serving

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


async def echo(scope: dict[str, object], receive, send) -> None:  # type: ignore[no-untyped-def]
    """An application that answers with the length of the body."""
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(str(size)))]})
    await send({"type": "http.response.body", "body": str(size).encode()})


@contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        yield connection


def answered(connection: socket.socket) -> bytes:
    """The body of the answer, which ends the connection or has the length that `echo` gives it."""
    data = b""
    while (head := data.partition(b"\r\n\r\n"))[2] == b"" and (more := connection.recv(4096)):
        data += more
    return head[2]


def ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_a_head_that_does_not_come_ends_the_connection_even_if_it_drips() -> None:
    with serving(echo, http=bounded_protocol(head_seconds=0.4)) as address, ExitStack() as stack:
        silent, dripping, behind = (stack.enter_context(connected(address)) for _ in range(3))
        behind.sendall(HEAD + b"\r\n")
        assert answered(behind) == b"0"
        behind.sendall(b"GET / HT")
        dripping.settimeout(0.05)
        for letter in HEAD * 40:
            try:
                dripping.sendall(bytes([letter]))
                if ended(dripping):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            raise AssertionError("the head dripped on")
        assert ended(silent)
        assert ended(behind)


def test_a_body_may_take_longer_than_a_head() -> None:
    with serving(echo, http=bounded_protocol(head_seconds=0.2)) as address, connected(address) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\n")
        for _ in range(8):
            time.sleep(0.1)
            connection.sendall(b"x")
        assert answered(connection) == b"8"


def test_the_oldest_connection_that_asks_for_nothing_makes_room() -> None:
    with serving(echo, http=bounded_protocol(most=5)) as address, ExitStack() as stack:
        working = stack.enter_context(connected(address))
        working.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nx")
        time.sleep(0.1)
        silent = [stack.enter_context(connected(address)) for _ in range(9)]
        assert [ended(connection) for connection in silent[:5]] == [True] * 5
        silent[-1].sendall(HEAD + b"\r\n")
        assert answered(silent[-1]) == b"0"
        working.sendall(b"y")
        assert answered(working) == b"2"


def test_a_server_with_few_files_outlives_more_connections_than_it_has_files(tmp_path: Path) -> None:
    command = f'ulimit -n 80; exec "{sys.executable}" -m logkb serve --port 0'
    log = tmp_path / "said"
    with ExitStack() as stack:
        said = stack.enter_context(log.open("w"))
        process = stack.enter_context(subprocess.Popen(["sh", "-c", command], stderr=said, cwd=tmp_path))
        stack.callback(process.kill)
        for _ in range(600):
            if found := re.search(r"http://[\d.]+:\d+", log.read_text()):
                break
            time.sleep(0.05)
        assert found is not None
        for _ in range(120):
            stack.enter_context(connected(found[0])).sendall(b"GET ")
        asking = stack.enter_context(connected(found[0]))
        asking.sendall(HEAD + b"Connection: close\r\n\r\n")
        assert b"<!doctype html>" in answered(asking)
    assert "out of system resource" not in log.read_text()


def test_half_of_the_files_are_left_for_other_things() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert most_connections() == (MOST if soft in (resource.RLIM_INFINITY, -1) else min(MOST, max(8, soft // 2)))


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system has no limit for unread answers")
def test_an_answer_that_nobody_takes_is_given_up_by_the_system() -> None:
    options: list[int] = []
    made = bounded_protocol()

    class Watched(made):  # type: ignore[misc,valid-type]
        def data_received(self, data: bytes) -> None:
            raw = self.transport.get_extra_info("socket")
            options.append(raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
            super().data_received(data)

    with serving(echo, http=Watched) as address, connected(address) as connection:
        connection.sendall(HEAD + b"\r\n")
        assert answered(connection) == b"0"
    assert options == [60_000]
