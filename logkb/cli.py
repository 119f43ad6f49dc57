"""The command line: parse, call, print."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from logkb import paths
from logkb.errors import LogkbError

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Say why a build failed: ranked root causes, the lines that prove them, and what to do.",
)


class Format(StrEnum):
    """How a report is printed."""

    text = "text"
    json = "json"
    markdown = "markdown"


Kb = Annotated[Optional[Path], typer.Option("--kb", metavar="DIR", help="A folder of your own rules and articles; they win.")]  # noqa: UP045


def overlays(kb: Path | None) -> tuple[Path, ...]:
    """The user's folders: the nearest `.logkb/`, then `--kb`."""
    if kb is not None and not kb.is_dir():
        raise LogkbError(f"{kb}: no such folder; name a folder with patterns/ and causes/")
    nearest = paths.overlay_root()
    return tuple(folder for folder in (nearest, kb) if folder is not None)


@app.command()
def analyze(
    logs: Annotated[Optional[list[Path]], typer.Argument(metavar="[LOG]...", help="Logs; '-' or none is standard input.")] = None,  # noqa: UP045
    format: Annotated[Format, typer.Option("--format", "-f", help="How to print.")] = Format.text,
    top: Annotated[int, typer.Option(min=1, help="At most this many findings.")] = 3,
    context: Annotated[int, typer.Option(min=0, max=60, help="Lines of the log shown as excerpt (text and Markdown).")] = 0,
    min_confidence: Annotated[float, typer.Option(min=0.0, max=1.0, help="Leave out findings below this confidence.")] = 0.0,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 1 when no cause reaches 0.5 in some log.")] = False,
    engine: Annotated[str, typer.Option(help="auto, hyperscan or aho-corasick.", hidden=True)] = "auto",
    kb: Kb = None,
) -> None:
    """Say why the builds that wrote these logs failed.

    Example: gh run view 123 --log-failed | logkb analyze
    """
    from logkb.commands import run_analyze

    raise typer.Exit(
        run_analyze(
            logs or [], format=format.value, top=top, context=context, min_confidence=min_confidence, exit_code=exit_code,
            engine=engine, kb=kb,
        )
    )  # fmt: skip


@app.command()
def explain(cause: Annotated[str, typer.Argument(help="A cause, as `logkb causes` lists them.")], kb: Kb = None) -> None:
    """Print the article of a cause.

    Example: logkb explain disk-full
    """
    from logkb.commands import run_explain

    run_explain(cause, kb)


@app.command()
def causes(
    family: Annotated[str, typer.Option(help="Only this family.")] = "",
    kb: Kb = None,
) -> None:
    """List the causes: id, family, title.

    Example: logkb causes --family container
    """
    from logkb.commands import run_causes

    run_causes(family, kb)


@app.command()
def rules(
    test: Annotated[Optional[Path], typer.Option("--test", metavar="FILE", help="Show which rules fire where in this log.")] = None,  # noqa: UP045
    cause: Annotated[str, typer.Option(help="Only the rules of this cause.")] = "",
    kb: Kb = None,
) -> None:
    """List the rules, or show which of them fire where in a log.

    Example: logkb rules --test build.log
    """
    from logkb.commands import run_rules

    run_rules(test, cause, kb)


@app.command()
def check(kb: Kb = None) -> None:
    """Check all rules and articles: samples through the real engine, every article's log, the graph.

    Example: logkb check --kb ./my-rules
    """
    from logkb.commands import run_check

    raise typer.Exit(run_check(kb))


def run() -> int:
    """Run the command line; returns the exit status. Errors that we know become one line on standard error."""
    try:
        app(standalone_mode=False)
    except LogkbError as error:
        print(f"logkb: {error}", file=sys.stderr)
        return 2
    return 0
