"""`python -m logkb`, and the command `logkb`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        status = _run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader went away (`| head`): nobody is left to tell. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


def _run(arguments: list[str]) -> int:
    from logkb.commands import run_analyze
    from logkb.errors import LogkbError
    from logkb.quick import parse_analyze

    parsed = parse_analyze(arguments)
    if parsed is None:
        from logkb.cli import run

        return run()
    try:
        return run_analyze(*parsed)
    except LogkbError as error:
        print(f"logkb: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    main()
