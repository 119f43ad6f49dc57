"""The commands that search the knowledge base, and that manage its database."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from logkb import search_commands
from logkb.search_commands import FORMATS, MAX_LIMIT, SearchOptions

HELP = {"help_option_names": ["-h", "--help"]}
DEFAULTS = SearchOptions()
app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, context_settings=HELP)
base = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings=HELP,
    help="The database behind `logkb search`: SQLite, yours to read.",
)
app.add_typer(base, name="kb")

Format = StrEnum("Format", {name: name for name in FORMATS})  # type: ignore[misc]
Kb = Annotated[Path | None, typer.Option("--kb", metavar="DIR", help="A folder of your own rules and articles; they win.")]


@app.command()
def search(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORDS]...", help="Words or a pasted line; '-' or none is standard input.")
    ] = None,
    format: Annotated[Format, typer.Option("--format", "-f", help="How to print the hits.")] = Format[DEFAULTS.format],
    family: Annotated[str | None, typer.Option(help="Only this family, as `logkb causes` names them.")] = DEFAULTS.family,
    limit: Annotated[int, typer.Option(min=1, max=MAX_LIMIT, help="At most this many hits.")] = DEFAULTS.limit,
    kb: Kb = None,
) -> None:
    """Find the article for an error line, a question, an identifier, an exit status.

    Example: logkb search "why is my docker build out of space"
    """
    options = SearchOptions(format.value, family, limit, kb)
    raise typer.Exit(search_commands.run_search(words or [], options))


@base.command("build")
def build(kb: Kb = None) -> None:
    """Build the database now; a search builds it when it is missing, damaged or older than the rules and articles.

    Example: logkb kb build
    """
    from logkb.kb_commands import run_build

    raise typer.Exit(run_build(kb))


@base.command("path")
def path(kb: Kb = None) -> None:
    """Print where the database lies, for other programs; it is built first when it is not there.

    Example: datasette "$(logkb kb path)"
    """
    from logkb.kb_commands import run_path

    raise typer.Exit(run_path(kb))


@base.command("info")
def info(kb: Kb = None) -> None:
    """Say what is in the database, which schema it has, and whether it is sound.

    Example: logkb kb info
    """
    from logkb.kb_commands import run_info

    raise typer.Exit(run_info(kb))
