"""`python -m logkb`, and the command `logkb`."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and exit with its status."""
    # Loading makes some hundred thousand objects and no garbage; `run_analyze` turns the collector on again.
    gc.disable()
    try:
        status = _run(sys.argv[1:])
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        # The reader went away (`| head`): nobody is left to tell. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except KeyboardInterrupt:
        status = 130
    # Leaving without taking every object apart saves a tenth of the time of a small log.
    os._exit(status)


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["search"]:
        return _search(arguments)
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


def _search(arguments: list[str]) -> int:
    from logkb.quick_search import parse_search
    from logkb.search_commands import run_search

    parsed = parse_search(arguments)
    if parsed is None:
        from logkb.cli import run

        return run()
    try:
        return run_search(*parsed)
    except Exception as error:
        from logkb.errors import LogkbError

        if not isinstance(error, LogkbError):
            raise
        print(f"logkb: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    main()
