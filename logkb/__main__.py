"""`python -m logkb`, and the command `logkb`."""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


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
    # `analyze` and `search` start so often that they are read without typer, and `search` without what `analyze` imports.
    parsed: tuple[Any, ...] | None
    run: Callable[..., int]
    if arguments[:1] == ["search"]:
        from logkb.quick_search import parse_search
        from logkb.search_commands import run_search

        parsed, run = parse_search(arguments), run_search
    else:
        from logkb.commands import run_analyze
        from logkb.quick import parse_analyze

        parsed, run = parse_analyze(arguments), run_analyze
    if parsed is None:
        from logkb.cli import run as run_all

        return run_all()
    try:
        return run(*parsed)
    except Exception as error:
        from logkb.errors import LogkbError

        if not isinstance(error, LogkbError):
            raise
        print(f"logkb: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    main()
