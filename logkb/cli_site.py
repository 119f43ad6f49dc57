"""The command that builds the knowledge base into static pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.command()
def site(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder for the pages: new, empty, or a site that is built anew.")],
    kb: Annotated[
        Path | None, typer.Option("--kb", metavar="DIR", help="A folder of your own rules and articles; they win.")
    ] = None,
    work: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep here what makes the next build quick; nothing is kept if not given.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Processes that read and write pages.")] = 1,
) -> None:
    """Build causes, rules and documents into static pages that open from disk, and check every link. Needs the extra `site`.

    Example: logkb site public --kb ./my-rules
    """
    from logkb.commands import overlays
    from logkb.site_commands import run_site

    raise typer.Exit(run_site(out, overlays(kb), work, jobs))
