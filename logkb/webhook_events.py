"""What a delivery says: whether its sender knows the secret, and which pull request or commit there is work for."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from logkb.forge import Target

GITHUB_EVENTS = ("workflow_run", "workflow_job", "check_run")
GITLAB_EVENTS = ("Pipeline Hook", "Job Hook")
# Conclusions that can change what a comment says; the others (skipped, neutral, stale, action_required) cannot.
GITHUB_CONCLUSIONS = frozenset({"success", "failure", "timed_out", "startup_failure", "cancelled"})
GITLAB_STATUSES = frozenset({"success", "failed", "canceled"})
# Seconds that a signed timestamp may lie apart from this clock, as the Standard Webhooks specification advises.
TOLERANCE = 300
GITHUB_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
GITLAB_NAME = re.compile(r"[A-Za-z0-9_][\w.-]{0,254}(?:/[A-Za-z0-9_.][\w.-]{0,254}){1,20}", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
ACTIONS_RUN = re.compile(r"/actions/runs/([1-9][0-9]{0,17})(?:/|$)")
LARGEST_ID = 2**63 - 1


class BadPayload(ValueError):
    """A delivery that its own forge would not have sent. The message says which part."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that asks for no work, and why."""

    why: str


def github_signature_holds(body: bytes, header: str, secrets: Sequence[str]) -> bool:
    """Whether `X-Hub-Signature-256` is the HMAC-SHA256 of the raw body under one of the secrets. Constant time for each secret.

    Source: GitHub's "Validating webhook deliveries".
    """
    holds = False
    for secret in secrets:
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        holds |= hmac.compare_digest(expected.encode(), header.encode("utf-8", "surrogateescape"))
    return holds


def gitlab_token_holds(header: str, tokens: Sequence[str]) -> bool:
    """Whether `X-Gitlab-Token` is one of the tokens, compared in constant time."""
    # A header's bytes come as Latin-1; a token of other letters is sent in UTF-8.
    given = hashlib.sha256(header.encode("latin-1", "backslashreplace")).digest()
    holds = False
    for token in tokens:
        holds |= hmac.compare_digest(hashlib.sha256(token.encode()).digest(), given)
    return holds


def gitlab_signature_holds(body: bytes, headers: Mapping[str, str], keys: Sequence[bytes], now: float) -> bool:
    """Whether `webhook-signature` signs id, time and body under one of the keys, at a time near `now` (seconds since the epoch).

    GitLab's signing tokens follow the Standard Webhooks specification: base64 of HMAC-SHA256 over `id.timestamp.body`, after `v1,`;
    several signatures are separated by spaces.
    """
    identifier, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not identifier or not re.fullmatch(r"\d{1,12}", stamp, re.ASCII) or abs(now - int(stamp)) > TOLERANCE:
        return False
    signed = f"{identifier}.{stamp}.".encode("utf-8", "surrogateescape") + body
    given = [_unpacked(part) for part in headers.get("webhook-signature", "").split(" ")[:8]]
    holds = False
    for key in keys:
        expected = hmac.new(key, signed, hashlib.sha256).digest()
        for signature in given:
            holds |= hmac.compare_digest(expected, signature)
    return holds


def _unpacked(part: str) -> bytes:
    version, _, text = part.partition(",")
    try:
        return base64.b64decode(text, validate=True) if version == "v1" else b""
    except (ValueError, binascii.Error):
        return b""


def read_json(body: bytes) -> Mapping[str, Any]:
    """The object in the body. Raises `BadPayload`."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise BadPayload("the body is not JSON") from None
    if not isinstance(payload, dict):
        raise BadPayload("the body is not a JSON object")
    return payload


def github_target(event: str, payload: Mapping[str, Any]) -> Target | Ignored:
    """What a GitHub event asks for. Raises `BadPayload` when a part that the event must have is missing or of another kind."""
    if event not in GITHUB_EVENTS:
        return Ignored(f"the event '{event[:40]}' asks for no work")
    if payload.get("action") != "completed":
        return Ignored("not completed")
    thing = _object(payload, event)
    if str(thing.get("conclusion")) not in GITHUB_CONCLUSIONS:
        return Ignored("its conclusion changes no comment")
    repository = _object(payload, "repository")
    return Target(
        "github",
        _name(repository, "full_name", GITHUB_NAME),
        run=_actions_run(thing) if event == "check_run" else _number(thing, "id" if event == "workflow_run" else "run_id"),
        pull_request=_pull_request(thing.get("pull_requests"), repository.get("id")),
        commit=_commit(thing, "head_sha"),
    )


def gitlab_target(event: str, payload: Mapping[str, Any]) -> Target | Ignored:
    """What a GitLab event asks for. Raises `BadPayload` when a part that the event must have is missing or of another kind."""
    if event not in GITLAB_EVENTS:
        return Ignored(f"the event '{event[:40]}' asks for no work")
    project = _object(payload, "project")
    name = _name(project, "path_with_namespace", GITLAB_NAME)
    if event == "Job Hook":
        if str(payload.get("build_status")) not in GITLAB_STATUSES:
            return Ignored("not finished")
        return Target("gitlab", name, run=_number(payload, "pipeline_id"), commit=_commit(payload, "sha"))
    pipeline = _object(payload, "object_attributes")
    if str(pipeline.get("status")) not in GITLAB_STATUSES:
        return Ignored("not finished")
    request = payload.get("merge_request")
    number = None
    # A fork's pipeline names a merge request of another project, where this number means something else.
    if isinstance(request, dict) and request.get("target_project_id") == project.get("id"):
        number = _number(request, "iid")
    return Target("gitlab", name, run=_number(pipeline, "id"), pull_request=number, commit=_commit(pipeline, "sha"))


def _actions_run(check: Mapping[str, Any]) -> int | None:
    """The workflow run that a check belongs to; only the address of its details names it. None for other CI systems' checks."""
    address = check.get("details_url")
    found = ACTIONS_RUN.search(address) if isinstance(address, str) else None
    return int(found[1]) if found else None


def _pull_request(listed: object, repository: object) -> int | None:
    """The one pull request into this repository, where the event names exactly one."""
    if not isinstance(listed, list):
        return None
    numbers = set()
    for item in listed:
        base = item.get("base") if isinstance(item, dict) else None
        home = base.get("repo") if isinstance(base, dict) else None
        if isinstance(home, dict) and home.get("id") == repository:
            numbers.add(_number(item, "number"))
    return numbers.pop() if len(numbers) == 1 else None


def subject_of(target: Target) -> str:
    """What the work is about: a pull request where it is known, else a commit, else a run. Names are not case-sensitive."""
    home = f"{target.forge}:{target.repository.lower()}"
    if target.pull_request is not None:
        return f"{home}#{target.pull_request}"
    return f"{home}@{target.commit}" if target.commit else f"{home}/run/{target.run}"


def dump_target(target: Target) -> str:
    """The target as it is stored."""
    return json.dumps({name: value for name, value in asdict(target).items() if value is not None}, sort_keys=True)


def load_target(text: str) -> Target:
    """A stored target."""
    return Target(**json.loads(text))


def _object(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = payload.get(name)
    if not isinstance(value, dict):
        raise BadPayload(f"'{name}' is missing or no object")
    return value


def _number(payload: Mapping[str, Any], name: str) -> int:
    value = payload.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= LARGEST_ID:
        raise BadPayload(f"'{name}' is missing or no positive number")
    return value


def _name(payload: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not form.fullmatch(value) or any(part in (".", "..") for part in value.split("/")):
        raise BadPayload(f"'{name}' is missing or no repository's name")
    return value


def _commit(payload: Mapping[str, Any], name: str) -> str | None:
    value = payload.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not COMMIT.fullmatch(value):
        raise BadPayload(f"'{name}' is no commit")
    return value
