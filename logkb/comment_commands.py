"""What `logkb comment` does: find out from the environment and the options what is meant, call the bot, say what was done."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from logkb.bot import comment
from logkb.errors import UsageError
from logkb.forge import BotSettings, ForgeName, Target, settings_from
from logkb.report import safe

DEFAULTS = BotSettings()


@dataclass(frozen=True, slots=True)
class CommentOptions:
    """The options of `logkb comment`; None means that the environment tells."""

    forge: ForgeName | None = None
    repository: str | None = None
    run: int | None = None
    pull_request: int | None = None
    commit: str | None = None
    api: str | None = None
    author: str | None = None
    threshold: float = DEFAULTS.threshold
    silence_label: str = DEFAULTS.silence_label
    max_jobs: int = DEFAULTS.max_jobs
    recreate: bool = False
    dry_run: bool = False
    article_url: str = ""


def run_comment(logs: Sequence[Path], options: CommentOptions, overlays: tuple[Path, ...], environ: Mapping[str, str]) -> int:
    """Bring the comment up to date and print what was done; a dry run prints the comment itself."""
    if options.article_url and not options.article_url.startswith(("https://", "http://")):
        raise UsageError(f"--article-url '{options.article_url}' is no URL; write it like https://example.org/kb/{{cause}}.html")
    target, settings = plan(options, environ)
    result = comment(target, replace(settings, overlays=overlays), logs=logs)
    if settings.dry_run:
        print(f"logkb: {safe(result.reason)}", file=sys.stderr)
        if result.body is not None:
            print(result.body, end="")
    else:
        print(f"{result.action}: {safe(result.reason)}" + (f" ({safe(result.url)})" if result.url else ""))
    return 0


def plan(options: CommentOptions, environ: Mapping[str, str]) -> tuple[Target, BotSettings]:
    """What to comment on, and how: the options, and for the rest what GitHub Actions or GitLab CI say. Raises `UsageError`."""
    forge = options.forge or _forge(environ)
    found = _in_actions(environ) if forge == "github" else _in_gitlab_ci(environ)
    # Whoever names one of them does not mean what the environment says of the others.
    named = (options.run, options.pull_request, options.commit) != (None, None, None) or options.repository is not None
    run, pull_request, commit = (
        (options.run, options.pull_request, options.commit) if named else (found.run, found.pull_request, found.commit)
    )
    repository = options.repository or found.repository
    if not repository:
        raise UsageError("no repository; name it with --repo owner/name (in GitHub Actions and GitLab CI it is known)")
    if (run, pull_request, commit) == (None, None, None):
        raise UsageError("nothing to comment on; name --pr, --run or --commit (in GitHub Actions and GitLab CI they are known)")
    settings = settings_from(forge, environ)
    return Target(forge, repository, run, pull_request, commit), replace(
        settings,
        api=options.api or settings.api,
        author=options.author or settings.author,
        threshold=options.threshold,
        silence_label=options.silence_label,
        max_jobs=options.max_jobs,
        recreate=options.recreate,
        dry_run=options.dry_run,
        article_url=options.article_url or settings.article_url,
    )


def forge_of(name: str) -> ForgeName | None:
    """The forge of that name; None for an empty one. Raises `UsageError`."""
    if name not in ("", "github", "gitlab"):
        raise UsageError(f"unknown forge '{name}'; use github or gitlab")
    return cast(ForgeName, name) if name else None


def _forge(environ: Mapping[str, str]) -> ForgeName:
    if environ.get("GITLAB_CI") == "true":
        return "gitlab"
    if environ.get("GITHUB_ACTIONS") == "true":
        return "github"
    # Outside a CI system the token tells.
    has_github = any(environ.get(name) for name in ("GITHUB_TOKEN", "GH_TOKEN", "LOGKB_GITHUB_APP_ID"))
    has_gitlab = any(environ.get(name) for name in ("GITLAB_TOKEN", "LOGKB_GITLAB_TOKEN"))
    if has_github == has_gitlab:
        raise UsageError("GitHub or GitLab? say --forge github or --forge gitlab, and set GITHUB_TOKEN or GITLAB_TOKEN")
    return "github" if has_github else "gitlab"


def _in_actions(environ: Mapping[str, str]) -> Target:
    """In a workflow on `workflow_run` the run that ended is meant; else the run that this job belongs to."""
    event = _event(environ.get("GITHUB_EVENT_PATH"))
    repository = environ.get("GITHUB_REPOSITORY", "")
    finished = event.get("workflow_run")
    if isinstance(finished, dict) and isinstance(finished.get("id"), int):
        return Target("github", repository, run=finished["id"])
    run = _number(environ, "GITHUB_RUN_ID")
    pull = event.get("pull_request")
    if isinstance(pull, dict) and isinstance(pull.get("number"), int):
        head = pull.get("head")
        sha = head.get("sha") if isinstance(head, dict) else None
        return Target("github", repository, run, pull["number"], sha if isinstance(sha, str) else None)
    return Target("github", repository, run)


def _event(path: str | None) -> dict[str, Any]:
    if not path:
        return {}
    try:
        made = json.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"GITHUB_EVENT_PATH: {path} cannot be read ({type(error).__name__}); name --pr or --run instead") from None
    return made if isinstance(made, dict) else {}


def _in_gitlab_ci(environ: Mapping[str, str]) -> Target:
    """A fork's pipeline may run in the fork; the merge request is in the project that it goes to."""
    project = environ.get("CI_MERGE_REQUEST_PROJECT_ID") or environ.get("CI_PROJECT_ID") or ""
    number = _number(environ, "CI_MERGE_REQUEST_IID")
    run = _number(environ, "CI_PIPELINE_ID")
    # A pipeline for merged results runs on a commit of its own, and names the branch's beside it.
    commit = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ.get("CI_COMMIT_SHA") or None
    return Target("gitlab", project, run, number, commit)


def _number(environ: Mapping[str, str], name: str) -> int | None:
    value = environ.get(name, "").strip()
    return int(value) if value.isascii() and value.isdigit() else None
