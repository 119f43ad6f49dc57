"""Connections that are held open for nothing end, so that a few hundred of them keep nobody else out.

uvicorn bounds the time between two requests. It waits without end for a first one, for the rest of a request's head, and for a
client that does not take its answer; and once no file descriptor is left, nobody is let in and the log fills with that.
"""

from __future__ import annotations

import asyncio
import os
import socket

from uvicorn.protocols.http.h11_impl import H11Protocol

# A request's head has to be there so soon after the connection, or after the answer before it.
HEAD_SECONDS = 20.0
# So long may an answer lie unread in the peer's full buffers.
STALL_SECONDS = 60
MOST = 500


def most_connections() -> int:
    """How many connections to hold: half of what this process may open, because uploads and stores need files as well."""
    return min(MOST, max(8, _files() // 2))


def backlog() -> int:
    """How many connections may wait to be accepted. asyncio accepts all of them before it tells us of the first."""
    return min(128, max(4, _files() // 10))


def _files() -> int:
    """How many files this process may have open."""
    allowed = os.sysconf("SC_OPEN_MAX") if hasattr(os, "sysconf") else -1
    return allowed if allowed > 0 else 2 * MOST


def bounded_protocol(*, head_seconds: float = HEAD_SECONDS, most: int | None = None) -> type[H11Protocol]:
    """uvicorn's protocol for one server. At `most` connections the oldest that asks for nothing makes room for a new one."""
    limit = most or most_connections()
    idle: dict[H11Protocol, asyncio.TimerHandle] = {}

    class BoundedProtocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            connection = transport.get_extra_info("socket")
            if (
                connection is not None
                and connection.family != getattr(socket, "AF_UNIX", None)
                and hasattr(socket, "TCP_USER_TIMEOUT")
            ):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * STALL_SECONDS)
            self._look()
            if len(self.connections) > limit:
                _end(next(iter(idle)))

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._look()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._look()

        def connection_lost(self, exc: Exception | None) -> None:
            _forget(self)
            super().connection_lost(exc)

        def _look(self) -> None:
            """Count the seconds of a connection that asks for nothing; single bytes of a head do not start them anew."""
            if self.transport.is_closing() or (self.cycle is not None and not self.cycle.response_complete):
                _forget(self)
            elif self not in idle:
                idle[self] = self.loop.call_later(head_seconds, _end, self)

    def _forget(protocol: H11Protocol) -> None:
        timer = idle.pop(protocol, None)
        if timer is not None:
            timer.cancel()

    def _end(protocol: H11Protocol) -> None:
        _forget(protocol)
        protocol.transport.close()

    return BoundedProtocol
