"""What the webhook server was told: secrets and places, from environment variables and files, never from the command line."""

from __future__ import annotations

import base64
import binascii
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from logkb.errors import UsageError
from logkb.forge import BotSettings, ForgeName, settings_from

GITHUB_SECRET = "LOGKB_GITHUB_WEBHOOK_SECRET"
GITLAB_TOKEN = "LOGKB_GITLAB_WEBHOOK_TOKEN"
GITLAB_SIGNING = "LOGKB_GITLAB_SIGNING_TOKEN"
SHORTEST_SECRET = 16


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """How deliveries are checked, kept and worked. Times are seconds, sizes bytes.

    `forges` says how to write comments. Any of a forge's secrets is accepted, so that an old one and a new one can both hold for a
    while. `limit_bytes` is GitHub's own cap. A task starts `settle` after the first delivery that wants it, so that the events of
    one push become one piece of work. A task that fails is tried again after `first_pause`, twice that, and so on up to
    `longest_pause`; after `tries` of them, or when it is older than `longest_age`, it is given up. `stop_seconds` bounds how long a
    stop waits for work in progress.
    """

    store: Path
    forges: Mapping[ForgeName, BotSettings] = field(default_factory=dict)
    github_secrets: tuple[str, ...] = field(default=(), repr=False)
    gitlab_tokens: tuple[str, ...] = field(default=(), repr=False)
    gitlab_signing: tuple[bytes, ...] = field(default=(), repr=False)
    workers: int = 2
    limit_bytes: int = 25 * 1024**2
    body_seconds: float = 20.0
    settle: float = 2.0
    tries: int = 8
    first_pause: float = 2.0
    longest_pause: float = 600.0
    longest_age: float = 24 * 3600.0
    keep_days: float = 30.0
    stop_seconds: float = 20.0


def webhook_settings(environment: Mapping[str, str], *, store: Path | None = None, workers: int = 2) -> WebhookSettings | None:
    """The settings that the environment asks for, or None when it names no webhook secret. Raises `UsageError`."""
    github = _secrets(environment, GITHUB_SECRET)
    tokens = _secrets(environment, GITLAB_TOKEN)
    signing = tuple(_signing_key(secret) for secret in _secrets(environment, GITLAB_SIGNING))
    if not (github or tokens or signing):
        return None
    for name, secrets in ((GITHUB_SECRET, github), (GITLAB_TOKEN, tokens)):
        if any(len(secret) < SHORTEST_SECRET for secret in secrets):
            raise UsageError(
                f"{name}: shorter than {SHORTEST_SECRET} characters can be guessed; make one with: openssl rand -hex 32"
            )
    found = WebhookSettings(
        store or default_store(environment),
        _forges(environment, bool(github), bool(tokens or signing)),
        github, tokens, signing, workers=workers,
    )  # fmt: skip
    return replace(
        found,
        settle=_seconds(environment, "LOGKB_WEBHOOK_SETTLE", found.settle),
        first_pause=_seconds(environment, "LOGKB_WEBHOOK_FIRST_PAUSE", found.first_pause),
        stop_seconds=_seconds(environment, "LOGKB_WEBHOOK_STOP", found.stop_seconds),
    )


def _forges(environment: Mapping[str, str], github: bool, gitlab: bool) -> dict[ForgeName, BotSettings]:
    """How to comment on the forges whose webhooks are taken. Raises `UsageError` when a token is missing."""
    known = dict(environment)
    for name in ("GITHUB_TOKEN", "GITLAB_TOKEN"):
        given = _secrets(environment, name)
        if len(given) > 1:
            raise UsageError(f"{name}: more than one token; keep the one that comments are written with")
        if given:
            known[name] = given[0]
    found: dict[ForgeName, BotSettings] = {}
    if github:
        found["github"] = settings_from("github", known)
        if not (found["github"].token or found["github"].app):
            raise UsageError(f"{GITHUB_SECRET} is set, but no token to comment with; set GITHUB_TOKEN or LOGKB_GITHUB_APP_ID")
    if gitlab:
        found["gitlab"] = settings_from("gitlab", known)
        if not found["gitlab"].token:
            raise UsageError(f"{GITLAB_TOKEN} or {GITLAB_SIGNING} is set, but no token to comment with; set GITLAB_TOKEN")
    # A job's variables say which run the bot is part of; a server is part of none.
    return {forge: replace(settings, own_run=None, own_job=None) for forge, settings in found.items()}


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    if not environment.get(name):
        return default
    try:
        value = float(environment[name])
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 86400.0:
        raise UsageError(f"{name}: must be a number of seconds from 0 to 86400")
    return value


def default_store(environment: Mapping[str, str]) -> Path:
    """Where deliveries are kept: systemd's state folder, else the platform's usual place for state."""
    given = environment.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given) / "deliveries.sqlite3"
    if sys.platform == "win32":
        folder = Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        folder = Path(environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return folder / "logkb" / "deliveries.sqlite3"


def _secrets(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The secrets of a variable, and of the file that its `_FILE` variant names; they are separated by white space."""
    text = environment.get(name, "")
    file = environment.get(f"{name}_FILE", "")
    if file:
        try:
            text += "\n" + Path(os.path.expandvars(file)).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{name}_FILE: {file} cannot be read: {error}") from None
        if not text.strip():
            raise UsageError(f"{name}_FILE: {file} is empty; write the webhook's secret into it")
    return tuple(dict.fromkeys(text.split()))


def _signing_key(secret: str) -> bytes:
    """The key in a Standard Webhooks secret, `whsec_` and base64, as GitLab takes it."""
    try:
        if not secret.startswith("whsec_"):
            raise ValueError(secret)
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (ValueError, binascii.Error):
        raise UsageError(f"{GITLAB_SIGNING}: must be 'whsec_' and a base64 key, as GitLab shows it once") from None
    if len(key) < SHORTEST_SECRET:
        raise UsageError(
            f"{GITLAB_SIGNING}: the key is shorter than {SHORTEST_SECRET} bytes; make one with: openssl rand -base64 32"
        )
    return key
