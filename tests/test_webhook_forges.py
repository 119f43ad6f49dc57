"""From a delivery to the comment: the real bot behind the real server, in front of GitHub and GitLab as they speak."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from logkb.forge import BotSettings
from logkb.webhook_bot import Bot
from tests.fakes import github as hub
from tests.fakes import gitlab as lab
from tests.fakes.server import Answer, Fault
from tests.webhook_server import TOKEN, Served, serving, settings_of, workflow_run

LOG = b"ERROR: No matching distribution found for torch==9.9.9\n##[error]Process completed with exit code 1.\n"
SHA = "a" * 40
analysed: list[float] = []


@pytest.fixture
def forge() -> Iterator[hub.FakeGitHub]:
    with hub.FakeGitHub() as running:
        yield running


def bot_of(forge: hub.FakeGitHub) -> Bot:
    return Bot({"github": BotSettings(api=forge.api, token=hub.TOKEN)}, (), analysed.append)


def run_event(served: Served, run: hub.FakeRun, number: int | None, identifier: str, conclusion: str = "failure") -> None:
    payload = workflow_run(number, run.id, conclusion)
    payload["workflow_run"]["head_sha"] = run.head_sha
    assert served.deliver(payload, id=identifier).status_code == 202
    served.settle()


def test_a_failure_gets_one_comment_which_is_folded_when_the_run_passes(tmp_path: Path, forge: hub.FakeGitHub) -> None:
    forge.add_pull("octo/app", 2, SHA)
    failed = forge.add_run("octo/app", SHA, [hub.FakeJob("build", LOG)], pull_requests=[2])
    analysed.clear()
    with serving(settings_of(tmp_path), real=bot_of(forge)) as served:
        run_event(served, failed, 2, "one")
        run_event(served, failed, 2, "two", "timed_out")
        (comment,) = forge.comments("octo/app", 2, hub.BOT)
        assert "python-no-matching-distribution" in comment.body
        assert len(analysed) == 2
        # An attempt to mend it passes: the same run, again.
        passed = forge.add_run("octo/app", SHA, [hub.FakeJob("build", b"fine\n", "success")], pull_requests=[2])
        run_event(served, passed, 2, "three", "success")
        (folded,) = forge.comments("octo/app", 2, hub.BOT)
        assert folded.id == comment.id
        assert "**Fixed**" in folded.body
        metrics = served.metrics()
        assert {name for name in metrics if name.startswith("logkb_comments_total")} == {
            'logkb_comments_total{action="created",forge="github"}',
            'logkb_comments_total{action="unchanged",forge="github"}',
            'logkb_comments_total{action="folded",forge="github"}',
        }


def test_a_fork_s_pull_request_is_found_by_its_run(tmp_path: Path, forge: hub.FakeGitHub) -> None:
    forge.add_pull("octo/app", 3, SHA, branch="patch", head_repository="guest/app")
    run = forge.add_run("octo/app", SHA, [hub.FakeJob("build", LOG)], branch="patch", head_repository="guest/app")
    with serving(settings_of(tmp_path), real=bot_of(forge)) as served:
        run_event(served, run, None, "one")
    assert len(forge.comments("octo/app", 3, hub.BOT)) == 1


def test_an_answer_that_is_lost_doubles_no_comment(tmp_path: Path, forge: hub.FakeGitHub) -> None:
    forge.add_pull("octo/app", 2, SHA)
    run = forge.add_run("octo/app", SHA, [hub.FakeJob("build", LOG)], pull_requests=[2])
    forge.plan(Fault("/comments$", "POST", drop=True, after_work=True))
    with serving(settings_of(tmp_path), real=bot_of(forge)) as served:
        run_event(served, run, 2, "one")
    assert len(forge.comments("octo/app", 2, hub.BOT)) == 1
    assert len(forge.seen("POST", "/comments$")) == 1
    assert not forge.seen("DELETE")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("/actions/runs", "GET", Answer(502, b"<html>"), times=4), id="the server is down for a while"),
        pytest.param(Fault("/actions/runs", "GET", hub.secondary_limit(3)), id="a secondary limit, longer than a worker waits"),
        pytest.param(Fault("/actions/runs", "GET", hub.secondary_limit(1, 429)), id="a secondary limit with status 429"),
        pytest.param(Fault("/pulls/", "GET", drop=True, times=2), id="connections are lost"),
        pytest.param(Fault("/jobs$", "GET", cut=30), id="an answer breaks off"),
    ],
)
def test_what_passes_is_waited_for(tmp_path: Path, forge: hub.FakeGitHub, fault: Fault) -> None:
    forge.add_pull("octo/app", 2, SHA)
    run = forge.add_run("octo/app", SHA, [hub.FakeJob("build", LOG)], pull_requests=[2])
    forge.plan(fault)
    with serving(settings_of(tmp_path), real=bot_of(forge)) as served:
        run_event(served, run, 2, "one")
        assert served.client.get("/healthz").json()["queue"]["dead"] == 0
    assert len(forge.comments("octo/app", 2, hub.BOT)) == 1


def test_a_missing_permission_is_told_and_not_tried_for_ever(tmp_path: Path, forge: hub.FakeGitHub) -> None:
    forge.add_pull("octo/app", 2, SHA)
    run = forge.add_run("octo/app", SHA, [hub.FakeJob("build", LOG)], pull_requests=[2])
    forge.tokens[hub.TOKEN] = hub.Identity(hub.BOT, permissions={"metadata": "read", "actions": "read", "pull_requests": "read"})
    with serving(settings_of(tmp_path), real=bot_of(forge)) as served:
        run_event(served, run, 2, "one")
        assert served.client.get("/healthz").json()["queue"]["dead"] == 1
        assert "write" in served.webhooks._store.dead()[0][3]
        # Granted, and sent again from GitHub's page.
        forge.tokens[hub.TOKEN] = hub.Identity(hub.BOT)
        run_event(served, run, 2, "one")
        assert served.client.get("/healthz").json()["queue"]["dead"] == 0
    assert len(forge.comments("octo/app", 2, hub.BOT)) == 1


def test_gitlab_s_pipelines_and_jobs_lead_to_one_note(tmp_path: Path) -> None:
    with lab.FakeGitLab() as forge:
        forge.add_merge_request("group/app", 5, SHA)
        pipeline = forge.add_pipeline("group/app", SHA, [lab.FakeJob("build", LOG)], merge_request=5)
        project = {"id": forge.project("group/app").id, "path_with_namespace": "group/app"}
        request = {"iid": 5, "target_project_id": project["id"]}
        attributes = {"id": pipeline.id, "sha": SHA, "status": "failed"}
        job = {"object_kind": "build", "build_status": "failed", "pipeline_id": pipeline.id, "sha": SHA, "project": project}
        hook = {"object_kind": "pipeline", "object_attributes": attributes, "merge_request": request, "project": project}
        bot = Bot({"gitlab": BotSettings(api=forge.api, token=lab.TOKEN)}, (), analysed.append)
        with serving(settings_of(tmp_path), real=bot) as served:
            send_gitlab(served, "Job Hook", job, "a")
            send_gitlab(served, "Pipeline Hook", hook, "b")
            served.settle()
            assert served.client.get("/healthz").json()["queue"]["dead"] == 0
            (note,) = forge.notes("group/app", 5, lab.BOT)
            assert "python-no-matching-distribution" in note.body
            forge.add_pipeline("group/app", SHA, [lab.FakeJob("build", b"fine\n", "success")], merge_request=5)
            send_gitlab(served, "Pipeline Hook", hook | {"object_attributes": attributes | {"status": "success"}}, "c")
            served.settle()
            (folded,) = forge.notes("group/app", 5, lab.BOT)
            assert "**Fixed**" in folded.body


def send_gitlab(served: Served, event: str, payload: dict[str, Any], key: str) -> None:
    headers = {"Content-Type": "application/json", "X-Gitlab-Event": event, "X-Gitlab-Token": TOKEN, "Idempotency-Key": key}
    assert served.client.post("/webhooks/gitlab", content=json.dumps(payload), headers=headers).status_code == 202


def test_a_forge_without_a_token_is_told(tmp_path: Path) -> None:
    with serving(settings_of(tmp_path), real=Bot({}, (), analysed.append)) as served:
        served.deliver()
        served.settle()
        assert "no token for github" in served.webhooks._store.dead()[0][3]
