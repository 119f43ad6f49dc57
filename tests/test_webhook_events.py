"""What a delivery says: signatures over the raw body, and which work an event asks for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logkb.forge import Target
from logkb.webhook_events import (
    BadPayload,
    Ignored,
    dump_target,
    github_signature_holds,
    github_target,
    gitlab_signature_holds,
    gitlab_target,
    gitlab_token_holds,
    load_target,
    read_json,
    subject_of,
)

SHA = "3484a3fb816e0859fd6e1cea078d76385ff50625"
NOW = 1_800_000_000.0
KEY = b"k" * 32


def pull(number: int, repository: int = 7) -> dict[str, Any]:
    return {"number": number, "head": {"sha": SHA}, "base": {"ref": "main", "repo": {"id": repository}}}


def github(event: str, **changes: Any) -> dict[str, Any]:
    """A payload in the shape that GitHub documents, with only the parts that are read."""
    thing = {
        "workflow_run": {"id": 41, "head_sha": SHA, "conclusion": "failure", "pull_requests": [pull(2)]},
        "workflow_job": {"id": 77, "run_id": 41, "head_sha": SHA, "conclusion": "failure", "head_branch": "topic"},
        "check_run": {"id": 99, "head_sha": SHA, "conclusion": "failure", "pull_requests": [pull(2)]},
    }.get(event, {})
    return {"action": "completed", event: thing | changes, "repository": {"id": 7, "full_name": "octo/App"}}


def gitlab(kind: str, **changes: Any) -> dict[str, Any]:
    project = {"id": 380, "path_with_namespace": "group/sub/app"}
    if kind == "Job Hook":
        return {"object_kind": "build", "build_status": "failed", "pipeline_id": 31, "sha": SHA, "project": project} | changes
    request = {"iid": 5, "target_project_id": 380}
    attributes = {"id": 31, "sha": SHA, "status": "failed"} | changes.pop("attributes", {})
    return {"object_kind": "pipeline", "object_attributes": attributes, "merge_request": request, "project": project} | changes


@pytest.mark.parametrize(
    ("event", "changes", "expected"),
    [
        ("workflow_run", {}, Target("github", "octo/App", 41, 2, SHA)),
        ("workflow_run", {"conclusion": "success"}, Target("github", "octo/App", 41, 2, SHA)),
        ("workflow_run", {"pull_requests": []}, Target("github", "octo/App", 41, None, SHA)),
        ("workflow_run", {"pull_requests": [pull(2), pull(3)]}, Target("github", "octo/App", 41, None, SHA)),
        ("workflow_run", {"pull_requests": [pull(9, 8), pull(3)]}, Target("github", "octo/App", 41, 3, SHA)),
        ("workflow_job", {}, Target("github", "octo/App", 41, None, SHA)),
        ("check_run", {}, Target("github", "octo/App", None, 2, SHA)),
        (
            "check_run",
            {"details_url": "https://github.com/octo/App/actions/runs/41/job/9"},
            Target("github", "octo/App", 41, 2, SHA),
        ),
        ("check_run", {"details_url": "https://ci.example.org/actions/runs/x"}, Target("github", "octo/App", None, 2, SHA)),
        ("check_run", {"details_url": 7}, Target("github", "octo/App", None, 2, SHA)),
        ("check_run", {"pull_requests": None}, Target("github", "octo/App", None, None, SHA)),
    ],
)
def test_a_completed_github_event_names_its_target(event: str, changes: dict[str, Any], expected: Target) -> None:
    assert github_target(event, github(event, **changes)) == expected


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("Pipeline Hook", {}, Target("gitlab", "group/sub/app", 31, 5, SHA)),
        ("Pipeline Hook", {"attributes": {"status": "success"}}, Target("gitlab", "group/sub/app", 31, 5, SHA)),
        ("Pipeline Hook", {"merge_request": None}, Target("gitlab", "group/sub/app", 31, None, SHA)),
        ("Pipeline Hook", {"merge_request": {"iid": 5, "target_project_id": 1}}, Target("gitlab", "group/sub/app", 31, None, SHA)),
        ("Job Hook", {}, Target("gitlab", "group/sub/app", 31, None, SHA)),
    ],
)
def test_a_finished_gitlab_event_names_its_target(kind: str, changes: dict[str, Any], expected: Target) -> None:
    assert gitlab_target(kind, gitlab(kind, **changes)) == expected


@pytest.mark.parametrize(
    ("find", "event", "payload"),
    [
        (github_target, "push", {}),
        (github_target, "", {}),
        (github_target, "workflow_run", {"action": "requested"}),
        (github_target, "workflow_job", github("workflow_job") | {"action": "in_progress"}),
        (github_target, "workflow_run", github("workflow_run", conclusion="skipped")),
        (github_target, "check_run", github("check_run", conclusion=None)),
        (gitlab_target, "Push Hook", {}),
        (gitlab_target, "Pipeline Hook", gitlab("Pipeline Hook", attributes={"status": "running"})),
        (gitlab_target, "Job Hook", gitlab("Job Hook", build_status="created")),
        (github_target, "workflow_run", github("workflow_run", conclusion=["failure"])),
        (gitlab_target, "Pipeline Hook", gitlab("Pipeline Hook", attributes={"status": {}})),
        (gitlab_target, "Job Hook", gitlab("Job Hook", build_status=[])),
    ],
)
def test_what_changes_no_comment_is_ignored(find: Callable[..., Any], event: str, payload: dict[str, Any]) -> None:
    assert isinstance(find(event, payload), Ignored)


@pytest.mark.parametrize(
    ("find", "event", "payload", "says"),
    [
        (github_target, "workflow_run", {"action": "completed"}, "'workflow_run' is missing"),
        (github_target, "workflow_run", github("workflow_run", id=True), "'id' is missing or no positive number"),
        (github_target, "workflow_run", github("workflow_run", id=2**64), "'id'"),
        (github_target, "workflow_run", github("workflow_run", id="41; DROP TABLE"), "'id'"),
        (github_target, "workflow_run", github("workflow_run", head_sha="../../etc"), "'head_sha' is no commit"),
        (github_target, "check_run", github("check_run") | {"repository": {"full_name": "octo/../admin"}}, "'full_name'"),
        (github_target, "check_run", github("check_run") | {"repository": {"full_name": "octo/.."}}, "'full_name'"),
        (github_target, "check_run", github("check_run") | {"repository": {"full_name": "octo/a\ud800"}}, "'full_name'"),
        (github_target, "check_run", github("check_run") | {"repository": {"full_name": ["octo/app"]}}, "'full_name'"),
        (gitlab_target, "Job Hook", gitlab("Job Hook") | {"project": 3}, "'project' is missing"),
        (gitlab_target, "Job Hook", gitlab("Job Hook", pipeline_id=-1), "'pipeline_id'"),
        (gitlab_target, "Job Hook", gitlab("Job Hook", project={"path_with_namespace": "group/../x"}), "'path_with_namespace'"),
        (gitlab_target, "Pipeline Hook", gitlab("Pipeline Hook") | {"object_attributes": None}, "'object_attributes'"),
    ],
)
def test_a_payload_that_the_forge_would_not_send_is_refused(
    find: Callable[..., Any], event: str, payload: dict[str, Any], says: str
) -> None:
    with pytest.raises(BadPayload, match=says):
        find(event, payload)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(
    payload=st.dictionaries(
        st.sampled_from(["action", "workflow_run", "check_run", "repository", "project", "object_attributes"]), JSON
    )
)
def test_no_payload_raises_anything_but_bad_payload(payload: dict[str, Any]) -> None:
    for find, event in ((github_target, "workflow_run"), (github_target, "check_run"), (gitlab_target, "Pipeline Hook")):
        try:
            target = find(event, payload | {"action": "completed"})
        except BadPayload:
            continue
        assert isinstance(target, Target | Ignored)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 100_000, b"[]", b"null", b"{", b'"text"', b"payload=%7B%7D"])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload):
        read_json(body)


def test_events_of_one_pull_request_have_one_subject_and_others_another() -> None:
    run = github_target("workflow_run", github("workflow_run"))
    check = github_target("check_run", github("check_run") | {"repository": {"id": 7, "full_name": "Octo/app"}})
    job = github_target("workflow_job", github("workflow_job"))
    merge = gitlab_target("Pipeline Hook", gitlab("Pipeline Hook"))
    assert isinstance(run, Target)
    assert isinstance(check, Target)
    assert isinstance(job, Target)
    assert isinstance(merge, Target)
    assert subject_of(run) == subject_of(check) == "github:octo/app#2"
    assert subject_of(job) == f"github:octo/app@{SHA}"
    assert subject_of(merge) == "gitlab:group/sub/app#5"
    assert subject_of(Target("gitlab", "g/p", run=3)) == "gitlab:g/p/run/3"


@pytest.mark.parametrize(
    "target", [Target("github", "o/r", 1, 2, SHA), Target("gitlab", "g/p", commit=SHA), Target("gitlab", "g/p", 3)]
)
def test_a_target_comes_back_from_the_store_as_it_was(target: Target) -> None:
    assert load_target(dump_target(target)) == target


# The example of GitHub's "Validating webhook deliveries".
SECRET, PAYLOAD = "It's a Secret to Everybody", b"Hello, World!"
DIGEST = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_github_s_own_example_of_a_signature_holds() -> None:
    assert github_signature_holds(PAYLOAD, DIGEST, [SECRET])
    assert github_signature_holds(PAYLOAD, DIGEST, ["a newer secret", SECRET])


@pytest.mark.parametrize(
    ("body", "header", "secrets"),
    [
        (PAYLOAD + b"\n", DIGEST, [SECRET]),
        (PAYLOAD, DIGEST, ["another secret"]),
        (PAYLOAD, DIGEST, []),
        (PAYLOAD, "", [SECRET]),
        (PAYLOAD, DIGEST.removeprefix("sha256="), [SECRET]),
        (PAYLOAD, DIGEST.replace("sha256", "sha1"), [SECRET]),
        (PAYLOAD, DIGEST.upper(), [SECRET]),
        (PAYLOAD, DIGEST[:-1], [SECRET]),
        (PAYLOAD, DIGEST + "0", [SECRET]),
        (PAYLOAD, "sha256=ü\udcff", [SECRET]),
        (PAYLOAD, "sha256=" + hmac.new(SECRET.encode(), PAYLOAD, hashlib.sha1).hexdigest(), [SECRET]),
    ],
)
def test_a_forged_github_signature_does_not_hold(body: bytes, header: str, secrets: list[str]) -> None:
    assert not github_signature_holds(body, header, secrets)


def test_a_gitlab_token_is_one_of_the_known() -> None:
    assert gitlab_token_holds("old token", ["new token", "old token"])
    for header in ("", "old", "old token ", "OLD TOKEN", "tökén\udcff"):
        assert not gitlab_token_holds(header, ["new token", "old token"])
    assert not gitlab_token_holds("", [])


def test_a_gitlab_token_may_have_letters_beyond_ascii() -> None:
    header = "tökén-€-0123456789".encode().decode("latin-1")
    assert gitlab_token_holds(header, ["tökén-€-0123456789"])
    assert not gitlab_token_holds(header, ["tökén-?-0123456789"])


def signed(body: bytes = b"{}", identifier: str = "msg-1", at: float = NOW, key: bytes = KEY) -> dict[str, str]:
    """The headers of GitLab's signed webhooks, as the Standard Webhooks specification has them."""
    text = f"{identifier}.{int(at)}.".encode() + body
    signature = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return {"webhook-id": identifier, "webhook-timestamp": str(int(at)), "webhook-signature": f"v1,{signature}"}


def test_a_gitlab_signature_holds_over_id_time_and_body() -> None:
    assert gitlab_signature_holds(b"{}", signed(), [KEY], NOW)
    assert gitlab_signature_holds(b"{}", signed(), [b"n" * 32, KEY], NOW + 299)
    several = signed() | {"webhook-signature": f"v2,abc v1,{'A' * 43}= {signed()['webhook-signature']}"}
    assert gitlab_signature_holds(b"{}", several, [KEY], NOW)


@pytest.mark.parametrize(
    ("headers", "now"),
    [
        (signed(), NOW + 301),
        (signed(), NOW - 301),
        (signed() | {"webhook-id": "msg-2"}, NOW),
        (signed() | {"webhook-timestamp": str(int(NOW) + 1)}, NOW),
        (signed() | {"webhook-timestamp": "now"}, NOW),
        (signed() | {"webhook-timestamp": "١٨٠٠٠٠٠٠٠٠"}, NOW),
        (signed() | {"webhook-signature": ""}, NOW),
        (signed() | {"webhook-signature": "v1,"}, NOW),
        (signed() | {"webhook-signature": "v1,%%%"}, NOW),
        (signed() | {"webhook-signature": signed()["webhook-signature"].replace("v1", "v1a")}, NOW),
        (signed(b"{} "), NOW),
        (signed(key=b"x" * 32), NOW),
        ({}, NOW),
    ],
)
def test_a_forged_or_old_gitlab_signature_does_not_hold(headers: dict[str, str], now: float) -> None:
    assert not gitlab_signature_holds(b"{}", headers, [KEY], now)


def test_the_signature_is_over_the_bytes_as_they_came() -> None:
    body = json.dumps({"a": 1}).encode()
    assert not gitlab_signature_holds(body.replace(b" ", b""), signed(body), [KEY], NOW)
