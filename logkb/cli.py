"""The command line: parse, call, print."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, cast

import typer

from logkb import cli_doors, cli_search, cli_site, commands
from logkb.errors import LogkbError

HELP = {"help_option_names": ["-h", "--help"]}
DEFAULTS = commands.AnalyzeOptions()
app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings=HELP,
    pretty_exceptions_enable=False,
    help="Say why a build failed: ranked root causes, the lines that prove them, and what to do.",
)
new = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, context_settings=HELP, help="Write the draft of a rule or an article."
)
app.add_typer(new, name="new")
bring = typer.Typer(rich_markup_mode=None, no_args_is_help=True, context_settings=HELP, help="Bring in what others have written.")
app.add_typer(bring, name="import")
app.add_typer(cli_doors.app)
app.add_typer(cli_search.app)
app.add_typer(cli_site.app)

Format = StrEnum("Format", {name: name for name in commands.FORMATS})  # type: ignore[misc]
Kb = Annotated[Path | None, typer.Option("--kb", metavar="DIR", help="A folder of your own rules and articles; they win.")]


def _version(wanted: bool) -> None:
    if wanted:
        from logkb import __version__

        print(f"logkb {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def analyze(
    logs: Annotated[list[Path] | None, typer.Argument(metavar="[LOG]...", help="Logs; '-' or none is standard input.")] = None,
    format: Annotated[Format, typer.Option("--format", "-f", help="How to print the report.")] = Format[DEFAULTS.format],
    top: Annotated[int | None, typer.Option(min=1, help="At most this many findings.")] = DEFAULTS.top,
    context: Annotated[
        int, typer.Option(min=0, max=60, help="Show this many lines of the log round the evidence.")
    ] = DEFAULTS.context,
    min_confidence: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Leave out findings below this confidence.")
    ] = DEFAULTS.min_confidence,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit 1 when no cause reaches --min-confidence (0.5 if not given).")
    ] = DEFAULTS.exit_code,
    why: Annotated[
        bool, typer.Option("--why", help="Show what moved the ranking: rules, the classifier's terms, the graph.")
    ] = DEFAULTS.why,
    engine: Annotated[str, typer.Option(help="auto, hyperscan or aho-corasick: the answers are the same.")] = DEFAULTS.engine,
    kb: Kb = DEFAULTS.kb,
    article_url: Annotated[
        str, typer.Option("--article-url", metavar="URL", help="Where articles can be read, with {cause} for the cause.")
    ] = DEFAULTS.article_url,
) -> None:
    """Say why the builds that wrote these logs failed.

    Example: gh run view 123 --log-failed | logkb analyze
    """
    options = commands.AnalyzeOptions(
        cast(commands.Format, format.value), top, context, min_confidence, exit_code, why, engine, kb, article_url
    )
    raise typer.Exit(commands.run_analyze(logs or [], options))


@app.command()
def explain(cause: Annotated[str, typer.Argument(help="A cause, as `logkb causes` lists them.")], kb: Kb = None) -> None:
    """Print the article of a cause.

    Example: logkb explain disk-full
    """
    raise typer.Exit(commands.run_explain(cause, kb))


@app.command()
def causes(family: Annotated[str, typer.Option(help="Only this family.")] = "", kb: Kb = None) -> None:
    """List the causes: id, family, title.

    Example: logkb causes --family container
    """
    raise typer.Exit(commands.run_causes(family, kb))


@app.command()
def rules(
    test: Annotated[Path | None, typer.Option("--test", metavar="FILE", help="Show which rules fire where in this log.")] = None,
    cause: Annotated[str, typer.Option(help="Only the rules of this cause.")] = "",
    kb: Kb = None,
) -> None:
    """List the rules, or show which of them fire where in a log.

    Example: logkb rules --test build.log
    """
    raise typer.Exit(commands.run_rules(test, cause, kb))


@app.command()
def check(
    deep: Annotated[
        bool, typer.Option("--deep", help="Also hold all rules, articles and the corpus against each other; takes minutes.")
    ] = False,
    kb: Kb = None,
) -> None:
    """Check rules and articles: every sample through the real engine, every article's log, the graph.

    Example: logkb check --deep --kb ./my-rules
    """
    raise typer.Exit(commands.run_check(kb, deep))


@app.command()
def gaps(
    folder: Annotated[Path, typer.Argument(help="A folder with logs; all below it are read.")],
    top: Annotated[int | None, typer.Option(min=1, help="At most this many clusters.")] = None,
    kb: Kb = None,
) -> None:
    """Cluster the failed logs that no rule names, the largest cluster first, each with a draft rule.

    Example: logkb gaps ./failed-logs --top 10
    """
    raise typer.Exit(commands.run_gaps(folder, top, kb))


@bring.command("rules")
def import_rules(
    file: Annotated[
        Path, typer.Argument(help="A problem matcher, a Build Failure Analyzer export, a known issue, or a vim errorformat.")
    ],
    folder: Annotated[Path | None, typer.Option("--in", metavar="DIR", help="Where to write; .logkb/ if not given.")] = None,
) -> None:
    """Translate other people's rules into drafts for you to review.

    Example: logkb import rules .github/eslint-matcher.json
    """
    raise typer.Exit(commands.run_import_rules(file, folder))


@app.command()
def label(
    log: Annotated[Path, typer.Argument(help="The log; '-' is standard input.")],
    cause: Annotated[str, typer.Argument(help="Why it failed: a cause that exists, or one of your own.")],
    kb: Kb = None,
) -> None:
    """Keep a masked copy of a log as an example of a cause, for `logkb train`.

    Example: logkb label build.log licence-missing
    """
    raise typer.Exit(commands.run_label(log, cause, kb))


@app.command()
def train(
    kb: Kb = None,
    corpus: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Make the shipped model anew from this corpus, in a clone of logkb.")
    ] = None,
) -> None:
    """Train the classifier on your labelled logs together with the shipped examples. Needs the extra `train`.

    Example: logkb train
    """
    raise typer.Exit(commands.run_train(kb, corpus))


@app.command()
def evaluate(
    corpus: Annotated[Path | None, typer.Option(metavar="DIR", help="A corpus; cross-validated by recipe family and tool.")] = None,
    manifest: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A manifest of labelled logs (path, status, cause, accept, key_line).")
    ] = None,
    root: Annotated[Path | None, typer.Option(metavar="DIR", help="The folder that the manifest's paths start in.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    write: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a Markdown page, and its plots beside it.")] = None,
    search: Annotated[bool, typer.Option("--search", help="Measure `logkb search` instead, on corpus/queries.tsv.")] = False,
) -> None:
    """Measure how often logkb is right, and whether its confidence means what it says. Needs the extra `train`.

    Example: logkb evaluate --manifest labelled.jsonl --root logs
    """
    if search:
        raise typer.Exit(commands.run_evaluate_search(json))
    raise typer.Exit(commands.run_evaluate(corpus, manifest, root, json, write))


@new.command("rule")
def new_rule(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="The rule's id, such as mytool-no-licence.")],
    cause: Annotated[str, typer.Option(help="The cause that the line names; your own is welcome.")],
    line: Annotated[str, typer.Option(help="The line of the log that the rule must match.")],
    folder: Annotated[Path | None, typer.Option("--in", metavar="DIR", help="Where to write; .logkb/ if not given.")] = None,
) -> None:
    """Write a draft rule that matches a line.

    Example: logkb new rule mytool-no-licence --cause licence-missing --line 'mytool: no licence found'
    """
    raise typer.Exit(commands.run_new_rule(identifier, cause, line, folder))


@new.command("article")
def new_article(
    cause: Annotated[str, typer.Argument(help="The cause's id, such as licence-missing.")],
    title: Annotated[str, typer.Option(help="The article's title.")],
    family: Annotated[str, typer.Option(help="The family that it belongs to.")] = "house",
    folder: Annotated[Path | None, typer.Option("--in", metavar="DIR", help="Where to write; .logkb/ if not given.")] = None,
) -> None:
    """Write the skeleton of an article with every heading.

    Example: logkb new article licence-missing --title "The tool has no licence"
    """
    raise typer.Exit(commands.run_new_article(cause, title, family, folder))


def run() -> int:
    """Run the command line; returns the exit status. Errors that we know become one line on standard error."""
    try:
        app()
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0 if done.code is None else 1
    except LogkbError as error:
        print(f"logkb: {error}", file=sys.stderr)
        return 2
    return 0
