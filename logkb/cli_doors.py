"""The commands that open other doors than the terminal: a web page, comments, tools for language models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Kb = Annotated[Path | None, typer.Option("--kb", metavar="DIR", help="A folder of your own rules and articles; they win.")]


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on; only this machine reaches the default.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8765,
    limit: Annotated[int, typer.Option(min=1, metavar="MB", help="The largest log that is taken, as it is sent.")] = 100,
    history: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep reports and masked logs here, so that links to them can be shared.")
    ] = None,
    keep_days: Annotated[int, typer.Option(min=1, help="With --history: keep a report for so many days.")] = 30,
    keep_reports: Annotated[int, typer.Option(min=1, help="Keep at most so many reports.")] = 1000,
    allowed_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A name that people call this server by; may be given again.")
    ] = None,
    webhooks_only: Annotated[
        bool, typer.Option("--webhooks-only", help="Serve the webhooks without the pages, for a server that the internet reaches.")
    ] = False,
    webhook_workers: Annotated[int, typer.Option(min=1, max=64, help="Work on so many pull requests at once.")] = 2,
    deliveries: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where accepted deliveries are kept; the state folder if not given.")
    ] = None,
    kb: Kb = None,
) -> None:
    """Serve a web page and a JSON API that analyse logs. Needs the extra `serve`.

    With LOGKB_GITHUB_WEBHOOK_SECRET, LOGKB_GITLAB_WEBHOOK_TOKEN or LOGKB_GITLAB_SIGNING_TOKEN set (or the same name with _FILE and
    a path), it also takes the webhooks of GitHub and GitLab and comments on pull requests, with the credentials of `logkb comment`.
    Needs the extra `bot`, too.

    Example: logkb serve --port 8080
    """
    import os

    from logkb.commands import overlays
    from logkb.serve_commands import run_serve
    from logkb.serve_settings import MEGABYTE, TEMPORARY, ServeSettings
    from logkb.webhook_settings import webhook_settings

    webhooks = webhook_settings(os.environ, store=deliveries, workers=webhook_workers)
    settings = ServeSettings(
        host=host, port=port, limit_bytes=limit * MEGABYTE, expanded_bytes=10 * limit * MEGABYTE, history=history,
        keep_seconds=TEMPORARY if history is None else keep_days * 86_400, keep_reports=keep_reports, overlays=overlays(kb),
        allowed_hosts=tuple(allowed_host or ()), webhooks=webhooks, webhooks_only=webhooks_only,
    )  # fmt: skip
    raise typer.Exit(run_serve(settings))


@app.command()
def comment(
    logs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[LOG]...", help="Logs to analyse instead of those of the failed jobs; needs --pr."),
    ] = None,
    forge: Annotated[str, typer.Option(help="github or gitlab; the CI system or the token tells.")] = "",
    repo: Annotated[str, typer.Option(metavar="NAME", help="The repository: owner/name, or GitLab's project path or id.")] = "",
    run: Annotated[int | None, typer.Option(min=1, metavar="ID", help="A workflow run, or a pipeline.")] = None,
    pr: Annotated[int | None, typer.Option("--pr", "--mr", min=1, metavar="N", help="A pull request, or a merge request.")] = None,
    commit: Annotated[str, typer.Option(metavar="SHA", help="A commit.")] = "",
    api: Annotated[str, typer.Option(metavar="URL", help="The REST API of a server of your own.")] = "",
    author: Annotated[
        str, typer.Option(metavar="LOGIN", help="The account that writes the comments, if the token cannot say.")
    ] = "",
    threshold: Annotated[float, typer.Option(min=0.0, max=1.0, help="Post nothing when no cause is at least this probable.")] = 0.5,
    silence_label: Annotated[
        str, typer.Option(metavar="LABEL", help="Pull requests with this label get no comment.")
    ] = "logkb-silence",
    max_jobs: Annotated[int, typer.Option(min=1, help="Read the logs of at most this many failed jobs.")] = 50,
    recreate: Annotated[
        bool, typer.Option("--recreate", help="Post anew instead of editing, so that people are notified.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the comment and change nothing.")] = False,
    article_url: Annotated[
        str, typer.Option("--article-url", metavar="URL", help="Where articles can be read, with {cause} for the cause.")
    ] = "",
    kb: Kb = None,
) -> None:
    """Say on a pull request why its build failed, in one comment that is kept up to date. Needs the extra `bot`.

    In GitHub Actions and GitLab CI it finds out by itself what to comment on. Credentials come from the environment:
    GITHUB_TOKEN, or LOGKB_GITHUB_APP_ID with LOGKB_GITHUB_APP_KEY; GITLAB_TOKEN.

    Example: GITHUB_TOKEN=$(gh auth token) logkb comment --repo octo/app --pr 7 --dry-run
    """
    import os

    from logkb.commands import overlays
    from logkb.comment_commands import CommentOptions, forge_of, run_comment

    options = CommentOptions(
        forge_of(forge), repo or None, run, pr, commit or None, api or None, author or None, threshold, silence_label, max_jobs,
        recreate, dry_run, article_url,
    )  # fmt: skip
    raise typer.Exit(run_comment(logs or [], options, overlays(kb), os.environ))


@app.command()
def mcp(
    root: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Read logs below this folder only; may be given again. Default: the working directory."),
    ] = None,
    http: Annotated[bool, typer.Option("--http", help="Streamable HTTP instead of standard input and output.")] = False,
    host: Annotated[str, typer.Option(help="With --http: the address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="With --http: the port; 0 takes a free one.")] = 8766,
    allowed_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="With --http: a further name of this server; may be given again.")
    ] = None,
    kb: Kb = None,
) -> None:
    """Give language models the tools analyze_log, get_lines, explain_cause, search_kb and list_causes. Needs the extra `mcp`.

    A server of the Model Context Protocol; clients start it. With GITHUB_TOKEN or GITLAB_TOKEN set it also reads the logs of
    runs (needs the extra `bot`, too). With LOGKB_MCP_TOKEN, or a path in LOGKB_MCP_TOKEN_FILE, HTTP requests need that token.

    Example: claude mcp add logkb -- logkb mcp --root .
    """
    import os

    from logkb.commands import overlays
    from logkb.mcp_commands import http_plan, plan, run_mcp

    settings = plan(root or [], overlays(kb), os.environ)
    raise typer.Exit(run_mcp(settings, http_plan(host, port, allowed_host or [], os.environ) if http else None))
