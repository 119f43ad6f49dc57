"""The bot against a server that speaks GitLab's protocol. What both forges share is tested with GitHub's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from logkb.analysis import Analyzer
from logkb.bot import BotSettings, CommentResult, Target, comment, find_pull_request
from logkb.errors import ForgeError, TransientError, UsageError
from logkb.knowledge import Knowledge
from tests.fakes.clock import FakeClock
from tests.fakes.gitlab import BOT, JOB_TOKEN, TOKEN, FakeGitLab, FakeJob, rate_limit
from tests.fakes.server import Answer, Fault

PROJECT = "octo/group/app"
OLD, NEW, MERGED = "a" * 40, "b" * 40, "e" * 40
DISK = b"tar: a/b: Cannot write: No space left on device\nmake: *** [all] Error 2\nERROR: Job failed: exit code 2\n"
TORCH = b"ERROR: No matching distribution found for torch==9.9.9\nERROR: Job failed: exit code 1\n"
MYSTERY = b"it went wrong somehow\nERROR: Job failed: exit code 1\n"


@pytest.fixture(scope="session")
def analyzer(shipped: Knowledge) -> Analyzer:
    # The rules alone: what the bot does with a finding does not depend on how the classifier was trained.
    return Analyzer(shipped, classify=False)


@pytest.fixture
def gitlab() -> Iterator[FakeGitLab]:
    with FakeGitLab(object_storage=True) as server:
        yield server


class Bot:
    """The bot on one merge request of the fake."""

    def __init__(self, gitlab: FakeGitLab, analyzer: Analyzer) -> None:
        self.gitlab, self.analyzer, self.clock = gitlab, analyzer, FakeClock()
        self.settings = BotSettings(api=gitlab.api, token=TOKEN)

    def pipeline(self, commit: str, *jobs: FakeJob, **more: Any) -> int:
        """Open or move the merge request and give it this head pipeline; its id."""
        found = self.gitlab.project(PROJECT).merge_requests.get(7) or self.gitlab.add_merge_request(PROJECT, 7, commit)
        found.sha = commit
        return self.gitlab.add_pipeline(PROJECT, more.pop("sha", commit), list(jobs), merge_request=7, **more).id

    def fails(self, commit: str = OLD, *traces: bytes, **more: Any) -> int:
        return self.pipeline(commit, *(FakeJob(f"job {index}", trace) for index, trace in enumerate(traces or (DISK,))), **more)

    def comment(self, run: int | None = None, **settings: Any) -> CommentResult:
        target = Target("gitlab", settings.pop("project", PROJECT), run=run, pull_request=7 if run is None else None)
        return comment(target, replace(self.settings, **settings), analyzer=self.analyzer, clock=self.clock)

    @property
    def bodies(self) -> list[str]:
        return [note.body for note in self.gitlab.notes(PROJECT, 7, BOT)]

    def writes(self) -> list[str]:
        return [item.method for item in self.gitlab.requests if item.method != "GET"]


@pytest.fixture
def bot(gitlab: FakeGitLab, analyzer: Analyzer) -> Bot:
    return Bot(gitlab, analyzer)


def test_one_note_for_all_failed_jobs_kept_up_to_date(bot: Bot) -> None:
    run = bot.fails(OLD, DISK, DISK, TORCH)
    created = bot.comment(run)
    assert created.action == "created"
    assert created.url
    assert created.url.endswith(f"/octo/group/app/-/merge_requests/7#note_{bot.gitlab.notes(PROJECT, 7)[0].id}")
    assert "2 root causes in 3 failed jobs" in bot.bodies[0]
    assert bot.comment(run).action == "unchanged"
    assert bot.comment(bot.fails(NEW, TORCH)).action == "updated"
    assert bot.comment(bot.pipeline(NEW, FakeJob("job 0", status="success"))).action == "folded"
    assert len(bot.bodies) == 1
    assert "**Fixed** in `bbbbbbbbbb`" in bot.bodies[0]
    assert bot.writes() == ["POST", "PUT", "PUT"]


def test_the_project_may_be_given_by_its_id(bot: Bot) -> None:
    run = bot.fails()
    assert bot.comment(run, project=str(bot.gitlab.project(PROJECT).id)).action == "created"


def test_of_a_retried_job_only_the_last_run_counts(bot: Bot) -> None:
    jobs = [FakeJob("build", DISK, retried=True), FakeJob("build", TORCH)]
    bot.comment(bot.pipeline(OLD, *jobs))
    assert "torch" in bot.bodies[0]
    assert "disk-full" not in bot.bodies[0]


def test_a_job_that_may_fail_is_not_told(bot: Bot) -> None:
    bot.comment(bot.pipeline(OLD, FakeJob("build", TORCH), FakeJob("flaky", DISK, allow_failure=True)))
    assert "disk-full" not in bot.bodies[0]


def test_all_pages_of_jobs_and_notes_are_read(bot: Bot) -> None:
    bot.fails(OLD, *[DISK] * 130)
    for index in range(230):
        bot.gitlab.add_note(PROJECT, 7, f"chatter {index}")
    bot.comment(max_jobs=200)
    assert "130 failed jobs" in bot.bodies[0]
    for index in range(230):
        bot.gitlab.add_note(PROJECT, 7, f"more {index}")
    bot.fails(NEW, TORCH)
    assert bot.comment().action == "updated"


def test_a_pipeline_for_merged_results_runs_on_a_commit_of_its_own(bot: Bot) -> None:
    run = bot.fails(OLD, DISK, sha=MERGED, ref="refs/merge-requests/7/merge")
    assert bot.comment(run).action == "created"
    bot.fails(NEW, TORCH, sha="d" * 40, ref="refs/merge-requests/7/merge")
    assert "newer commit" in bot.comment(run).reason


def test_a_child_pipeline_of_merged_results_is_not_outdated(bot: Bot) -> None:
    child = bot.gitlab.add_pipeline(
        PROJECT, MERGED, [FakeJob("deep", DISK)], source="parent_pipeline", ref="refs/merge-requests/7/merge"
    )
    bot.pipeline(OLD, FakeJob("top", status="success"), sha=MERGED, status="failed", downstream=[child.id])
    assert bot.comment(child.id).action == "created"


def test_the_merge_request_is_found_by_ref_commit_and_branch(bot: Bot) -> None:
    by_ref = bot.fails(OLD, DISK, ref="refs/merge-requests/7/head")
    by_commit = bot.fails(OLD, DISK, ref="topic", source="push")
    for target in (
        Target("gitlab", PROJECT, run=by_ref),
        Target("gitlab", PROJECT, run=by_commit),
        Target("gitlab", PROJECT, commit=OLD),
    ):
        found = find_pull_request(target, bot.settings, clock=bot.clock)
        assert found is not None
        assert found.number == 7
    bot.gitlab.add_merge_request(PROJECT, 7, NEW)
    assert "newer commit" in bot.comment(by_commit).reason
    elsewhere = bot.gitlab.add_pipeline(PROJECT, "9" * 40, [FakeJob("build", DISK)], ref="main", source="push")
    assert "no pull request" in bot.comment(elsewhere.id).reason


def test_a_fork_s_pipeline_lives_in_the_fork(bot: Bot) -> None:
    bot.gitlab.add_merge_request(PROJECT, 7, OLD, source_project="mallory/app")
    run = bot.gitlab.add_pipeline("mallory/app", OLD, [FakeJob("build", DISK)], merge_request=7, target_project=PROJECT)
    target = Target("gitlab", PROJECT, run.id, 7, OLD)
    assert comment(target, bot.settings, analyzer=bot.analyzer, clock=bot.clock).action == "created"
    assert comment(replace(target, commit=NEW), bot.settings, analyzer=bot.analyzer, clock=bot.clock).action == "skipped"


def test_the_jobs_of_a_child_pipeline_are_told(bot: Bot) -> None:
    child = bot.gitlab.add_pipeline(PROJECT, OLD, [FakeJob("deep", DISK)], source="parent_pipeline")
    bot.comment(bot.pipeline(OLD, FakeJob("top", status="success"), status="failed", downstream=[child.id]))
    assert "disk-full" in bot.bodies[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"labels": ["logkb-silence"]}, "label logkb-silence"), ({"state": "merged"}, "closed"), ({"state": "locked"}, "closed")],
)
def test_it_keeps_quiet(bot: Bot, change: dict[str, Any], reason: str) -> None:
    run = bot.fails()
    for name, value in change.items():
        setattr(bot.gitlab.project(PROJECT).merge_requests[7], name, value)
    result = bot.comment(run)
    assert (result.action, reason in result.reason) == ("skipped", True)
    assert bot.writes() == []
    assert bot.gitlab.seen("GET", "/trace$") == []


@pytest.mark.parametrize("status", ["canceled", "skipped", "manual"])
def test_a_pipeline_that_ended_otherwise_folds_nothing(bot: Bot, status: str) -> None:
    bot.comment(bot.fails(OLD, DISK))
    assert bot.comment(bot.pipeline(NEW, FakeJob("job 0", status=status), status=status)).action == "skipped"
    assert "disk-full" in bot.bodies[0]


def test_the_pipeline_that_the_bot_is_a_job_of_does_not_wait_for_the_bot(bot: Bot) -> None:
    bot.comment(bot.fails(OLD, DISK))
    own = FakeJob("logkb", status="running", id=77)
    run = bot.pipeline(NEW, FakeJob("build", status="success"), own)
    assert bot.comment(run).action == "skipped"
    assert bot.comment(run, own_run=run, own_job="77").action == "folded"


def test_a_marker_in_somebody_else_s_note_is_not_ours(bot: Bot) -> None:
    run = bot.fails()
    forged = bot.comment(run, dry_run=True).body
    assert forged is not None
    bot.gitlab.add_note(PROJECT, 7, forged, "mallory")
    bot.gitlab.add_note(PROJECT, 7, forged, BOT, system=True)
    assert bot.comment(run).action == "created"


def test_nothing_is_posted_under_the_threshold(bot: Bot) -> None:
    assert bot.comment(bot.fails(OLD, MYSTERY)).action == "skipped"
    assert bot.writes() == []


def test_no_line_of_the_note_is_a_slash_command(bot: Bot) -> None:
    bot.comment(bot.fails(OLD, b"/close\n```\n/merge\n" + TORCH + b"/assign @root\n"))
    assert "/assign" in bot.bodies[0]
    assert not any(line.lstrip().startswith("/") for line in bot.bodies[0].splitlines())


@pytest.mark.parametrize("object_storage", [True, False])
def test_traces_come_from_gitlab_or_from_object_storage_without_the_token(analyzer: Analyzer, object_storage: bool) -> None:
    with FakeGitLab(object_storage=object_storage) as gitlab:
        bot = Bot(gitlab, analyzer)
        assert bot.comment(bot.fails()).action == "created"
        if gitlab.storage:
            assert [item.status for item in gitlab.storage.requests] == [200]
            assert all(TOKEN not in str(item.headers) for item in gitlab.storage.requests)


# What may go wrong.


@pytest.mark.parametrize(
    ("fault", "waited"),
    [
        (Fault("/pipelines/", answer=rate_limit(30)), 30),
        (Fault("/notes$", "POST", answer=rate_limit(None)), 1),
        (Fault("/merge_requests/7$", answer=Answer(502, b"<html>bad gateway</html>")), 1),
        (Fault("/jobs$", answer=Answer(503, {"message": "unavailable"}), times=3), 7),
        (Fault("/jobs$", drop=True), 1),
        (Fault("/trace$", answer=Answer(500, {"message": "500 Internal Server Error"})), 1),
    ],
)
def test_what_passes_is_waited_for(bot: Bot, fault: Fault, waited: float) -> None:
    run = bot.fails()
    bot.gitlab.plan(replace(fault))
    assert bot.comment(run).action == "created"
    assert waited / 3 <= sum(bot.clock.sleeps) <= waited
    assert len(bot.bodies) == 1


@pytest.mark.parametrize("drop", [True, False])
def test_a_note_whose_answer_was_lost_is_not_posted_twice(bot: Bot, drop: bool) -> None:
    run = bot.fails()
    bot.gitlab.plan(Fault("/notes$", "POST", answer=Answer(502, {}), after_work=True, drop=drop))
    assert bot.comment(run).action in ("created", "unchanged")
    assert len(bot.bodies) == 1


def test_waiting_is_bounded_and_the_advice_is_passed_on(bot: Bot) -> None:
    run = bot.fails()
    bot.gitlab.plan(Fault("/pipelines/", answer=rate_limit(900), times=-1))
    with pytest.raises(TransientError, match="rate limit") as told:
        bot.comment(run)
    assert told.value.retry_after == 900
    assert bot.clock.sleeps == []


def test_an_erased_trace_is_told_beside_the_others(bot: Bot) -> None:
    bot.comment(bot.pipeline(OLD, FakeJob("build", DISK), FakeJob("old", None)))
    assert "Not read: [`old`]" in bot.bodies[0]


def test_a_trace_that_breaks_off_is_fetched_again(analyzer: Analyzer) -> None:
    with FakeGitLab() as gitlab:
        bot = Bot(gitlab, analyzer)
        run = bot.fails(OLD, b"x" * 20_000 + b"\n" + DISK)
        gitlab.plan(Fault("/trace$", cut=5000))
        assert bot.comment(run).action == "created"
        assert len(gitlab.seen("GET", "/trace$")) == 2


@pytest.mark.parametrize("token", ["wrong-token", JOB_TOKEN])
def test_a_token_that_cannot_do_it_is_told_without_being_shown(bot: Bot, token: str) -> None:
    run = bot.fails()
    with pytest.raises(ForgeError, match="scope api and the role Reporter") as told:
        bot.comment(run, token=token)
    assert token not in str(told.value)
    assert "CI_JOB_TOKEN" in str(told.value)


def test_a_token_that_may_only_read_is_told(bot: Bot) -> None:
    bot.gitlab.scopes[TOKEN] = ("read_api",)
    with pytest.raises(ForgeError, match="insufficient_scope; the token needs the scope api"):
        bot.comment(bot.fails())


def test_no_token_and_no_such_project_are_told(bot: Bot) -> None:
    with pytest.raises(UsageError, match="set GITLAB_TOKEN"):
        bot.comment(1, token=None)
    with pytest.raises(ForgeError, match="may not see it"):
        bot.comment(1, project="octo/none")


def test_a_server_that_is_no_gitlab_is_told(bot: Bot) -> None:
    run = bot.fails()
    bot.gitlab.plan(Fault(answer=Answer(200, b"<html>sign in</html>")))
    with pytest.raises(ForgeError, match="check that --api names"):
        bot.comment(run)


def test_in_gitlab_ci_no_argument_is_needed(bot: Bot) -> None:
    run = bot.fails()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "GITLAB_", "CI_", "GH_"))}
    environment = {
        "GITLAB_CI": "true", "CI_PROJECT_ID": str(bot.gitlab.project(PROJECT).id), "CI_PIPELINE_ID": str(run), "CI_JOB_ID": "1",
        "CI_MERGE_REQUEST_IID": "7", "CI_COMMIT_SHA": OLD, "CI_API_V4_URL": bot.gitlab.api, "GITLAB_TOKEN": TOKEN,
    }  # fmt: skip
    command = [sys.executable, "-m", "logkb", "comment"]
    done = subprocess.run(command, env=kept | environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("created: 1 root cause (http")
    assert len(bot.bodies) == 1
