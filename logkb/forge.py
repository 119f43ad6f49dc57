"""What GitHub and GitLab have in common: the words, the settings, and what the bot asks of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from logkb.errors import ForgeError, UsageError
from logkb.waiting import Patience

ForgeName = Literal["github", "gitlab"]
GITHUB_API, GITLAB_API = "https://api.github.com", "https://gitlab.com/api/v4"
SILENCE = "logkb-silence"


@dataclass(frozen=True, slots=True)
class Target:
    """What to comment on: a run (GitHub's workflow run, GitLab's pipeline), a pull or merge request, or a commit.

    `repository` is `owner/name` on GitHub and the full path or the numeric id of the project on GitLab. At least one of
    `run`, `pull_request` and `commit` is given; what is missing is looked up.
    """

    forge: ForgeName
    repository: str
    run: int | None = None
    pull_request: int | None = None
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class GitHubApp:
    """A GitHub App. `installation` None: the one that covers the repository is looked up."""

    app: str
    private_key: str = field(repr=False)
    installation: int | None = None


@dataclass(frozen=True, slots=True)
class BotSettings:
    """How to reach the forge, and how the bot behaves.

    `api` is the root of the REST API (None: github.com's or gitlab.com's). `max_log_bytes` bounds what is kept of one log:
    its beginning and its end. In seconds: `wait` is the longest time that one call spends waiting for a busy server, `timeout`
    that a server may be silent, `transfer` that one log may take.
    `author` is the account that writes the comments, when it cannot be asked for. `own_run` and `own_job` (on GitHub the
    runner's name, on GitLab the job's id) say where the bot itself runs, so that it does not wait for itself. `article_url` is
    where articles can be read, with `{cause}` for the cause.
    """

    api: str | None = None
    token: str | None = field(default=None, repr=False)
    app: GitHubApp | None = None
    threshold: float = 0.5
    silence_label: str = SILENCE
    max_jobs: int = 50
    max_log_bytes: int = 64 * 1024**2
    recreate: bool = False
    dry_run: bool = False
    overlays: tuple[Path, ...] = ()
    wait: float = 120.0
    timeout: float = 30.0
    transfer: float = 120.0
    author: str | None = None
    own_run: int | None = None
    own_job: str | None = None
    article_url: str = ""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request or merge request; `head` is the commit that it stands at."""

    number: int
    head: str
    open: bool
    labels: tuple[str, ...]
    url: str


@dataclass(frozen=True, slots=True)
class Job:
    """A failed job. `key` is what the forge needs to fetch its log."""

    name: str
    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Jobs:
    """The state of a commit's runs: the failed jobs, how many are not finished, and how many runs ended otherwise.

    `unclear` counts runs that did not succeed and have no failed job: cancelled, or a workflow that could not start.
    """

    failed: tuple[Job, ...]
    pending: int = 0
    unclear: int = 0


@dataclass(frozen=True, slots=True)
class Posted:
    """A comment of ours on the pull request. Ids grow with time."""

    id: int
    body: str
    url: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a target leads to: the pull request (None: there is none), and whether it has moved on since."""

    pull_request: PullRequest | None
    outdated: bool = False


class NotThere(ForgeError):
    """The forge knows nothing of this, or does not show it to this token."""


class LogGone(Exception):
    """The log is not there any more: expired or deleted."""


class Forge(Protocol):
    """What the bot asks of GitHub or GitLab. Everything may raise `ForgeError`, and `TransientError` when it may work later."""

    @property
    def patience(self) -> Patience:
        """How long all calls together may wait."""
        ...

    def find(self, target: Target) -> Found:
        """The pull request of a target."""
        ...

    def jobs(self, found: Found, target: Target) -> Jobs:
        """The jobs of the latest attempt of every run of the pull request's head."""
        ...

    def jobs_of(self, run: int) -> Jobs:
        """The jobs of a run's (or a pipeline's) latest attempt, whether or not it belongs to a pull request."""
        ...

    def job(self, number: int) -> Job:
        """One job by its id."""
        ...

    def fetch_log(self, job: Job, into: BinaryIO, limit: int) -> bool:
        """Write a job's log; True when its middle was left out for the limit. Raises `LogGone`."""
        ...

    def comments(self, pull_request: PullRequest, starts_with: str) -> Sequence[Posted]:
        """Our own comments that begin with the marker, oldest first."""
        ...

    def create(self, pull_request: PullRequest, body: str) -> Posted:
        """Post a comment."""
        ...

    def update(self, pull_request: PullRequest, posted: Posted, body: str) -> Posted:
        """Change a comment."""
        ...

    def delete(self, pull_request: PullRequest, posted: Posted) -> None:
        """Take a comment away; one that is gone already is no error."""
        ...


def settings_from(forge: ForgeName, environ: Mapping[str, str]) -> BotSettings:
    """Addresses, credentials and where the bot runs, from the environment. Raises `UsageError` for what cannot be meant."""
    article_url = environ.get("LOGKB_ARTICLE_URL", "")
    if forge == "gitlab":
        token = environ.get("GITLAB_TOKEN") or environ.get("LOGKB_GITLAB_TOKEN")
        own = _number(environ, "CI_PIPELINE_ID")
        return BotSettings(
            api=environ.get("CI_API_V4_URL") or None,
            token=token or None,
            own_run=own,
            own_job=environ.get("CI_JOB_ID") or None,
            article_url=article_url,
        )
    return BotSettings(
        api=environ.get("GITHUB_API_URL") or None,
        token=environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or None,
        app=_app(environ),
        own_run=_number(environ, "GITHUB_RUN_ID"),
        own_job=environ.get("RUNNER_NAME") or None,
        article_url=article_url,
    )


def _app(environ: Mapping[str, str]) -> GitHubApp | None:
    app = environ.get("LOGKB_GITHUB_APP_ID")
    if not app:
        return None
    key, file = environ.get("LOGKB_GITHUB_APP_KEY"), environ.get("LOGKB_GITHUB_APP_KEY_FILE")
    if not key and file:
        try:
            key = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"LOGKB_GITHUB_APP_KEY_FILE: {file} cannot be read ({type(error).__name__}); name the App's .pem"
            ) from None
    if not key:
        raise UsageError("LOGKB_GITHUB_APP_ID is set without a key; set LOGKB_GITHUB_APP_KEY or LOGKB_GITHUB_APP_KEY_FILE")
    return GitHubApp(app, key, _number(environ, "LOGKB_GITHUB_APP_INSTALLATION"))


def _number(environ: Mapping[str, str], name: str) -> int | None:
    value = environ.get(name, "").strip()
    if not value:
        return None
    if not (value.isascii() and value.isdigit()):
        raise UsageError(f"{name} is '{value[:40]}'; it must be a number")
    return int(value)
