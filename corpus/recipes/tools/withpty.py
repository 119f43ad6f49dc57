"""Run a command on a terminal of its own and copy what it prints; end with its exit status."""

from __future__ import annotations

import os
import pty
import sys


def main(command: list[str]) -> int:
    """Run the command; its standard output is a terminal."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            break
        if not chunk:
            break
        os.write(1, chunk)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
