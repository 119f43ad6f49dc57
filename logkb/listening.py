"""The socket that a server is given, so that what is wrong with its address is told before anything else."""

from __future__ import annotations

import socket

from logkb.errors import UsageError


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
