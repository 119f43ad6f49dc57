"""The webhook server over real HTTP: what is refused, what is accepted, and what becomes of it."""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import hashlib
import hmac
import io
import json
import logging
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from logkb.errors import ForgeError, TransientError, UsageError
from logkb.forge import Target
from logkb.logging_json import JsonFormatter
from logkb.webhook_settings import GITHUB_SECRET, GITLAB_SIGNING, GITLAB_TOKEN, webhook_settings
from tests.webhook_server import (
    KEY,
    OLD_SECRET,
    PATIENCE,
    SHA,
    TOKEN,
    Recorder,
    Served,
    github_headers,
    serving,
    settings_of,
    until,
    workflow_run,
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(settings_of(tmp_path)) as running:
        yield running


def test_a_signed_delivery_is_accepted_and_worked(served: Served) -> None:
    answer = served.deliver()
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    served.settle()
    assert served.bot.worked == [Target("github", "octo/app", pull_request=2)]


def test_ping_is_answered(served: Served) -> None:
    answer = served.deliver({"zen": "Keep it logically awesome.", "hook_id": 1}, event="ping")
    assert (answer.status_code, answer.json()) == (200, {"status": "pong"})
    assert served.deliver({"zen": "x"}, event="ping", secret="not the secret of anybody").status_code == 401


def test_an_older_secret_still_holds(served: Served) -> None:
    assert served.deliver(secret=OLD_SECRET).status_code == 202


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"secret": "a-secret-that-is-not-this-server's"}, 401),
        ({"x_hub_signature_256": None}, 401),
        ({"x_hub_signature_256": "sha256="}, 401),
        ({"x_hub_signature_256": None, "x_hub_signature": "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6"}, 401),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
        ({"content_type": None}, 415),
        ({"id": None}, 400),
        ({"id": "spaces are no id"}, 400),
    ],
)
def test_a_request_that_github_would_not_send_is_refused_and_not_worked(
    served: Served, changes: dict[str, Any], status: int
) -> None:
    answer = served.deliver(**changes)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert served.client.get("/healthz").json()["queue"]["deliveries"] == 0
    assert served.bot.worked == []


def test_a_changed_body_is_refused(served: Served) -> None:
    body = json.dumps(workflow_run(2)).encode()
    headers = github_headers(body)
    assert (
        served.client.post("/webhooks/github", content=body.replace(b'"number": 2', b'"number": 3'), headers=headers).status_code
        == 401
    )
    assert served.client.post("/webhooks/github", content=body + b" ", headers=headers).status_code == 401
    assert served.client.post("/webhooks/github", content=body, headers=headers).status_code == 202


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe{}", b"[" * 50_000, b'{"action": "completed"}'])
def test_a_signed_body_that_makes_no_sense_is_refused(served: Served, body: bytes) -> None:
    assert served.deliver(body).status_code == 400


@pytest.mark.parametrize("event", ["push", "issue_comment", "", "\x7f", "x" * 300])
def test_an_event_without_work_is_answered_and_left(served: Served, event: str) -> None:
    answer = served.deliver({"ref": "refs/heads/main"}, event=event)
    assert (answer.status_code, answer.json()["status"]) == (202, "ignored")
    assert served.client.get("/healthz").json()["queue"]["deliveries"] == 0


def test_a_replay_is_told_and_not_worked(served: Served) -> None:
    served.deliver()
    served.settle()
    for identifier in ("72d3162e-cc78-11e3-81ab-4c9367dc0958", "another-id-over-the-same-body"):
        answer = served.deliver(id=identifier)
        assert (answer.status_code, answer.json()) == (200, {"status": "already accepted"})
    assert served.deliver(workflow_run(9)).json() == {"status": "already accepted"}, "the id is known"
    served.settle()
    assert served.bot.times(2) == 1
    assert served.bot.times(9) == 0


def test_a_stated_length_beyond_the_limit_is_refused_before_the_body_is_sent(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2])), timeout=PATIENCE) as client:
        client.sendall(
            b"POST /webhooks/github HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-GitHub-Event: ping\r\n"
            b"X-Hub-Signature-256: sha256=00\r\nContent-Length: 30000000\r\n\r\n"
        )
        assert client.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_body_without_a_stated_length_is_refused_at_the_limit(served: Served) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 60_000_000:
            sent += 65_536
            yield b"x" * 65_536

    # The server may close the connection while the client still writes.
    with contextlib.suppress(httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
        assert served.client.post("/webhooks/github", content=endless(), headers=github_headers(b"")).status_code == 413
    assert sent < 60_000_000
    until(
        lambda: served.metrics().get('logkb_webhook_deliveries_total{event="workflow_run",forge="github",outcome="too large"}') == 1
    )


def test_a_body_at_the_limit_is_read_whole(served: Served) -> None:
    payload = workflow_run(2) | {"padding": ""}
    room = served.webhooks.settings.limit_bytes - len(json.dumps(payload).encode())
    body = json.dumps(payload | {"padding": "x" * room}).encode()
    assert served.deliver(body).status_code == 202
    assert served.deliver(body + b" ").status_code == 413


def test_a_body_that_trickles_is_given_up(tmp_path: Path) -> None:
    with (
        serving(settings_of(tmp_path, body_seconds=0.3)) as served,
        socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2])), timeout=PATIENCE) as client,
    ):
        client.sendall(
            b"POST /webhooks/github HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-GitHub-Event: ping\r\n"
            b"X-Hub-Signature-256: sha256=00\r\nContent-Length: 1000\r\n\r\n{"
        )
        assert client.recv(4096).startswith(b"HTTP/1.1 408 ")


def test_a_forge_without_a_secret_is_closed(tmp_path: Path) -> None:
    with serving(settings_of(tmp_path, github_secrets=(), gitlab_tokens=())) as served:
        assert served.deliver().status_code == 404
        assert served.client.post("/webhooks/gitlab", json={}, headers={"X-Gitlab-Token": ""}).status_code == 401
    with serving(settings_of(tmp_path, gitlab_tokens=(), gitlab_signing=())) as served:
        assert served.client.post("/webhooks/gitlab", json={}, headers={"X-Gitlab-Token": ""}).status_code == 404


def pipeline(iid: int | None = 5, status: str = "failed") -> bytes:
    request = {"iid": iid, "target_project_id": 380} if iid else None
    attributes = {"id": 31, "sha": SHA, "status": status}
    project = {"id": 380, "path_with_namespace": "group/app"}
    return json.dumps(
        {"object_kind": "pipeline", "object_attributes": attributes, "merge_request": request, "project": project}
    ).encode()


def gitlab(served: Served, body: bytes, **headers: str) -> int:
    given = {"Content-Type": "application/json", "X-Gitlab-Event": "Pipeline Hook", "X-Gitlab-Event-UUID": "13792a34"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return served.client.post("/webhooks/gitlab", content=body, headers=given).status_code


def test_gitlab_s_token_is_checked_before_the_body(served: Served) -> None:
    assert gitlab(served, pipeline(), X_Gitlab_Token=TOKEN, Idempotency_Key="a") == 202
    assert gitlab(served, pipeline(6), X_Gitlab_Token=TOKEN, Idempotency_Key="a") == 200, "the key is known"
    for token in ("", "wrong", TOKEN + " x"):
        assert gitlab(served, b"not even JSON" * 100_000, X_Gitlab_Token=token, Idempotency_Key="b") == 401
    served.settle()
    assert served.bot.worked == [Target("gitlab", "group/app", pull_request=5)]


def test_gitlab_s_events_without_an_idempotency_key_are_told_apart_by_their_bodies(served: Served) -> None:
    assert gitlab(served, pipeline(5), X_Gitlab_Token=TOKEN) == 202
    assert gitlab(served, pipeline(6), X_Gitlab_Token=TOKEN) == 202, "webhooks that set off one another share the event's UUID"
    assert gitlab(served, pipeline(5), X_Gitlab_Token=TOKEN) == 200


def test_gitlab_s_signature_is_checked_and_a_bad_one_is_not_saved_by_the_token(served: Served) -> None:
    body, stamp = pipeline(), str(int(time.time()))
    signature = base64.b64encode(hmac.new(KEY, f"msg-1.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()
    headers = {"webhook_id": "msg-1", "webhook_timestamp": stamp, "webhook_signature": f"v1,{signature}"}
    assert gitlab(served, body, **headers | {"webhook_timestamp": "1"}, X_Gitlab_Token=TOKEN) == 401
    assert gitlab(served, body + b" ", **headers) == 401
    assert gitlab(served, body, **headers) == 202
    assert gitlab(served, body, **headers) == 200


def test_a_passed_run_after_a_failed_one_is_work_again(served: Served) -> None:
    served.bot.plan[2] = ["created", "folded"]
    served.deliver()
    served.settle()
    served.deliver(workflow_run(2, conclusion="success"), id="second")
    served.settle()
    assert served.bot.times(2) == 2
    assert served.metrics()['logkb_comments_total{action="folded",forge="github"}'] == 1


def test_a_job_without_a_pull_request_is_looked_up_and_joins_its_pull_request(served: Served) -> None:
    served.bot.belongs[SHA] = 2
    job = {"id": 77, "run_id": 41, "head_sha": SHA, "conclusion": "failure"}
    served.deliver(
        {"action": "completed", "workflow_job": job, "repository": {"id": 7, "full_name": "octo/app"}}, event="workflow_job"
    )
    served.settle()
    assert served.bot.asked == [Target("github", "octo/app", 41, None, SHA)]
    assert served.bot.worked == [Target("github", "octo/app", pull_request=2)]


def test_a_run_finds_the_pull_request_of_a_fork_that_its_commit_does_not(tmp_path: Path) -> None:
    class Forked(Recorder):
        def pull_request(self, target: Target) -> int | None:
            super().pull_request(target)
            return 2 if target.run else None

    with serving(settings_of(tmp_path, settle=0.3), Forked()) as served:
        served.deliver(workflow_run(None))
        check = {"id": 99, "head_sha": SHA, "conclusion": "failure", "pull_requests": []}
        payload = {"action": "completed", "check_run": check, "repository": {"id": 7, "full_name": "octo/app"}}
        served.deliver(payload, event="check_run", id="check")
        served.settle()
        assert served.bot.times(2) == 1


def test_a_push_without_a_pull_request_gets_no_comment(served: Served) -> None:
    served.deliver(workflow_run(None))
    served.settle()
    assert len(served.bot.asked) == 1
    assert served.bot.worked == []
    assert served.metrics()['logkb_comments_total{action="no pull request",forge="github"}'] == 1


def test_many_events_of_one_pull_request_become_little_work_and_never_two_at_once(tmp_path: Path) -> None:
    with serving(settings_of(tmp_path, workers=4, settle=0.2)) as served:
        served.bot.belongs[SHA] = 2
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            sent = [
                pool.submit(served.deliver, workflow_run(2 if index % 2 else None, run=index + 1), id=f"id-{index}")
                for index in range(120)
            ]
        assert {item.result().status_code for item in sent} == {202}
        served.settle()
        assert served.bot.overlaps == 0
        assert 1 <= served.bot.times(2) <= 20


def test_what_arrives_while_a_pull_request_is_worked_is_worked_after(served: Served) -> None:
    served.bot.open.clear()
    served.deliver()
    until(lambda: bool(served.bot.busy))
    for index in range(5):
        served.deliver(workflow_run(2, run=100 + index), id=f"later-{index}")
    served.bot.open.set()
    served.settle()
    assert served.bot.times(2) == 2


def test_trouble_is_tried_again_and_then_given_up_until_it_is_sent_again(served: Served) -> None:
    served.bot.plan[2] = [TransientError("502"), TransientError("502"), "created"]
    served.bot.plan[3] = [TransientError("502")] * 3
    served.deliver()
    served.deliver(workflow_run(3), id="third")
    served.settle()
    assert (served.bot.times(2), served.bot.times(3)) == (3, 3)
    assert served.client.get("/healthz").json()["queue"]["dead"] == 1
    assert served.deliver(workflow_run(3), id="third").json() == {"status": "accepted"}
    served.settle()
    assert served.bot.times(3) == 4
    assert served.client.get("/healthz").json()["queue"]["dead"] == 0
    assert served.metrics()['logkb_task_retries_total{forge="github",reason="trouble"}'] == 4


def test_a_missing_permission_is_given_up_at_once(served: Served) -> None:
    served.bot.plan[2] = [ForgeError("the token may not write comments; grant issues: write")]
    served.deliver()
    served.settle()
    assert served.bot.times(2) == 1
    assert served.metrics()['logkb_tasks_dead_total{forge="github"}'] == 1


def test_a_mistake_of_ours_ends_no_worker(served: Served) -> None:
    served.bot.plan[2] = [ZeroDivisionError("oops"), "created"]
    served.deliver()
    served.settle()
    assert served.bot.times(2) == 2
    assert served.client.get("/healthz").json()["workers"] == 2


def test_a_rate_limit_stops_all_work_on_its_forge_and_counts_as_no_try(tmp_path: Path) -> None:
    with serving(settings_of(tmp_path, workers=1)) as served:
        served.bot.plan[2] = [*(TransientError("rate limit", 0.1) for _ in range(5)), "created"]
        served.deliver()
        until(lambda: served.bot.times(2) >= 1)
        served.deliver(workflow_run(3), id="other")
        served.settle()
        order = [target.pull_request for target in served.bot.worked]
        assert order.count(2) == 6
        assert order.count(3) == 1
        assert served.metrics()['logkb_task_retries_total{forge="github",reason="rate limit"}'] == 5


def test_a_full_disk_gives_503_and_no_2xx_and_passes(served: Served) -> None:
    connection: sqlite3.Connection = served.webhooks._store._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    taken = 0
    while (answer := served.deliver(workflow_run(1000 + taken, name="octo/" + "a" * 90), id=f"fill-{taken}")).status_code == 202:
        taken += 1
        assert taken < 2000
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    connection.execute("PRAGMA max_page_count = 1000000")
    assert served.deliver(workflow_run(1000 + taken, name="octo/" + "a" * 90), id=f"fill-{taken}").status_code == 202
    served.settle()
    assert sorted({target.pull_request for target in served.bot.worked if target.pull_request}) == list(range(1000, 1001 + taken))


def test_healthz_says_when_the_store_cannot_be_written(served: Served) -> None:
    assert served.client.get("/healthz").json()["store"] == "writable"
    connection: sqlite3.Connection = served.webhooks._store._connection
    connection.execute("PRAGMA query_only = 1")
    served.webhooks._probed = -100.0
    answer = served.client.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")
    assert served.client.get("/healthz").status_code == 503, "the answer holds without asking the disk again"
    connection.execute("PRAGMA query_only = 0")
    served.webhooks._probed = -100.0
    assert served.client.get("/healthz").status_code == 200


def test_a_stop_waits_for_the_work_in_progress(tmp_path: Path) -> None:
    bot = Recorder()
    with serving(settings_of(tmp_path), bot) as served:
        bot.open.clear()
        served.deliver()
        until(lambda: bool(bot.busy))
        webhooks = served.webhooks
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            stopped = pool.submit(webhooks.workers.stop, 10.0)
            time.sleep(0.05)
            assert not stopped.done()
            bot.open.set()
            assert stopped.result(PATIENCE)
    assert bot.times(2) == 1


def test_a_stop_is_bounded_and_leaves_the_task_to_the_next_process(tmp_path: Path) -> None:
    bot = Recorder()
    with serving(settings_of(tmp_path, stop_seconds=0.2), bot) as served:
        bot.open.clear()
        served.deliver()
        until(lambda: bool(bot.busy))
        webhooks = served.webhooks
        begun = time.monotonic()
        assert not webhooks.close()
        assert time.monotonic() - begun < PATIENCE
        assert webhooks._store.depth().held == 1, "let go now, another process would work it at the same time"
        bot.open.set()
        assert webhooks.workers.stop(PATIENCE)
        assert webhooks._store.depth().tasks == 0


def test_what_was_not_worked_before_a_stop_is_worked_after_the_next_start(tmp_path: Path) -> None:
    with serving(settings_of(tmp_path, settle=60.0)) as served:
        served.deliver()
    assert served.bot.worked == []
    later = Recorder()
    with sqlite3.connect(tmp_path / "deliveries.sqlite3") as connection:
        connection.execute("UPDATE tasks SET due = 0")
    connection.close()
    with serving(settings_of(tmp_path), later) as served:
        served.settle()
    assert later.times(2) == 1


def test_metrics_have_no_series_that_a_sender_can_make(served: Served) -> None:
    for index in range(20):
        served.deliver({}, event=f"made-up-{index}", id=f"x-{index}")
        served.deliver({}, event=f"made-up-{index}", secret="not the right secret at all")
    metrics = served.metrics()
    assert metrics['logkb_webhook_deliveries_total{event="other",forge="github",outcome="ignored"}'] == 20
    assert metrics['logkb_webhook_deliveries_total{event="other",forge="github",outcome="forged"}'] == 20
    assert not any("made-up" in name for name in metrics)
    assert {"logkb_queue_tasks", "logkb_queue_oldest_seconds", "logkb_store_up", "logkb_analysis_seconds_count"} <= set(metrics)


def test_the_log_is_json_and_holds_no_secret(tmp_path: Path) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("logkb")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        with serving(settings_of(tmp_path)) as served:
            token = "ghp_" + "A1b2C3d4E5" * 3 + "F6g7H8"
            served.bot.plan[2] = [ForgeError(f"refused for {token}"), ValueError(f"Authorization: Bearer {token}")]
            served.deliver()
            served.settle()
            served.deliver(secret="a wrong one, which is logged once", id="f")
            served.deliver(workflow_run(2, run=5), id="g")
            served.settle()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    text = stream.getvalue()
    rows = [json.loads(line) for line in text.splitlines()]
    assert {"delivery", "task", "refused", "stopped"} <= {row["message"] for row in rows}
    assert all({"time", "level", "logger"} <= set(row) for row in rows)
    for secret in (token, OLD_SECRET, TOKEN, served.webhooks.settings.github_secrets[0] if served.app.state.webhooks else TOKEN):
        assert secret not in text
    failed = next(row for row in rows if row["message"] == "a task failed")
    assert failed["error"] == "ValueError"
    assert any("webhook_server.py" in frame for frame in failed["where"])


def test_settings_come_from_variables_and_files_and_several_secrets_hold(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("a-new-secret-of-the-file\nan-old-secret-of-the-file\n")
    token = tmp_path / "token"
    token.write_text("ghs_of_the_file\n")
    found = webhook_settings(
        {
            GITHUB_SECRET + "_FILE": str(file),
            GITLAB_TOKEN: "token-of-the-environment",
            GITLAB_SIGNING: "whsec_" + base64.b64encode(KEY).decode(),
            "GITHUB_TOKEN_FILE": str(token),
            "GITLAB_TOKEN": "glpat-of-the-environment",
            "GITHUB_RUN_ID": "41",
            "STATE_DIRECTORY": str(tmp_path / "state"),
        }
    )
    assert found is not None
    assert found.github_secrets == ("a-new-secret-of-the-file", "an-old-secret-of-the-file")
    assert found.gitlab_tokens == ("token-of-the-environment",)
    assert found.gitlab_signing == (KEY,)
    assert found.store == tmp_path / "state" / "deliveries.sqlite3"
    assert {forge: (item.token, item.own_run) for forge, item in found.forges.items()} == {
        "github": ("ghs_of_the_file", None),
        "gitlab": ("glpat-of-the-environment", None),
    }
    assert "of_the_file" not in repr(found)
    assert "secret" not in repr(found).replace("github_secrets", "")
    assert webhook_settings({}) is None


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({GITHUB_SECRET: "short"}, "can be guessed"),
        ({GITHUB_SECRET + "_FILE": "/nowhere/at/all"}, "cannot be read"),
        ({GITHUB_SECRET + "_FILE": "{empty}"}, "is empty"),
        ({GITLAB_SIGNING: "a-token-without-the-prefix"}, "whsec_"),
        ({GITLAB_SIGNING: "whsec_%%%"}, "whsec_"),
        ({GITLAB_SIGNING: "whsec_c2hvcnQ="}, "shorter than 16 bytes"),
        ({GITHUB_SECRET: "s" * 32}, "no token to comment with; set GITHUB_TOKEN"),
        ({GITLAB_TOKEN: "s" * 32, "GITHUB_TOKEN": "x"}, "no token to comment with; set GITLAB_TOKEN"),
        ({GITHUB_SECRET: "s" * 32, "GITHUB_TOKEN": "one two"}, "more than one token"),
        ({GITHUB_SECRET: "s" * 32, "GITHUB_TOKEN": "x", "LOGKB_WEBHOOK_SETTLE": "soon"}, "LOGKB_WEBHOOK_SETTLE: must be a number"),
    ],
)
def test_a_setting_that_cannot_protect_is_refused(tmp_path: Path, environment: dict[str, str], says: str) -> None:
    (tmp_path / "empty").write_text(" \n")
    given = {name: value.replace("{empty}", str(tmp_path / "empty")) for name, value in environment.items()}
    with pytest.raises(UsageError, match=says) as raised:
        webhook_settings(given)
    assert "a-token-without-the-prefix" not in str(raised.value)
