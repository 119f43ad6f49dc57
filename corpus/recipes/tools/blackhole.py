"""Hold a port of loopback so full that every new connection waits for ever. Usage: blackhole.py PORT"""

from __future__ import annotations

import socket
import sys
import time


def main(port: int) -> None:
    """Listen without a queue, and fill it."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(0)
    waiting = []
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", port))
        waiting.append(client)
    time.sleep(600)


if __name__ == "__main__":
    main(int(sys.argv[1]))
