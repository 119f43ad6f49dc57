"""How a server starts and stops: a socket of its own, so that a wrong address is told first, and signals that are not lost."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

from logkb.errors import UsageError

if TYPE_CHECKING:
    from uvicorn import Server


def listen(host: str, port: int) -> socket.socket:
    """A socket to serve on; with port 0 the system has chosen one. Raises `UsageError`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With the protocol named, asyncio turns Nagle's algorithm off; otherwise it costs each answer 40 ms.
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host} port {port} ({error.strerror}); name another one with --port, or 0 for any"
        ) from None
    return listener


def serve_until_told(server: Server, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    # uvicorn handles both while it serves, and raises them again once it has stopped in good order: that is no failure. One
    # that comes before it serves must not be lost.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    server.run([listener])
