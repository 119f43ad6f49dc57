"""The bot against a server that speaks GitHub's protocol: one comment, kept up to date, whatever goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from logkb.analysis import Analyzer
from logkb.bot import BotSettings, CommentResult, GitHubApp, Target, comment, find_pull_request
from logkb.comment_commands import CommentOptions, plan
from logkb.comments import MARKER
from logkb.errors import ForgeError, InputError, TransientError, UsageError
from logkb.forge import ForgeName, settings_from
from logkb.knowledge import Knowledge
from tests.fakes.clock import FakeClock
from tests.fakes.github import BOT, TOKEN, FakeGitHub, FakeJob, Identity, primary_limit, secondary_limit
from tests.fakes.server import Answer, Fault

REPO = "octo/app"
OLD, NEW = "a" * 40, "b" * 40
DISK = b"tar: a/b: Cannot write: No space left on device\nmake: *** [all] Error 2\n##[error]Process completed with exit code 2.\n"
TORCH = b"ERROR: No matching distribution found for torch==9.9.9\n##[error]Process completed with exit code 1.\n"
NUMPY = TORCH.replace(b"torch==9.9.9", b"numpy==9.9.9")
MYSTERY = b"it went wrong somehow\n##[error]Process completed with exit code 1.\n"


@pytest.fixture(scope="session")
def analyzer(shipped: Knowledge) -> Analyzer:
    # The rules alone: what the bot does with a finding does not depend on how the classifier was trained.
    return Analyzer(shipped, classify=False)


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as server:
        yield server


class Bot:
    """The bot on one pull request of the fake."""

    def __init__(self, github: FakeGitHub, analyzer: Analyzer) -> None:
        self.github, self.analyzer, self.clock = github, analyzer, FakeClock()
        self.settings = BotSettings(api=github.api, token=TOKEN)

    def fails(self, commit: str = OLD, *logs: bytes, number: int = 7, **run: Any) -> int:
        """Open or move the pull request and add a failed run with these logs; the run's id."""
        if number not in self.github.repository(REPO).pulls:
            self.github.add_pull(REPO, number, commit)
        self.github.repository(REPO).pulls[number].head_sha = commit
        jobs = [FakeJob(f"job {index}", log) for index, log in enumerate(logs or (DISK,))]
        return self.github.add_run(REPO, commit, jobs, **{"pull_requests": [number], **run}).id

    def passes(self, commit: str = OLD, **run: Any) -> int:
        self.github.repository(REPO).pulls[7].head_sha = commit
        jobs = [FakeJob("job 0", conclusion="success")]
        return self.github.add_run(REPO, commit, jobs, **{"pull_requests": [7], **run}).id

    def comment(self, run: int | None = None, **settings: Any) -> CommentResult:
        target = Target("github", REPO, run=run, pull_request=7 if run is None else None)
        return comment(target, replace(self.settings, **settings), analyzer=self.analyzer, clock=self.clock)

    @property
    def bodies(self) -> list[str]:
        return [item.body for item in self.github.comments(REPO, 7, BOT)]

    def writes(self) -> list[str]:
        return [item.method for item in self.github.requests if item.method != "GET" and item.path != "/graphql"]


@pytest.fixture
def bot(github: FakeGitHub, analyzer: Analyzer) -> Bot:
    return Bot(github, analyzer)


# One comment.


def test_one_root_cause_that_broke_nine_jobs_is_one_entry(bot: Bot) -> None:
    result = bot.comment(bot.fails(OLD, *[DISK] * 9))
    assert result.action == "created"
    assert result.url
    assert bot.bodies == [result.body]
    assert "1 root cause in 9 failed jobs" in bot.bodies[0]
    assert bot.bodies[0].count("**The disk") == 1


def test_the_same_failure_again_writes_nothing(bot: Bot) -> None:
    run = bot.fails()
    bot.comment(run)
    before = len(bot.writes())
    result = bot.comment(run)
    assert result.action == "unchanged"
    assert len(bot.writes()) == before


def test_a_new_failure_changes_the_comment_that_is_there(bot: Bot) -> None:
    bot.comment(bot.fails(OLD, DISK))
    first = bot.github.comments(REPO, 7)[0].id
    result = bot.comment(bot.fails(NEW, TORCH))
    assert result.action == "updated"
    assert [item.id for item in bot.github.comments(REPO, 7)] == [first]
    assert "torch==9.9.9" in bot.bodies[0]
    assert "disk-full" not in bot.bodies[0]


def test_once_green_the_report_is_folded_and_a_new_failure_unfolds_it(bot: Bot) -> None:
    bot.comment(bot.fails(OLD, DISK))
    result = bot.comment(bot.passes(NEW))
    assert result.action == "folded"
    assert f"**Fixed** in `{NEW[:10]}`" in bot.bodies[0]
    assert bot.bodies[0].index("<details>") < bot.bodies[0].index("disk-full")
    assert bot.comment(bot.passes("c" * 40)).action == "unchanged"
    assert bot.comment(bot.fails("d" * 40, TORCH)).action == "updated"
    assert "Fixed" not in bot.bodies[0]
    assert len(bot.bodies) == 1


def test_green_without_a_comment_says_nothing(bot: Bot) -> None:
    bot.fails()
    assert bot.comment(bot.passes(NEW)).action == "skipped"
    assert bot.writes() == []


def test_another_workflow_that_fails_keeps_the_report(bot: Bot) -> None:
    bot.comment(bot.fails(OLD, DISK, workflow="CI", workflow_id=1))
    bot.fails(OLD, TORCH, workflow="Docs", workflow_id=2)
    result = bot.comment(bot.passes(OLD, workflow="CI", workflow_id=1))
    assert result.action == "updated"
    assert "torch==9.9.9" in bot.bodies[0]
    assert "Fixed" not in bot.bodies[0]


def test_different_messages_of_one_cause_are_two_entries(bot: Bot) -> None:
    bot.comment(bot.fails(OLD, TORCH, TORCH, NUMPY))
    assert "2 root causes in 3 failed jobs" in bot.bodies[0]
    assert bot.bodies[0].index("torch") < bot.bodies[0].index("numpy")


def test_only_the_latest_attempt_counts(bot: Bot) -> None:
    bot.github.add_pull(REPO, 7, OLD)
    jobs = [FakeJob("build", DISK, attempt=1), FakeJob("build", TORCH, attempt=2)]
    run = bot.github.add_run(REPO, OLD, jobs, attempt=2, pull_requests=[7])
    bot.comment(run.id)
    assert "torch" in bot.bodies[0]
    assert "disk-full" not in bot.bodies[0]


def test_cancelled_and_passed_jobs_are_not_read(bot: Bot) -> None:
    bot.github.add_pull(REPO, 7, OLD)
    jobs = [FakeJob("a", TORCH, "cancelled"), FakeJob("b", TORCH, "success"), FakeJob("c", DISK, "timed_out")]
    bot.comment(bot.github.add_run(REPO, OLD, jobs, pull_requests=[7]).id)
    assert len(bot.github.seen("GET", "/logs$")) == 1
    assert "disk-full" in bot.bodies[0]


def test_a_cancelled_run_is_neither_a_failure_nor_a_repair(bot: Bot) -> None:
    bot.comment(bot.fails(OLD, DISK))
    bot.github.add_pull(REPO, 7, NEW)
    run = bot.github.add_run(REPO, NEW, [FakeJob("a", conclusion="cancelled")], conclusion="cancelled", pull_requests=[7])
    assert bot.comment(run.id).action == "skipped"
    assert "disk-full" in bot.bodies[0]


def test_all_pages_of_jobs_and_comments_are_read(bot: Bot) -> None:
    bot.github.add_pull(REPO, 7, OLD)
    jobs = [FakeJob(f"ok {index}", conclusion="success") for index in range(230)]
    run = bot.github.add_run(REPO, OLD, [*jobs, FakeJob("late", DISK)], pull_requests=[7])
    for index in range(220):
        bot.github.add_comment(REPO, 7, f"chatter {index}")
    bot.comment(run.id)
    for index in range(150):
        bot.github.add_comment(REPO, 7, f"more {index}")
    bot.fails(NEW, TORCH)
    assert bot.comment().action == "updated"
    assert len(bot.bodies) == 1


def test_no_more_jobs_are_read_than_allowed(bot: Bot) -> None:
    bot.comment(bot.fails(OLD, *[DISK] * 6), max_jobs=2)
    assert len(bot.github.seen("GET", "/logs$")) == 2
    assert "4 more failed jobs" in bot.bodies[0]


# Whose comment it is.


def test_a_marker_in_somebody_else_s_comment_is_not_ours(bot: Bot) -> None:
    run = bot.fails()
    bot.comment(run)
    forged = bot.bodies[0]
    bot.github.repository(REPO).comments.clear()
    bot.github.add_comment(REPO, 7, forged, login="mallory")
    assert bot.comment(run).action == "created"
    assert bot.github.comments(REPO, 7, "mallory")[0].body == forged


def test_a_marker_within_our_own_text_is_no_marker(bot: Bot) -> None:
    run = bot.fails()
    bot.github.add_comment(REPO, 7, "> <!-- logkb:comment:1 state=failed commit=unknown -->\nquoted", login=BOT)
    assert bot.comment(run).action == "created"
    assert len(bot.bodies) == 2


def test_of_two_comments_of_ours_the_older_stays(bot: Bot) -> None:
    run = bot.fails()
    bot.comment(run)
    first = bot.github.comments(REPO, 7)[0]
    bot.github.add_comment(REPO, 7, first.body, login=BOT)
    assert bot.comment(run).action == "unchanged"
    assert [item.id for item in bot.github.comments(REPO, 7)] == [first.id]


def test_workers_that_race_leave_one_comment(bot: Bot) -> None:
    run = bot.fails()
    results: list[CommentResult] = []

    def work() -> None:
        results.append(comment(Target("github", REPO, run), bot.settings, analyzer=bot.analyzer))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(results) == 6
    assert len(bot.bodies) == 1


def test_of_two_workers_that_post_at_once_the_older_comment_stays(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    run = bot.fails()
    posting = bot.github._comment
    other: list[int] = []

    def after_another(*arguments: Any) -> Answer:
        other.append(bot.github.add_comment(REPO, 7, f"{MARKER}state=failed commit=unknown -->\nstale", login=BOT).id)
        return posting(*arguments)

    monkeypatch.setattr(bot.github, "_comment", after_another)
    result = bot.comment(run)
    assert [(item.id, item.body) for item in bot.github.comments(REPO, 7)] == [(other[0], result.body)]


@pytest.mark.parametrize(
    ("identity", "author"),
    [(Identity("mona", installation=False), "mona"), (Identity("my-app[bot]"), "my-app[bot]")],
)
def test_the_token_says_who_writes(bot: Bot, identity: Identity, author: str) -> None:
    bot.github.tokens["other"] = identity
    run = bot.fails()
    assert bot.comment(run, token="other").action == "created"
    assert bot.comment(run, token="other").action == "unchanged"
    assert len(bot.github.comments(REPO, 7, author)) == 1


def test_the_author_can_be_named(bot: Bot) -> None:
    bot.comment(bot.fails(), author=BOT)
    assert bot.github.seen("", "/user$|graphql") == []


# When it keeps quiet.


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"labels": ["logkb-silence"]}, "label logkb-silence"),
        ({"state": "closed"}, "closed"),
        ({"head_sha": NEW}, "newer commit"),
    ],
)
def test_it_keeps_quiet(bot: Bot, change: dict[str, Any], reason: str) -> None:
    run = bot.fails()
    for name, value in change.items():
        setattr(bot.github.repository(REPO).pulls[7], name, value)
    result = bot.comment(run)
    assert (result.action, reason in result.reason) == ("skipped", True)
    assert bot.writes() == []
    assert bot.github.seen("GET", "/logs$") == []


def test_a_run_without_a_pull_request_is_skipped(bot: Bot) -> None:
    run = bot.github.add_run(REPO, OLD, [FakeJob("build", DISK)], branch="main", event="push")
    result = bot.comment(run.id)
    assert result.action == "skipped"
    assert "no pull request" in result.reason


def test_nothing_is_posted_under_the_threshold(bot: Bot) -> None:
    run = bot.fails(OLD, MYSTERY)
    assert bot.comment(run).action == "skipped"
    assert bot.comment(bot.fails(NEW, DISK), threshold=1.0).action == "skipped"
    assert bot.writes() == []


def test_an_unknown_failure_folds_the_report_of_an_older_commit(bot: Bot) -> None:
    bot.comment(bot.fails(OLD, DISK))
    run = bot.fails(NEW, MYSTERY)
    assert bot.comment(run).action == "folded"
    assert "does not know" in bot.bodies[0]
    assert bot.comment(run).action == "unchanged"


def test_jobs_that_nobody_explains_are_named_beside_those_that_are(bot: Bot) -> None:
    bot.comment(bot.fails(OLD, DISK, MYSTERY))
    assert "Not explained: [`CI / job 1`]" in bot.bodies[0]


# Where the pull request is.


def test_the_pull_request_of_a_fork_is_found_by_its_branch(bot: Bot) -> None:
    bot.github.add_pull(REPO, 7, OLD, branch="fix", head_repository="mallory/app")
    bot.github.add_pull(REPO, 8, OLD, branch="fix", head_repository="other/app")
    run = bot.github.add_run(REPO, OLD, [FakeJob("build", DISK)], branch="fix", head_repository="mallory/app")
    assert bot.comment(run.id).action == "created"
    assert len(bot.bodies) == 1


def test_a_fork_s_pull_request_that_moved_on_is_outdated(bot: Bot) -> None:
    bot.github.add_pull(REPO, 7, NEW, branch="fix", head_repository="mallory/app")
    run = bot.github.add_run(REPO, OLD, [FakeJob("build", DISK)], branch="fix", head_repository="mallory/app")
    assert "newer commit" in bot.comment(run.id).reason


def test_a_pull_request_of_another_repository_is_not_taken_for_one_of_this(bot: Bot) -> None:
    bot.github.add_pull(REPO, 9, OLD, branch="unrelated")
    bot.github.add_pull(REPO, 7, OLD)
    run = bot.github.add_run(REPO, OLD, [FakeJob("build", DISK)], foreign=[9])
    bot.comment(run.id)
    assert len(bot.bodies) == 1
    assert bot.github.comments(REPO, 9) == []


def test_of_the_pull_requests_that_hold_a_commit_the_one_at_it_is_meant(bot: Bot) -> None:
    for number, heads, state in ((3, [OLD, NEW], "open"), (5, [OLD], "closed"), (7, [OLD], "open")):
        for head in heads:
            bot.github.add_pull(REPO, number, head, branch=f"branch-{number}", state=state)
    found = find_pull_request(Target("github", REPO, commit=OLD), bot.settings, clock=bot.clock)
    assert found is not None
    assert found.number == 7


def test_a_commit_leads_to_its_pull_request(bot: Bot) -> None:
    bot.fails()
    found = find_pull_request(Target("github", REPO, commit=OLD), bot.settings, clock=bot.clock)
    assert found is not None
    assert (found.number, found.head) == (7, OLD)
    assert find_pull_request(Target("github", REPO, commit="e" * 40), bot.settings, clock=bot.clock) is None


def test_log_files_can_be_given_instead(bot: Bot, tmp_path: Path) -> None:
    bot.github.add_pull(REPO, 7, OLD)
    log = tmp_path / "build.log"
    log.write_bytes(TORCH)
    result = comment(Target("github", REPO, pull_request=7), bot.settings, analyzer=bot.analyzer, logs=[log], clock=bot.clock)
    assert result.action == "created"
    assert "build.log" in bot.bodies[0]
    assert str(tmp_path) not in bot.bodies[0]
    with pytest.raises(InputError, match="no such file"):
        comment(Target("github", REPO, pull_request=7), bot.settings, logs=[tmp_path / "none"], clock=bot.clock)


def test_the_run_that_the_bot_is_a_job_of_does_not_wait_for_the_bot(bot: Bot) -> None:
    bot.comment(bot.fails(OLD, DISK))
    bot.github.add_pull(REPO, 7, NEW)
    jobs = [FakeJob("build", conclusion="success"), FakeJob("logkb", status="in_progress", runner_name="mine")]
    run = bot.github.add_run(REPO, NEW, jobs, status="in_progress", pull_requests=[7])
    assert bot.comment(run.id).action == "skipped"
    assert bot.comment(run.id, own_run=run.id, own_job="mine").action == "folded"


def test_a_run_that_has_not_begun_is_no_repair(bot: Bot) -> None:
    bot.comment(bot.fails(OLD, DISK))
    bot.github.add_pull(REPO, 7, NEW)
    run = bot.github.add_run(REPO, NEW, [], status="queued", pull_requests=[7])
    assert bot.comment(run.id).action == "skipped"


def test_jobs_that_are_not_finished_are_told(bot: Bot) -> None:
    bot.github.add_pull(REPO, 7, OLD)
    jobs = [FakeJob("build", DISK), FakeJob("slow", status="in_progress"), FakeJob("last", status="queued")]
    bot.comment(bot.github.add_run(REPO, OLD, jobs, status="in_progress", pull_requests=[7]).id)
    assert "When this was written, 2 jobs had not finished." in bot.bodies[0]


# The token.


def test_the_token_does_not_reach_the_log_storage(bot: Bot) -> None:
    bot.comment(bot.fails())
    fetched = bot.github.storage.requests
    assert [item.status for item in fetched] == [200]
    assert all(TOKEN not in str(item.headers) + str(item.query) for item in fetched)


def test_settings_show_no_credentials() -> None:
    settings = BotSettings(token="hush", app=GitHubApp("1", "secret-pem"))
    assert "hush" not in repr(settings)
    assert "secret-pem" not in repr(settings)


def test_a_github_app_writes_under_its_own_name(bot: Bot) -> None:
    run = bot.fails()
    app = GitHubApp(str(bot.github.app_id), bot.github.private_key)
    assert bot.comment(run, token=None, app=app).action == "created"
    assert bot.comment(run, token=None, app=app).action == "unchanged"
    assert len(bot.github.comments(REPO, 7, "logkb-test[bot]")) == 1
    assert len(bot.github.seen("POST", "/access_tokens$")) == 1
    assert bot.comment(run, token=None, app=replace(app, installation=99)).action == "unchanged"


def test_an_app_with_a_wrong_id_is_told(bot: Bot) -> None:
    with pytest.raises(ForgeError, match="check the App's id and key"):
        bot.comment(bot.fails(), token=None, app=GitHubApp("1", bot.github.private_key, 99))


def test_github_enterprise_server(analyzer: Analyzer) -> None:
    with FakeGitHub(prefix="/api/v3") as github:
        bot = Bot(github, analyzer)
        run = bot.fails()
        assert bot.comment(run).action == "created"
        assert bot.comment(run).action == "unchanged"


# What may go wrong.


@pytest.mark.parametrize(
    ("fault", "waited"),
    [
        # A time on the clock, so it is made only when the test runs.
        ("primary", 31),
        (Fault("/comments$", "POST", answer=secondary_limit(60)), 60),
        (Fault("/comments$", "POST", answer=secondary_limit(None)), 60),
        (Fault("/comments$", "POST", answer=secondary_limit(20, 429)), 20),
        (Fault("/pulls/7", answer=Answer(502, b"<html>bad gateway</html>")), 1),
        (Fault("/jobs$", answer=Answer(503, {"message": "unavailable"}), times=3), 7),
        (Fault("/jobs$", drop=True), 1),
        (Fault("/logs$", answer=Answer(500, {"message": "Server Error"})), 1),
    ],
)
def test_what_passes_is_waited_for(bot: Bot, fault: Fault | str, waited: float) -> None:
    run = bot.fails()
    bot.github.plan(Fault("/runs/", answer=primary_limit(30)) if isinstance(fault, str) else replace(fault))
    assert bot.comment(run).action == "created"
    assert waited / 3 <= sum(bot.clock.sleeps) <= waited
    assert len(bot.bodies) == 1


@pytest.mark.parametrize("drop", [True, False])
def test_a_comment_whose_answer_was_lost_is_not_posted_twice(bot: Bot, drop: bool) -> None:
    run = bot.fails()
    bot.github.plan(Fault("/comments$", "POST", answer=Answer(502, {}), after_work=True, drop=drop))
    assert bot.comment(run).action in ("created", "unchanged")
    assert len(bot.bodies) == 1
    assert len(bot.github.seen("POST", "/comments$")) == 1


def test_waiting_is_bounded_and_the_advice_is_passed_on(bot: Bot) -> None:
    run = bot.fails()
    bot.github.plan(Fault("/runs/", answer=primary_limit(1800), times=-1))
    with pytest.raises(TransientError, match="rate limit") as told:
        bot.comment(run)
    assert told.value.retry_after is not None
    assert 1700 < told.value.retry_after <= 1800
    assert bot.clock.sleeps == []


def test_a_server_that_stays_broken_is_given_up(bot: Bot) -> None:
    run = bot.fails()
    bot.github.plan(Fault(answer=Answer(500, {"message": "Server Error"}), times=-1))
    with pytest.raises(TransientError, match="status 500"):
        bot.comment(run, wait=60.0)
    assert sum(bot.clock.sleeps) <= 60
    assert len(bot.github.requests) < 30


def test_a_server_that_is_not_there_is_told(bot: Bot) -> None:
    with pytest.raises(TransientError, match="no connection"):
        bot.comment(1, api="http://127.0.0.1:9", wait=3.0)


@pytest.mark.parametrize("spoilt", [{"log": None}, {"log_status": 404}])
def test_an_expired_log_is_told_beside_the_others(bot: Bot, spoilt: dict[str, Any]) -> None:
    bot.github.add_pull(REPO, 7, OLD)
    jobs = [FakeJob("build", DISK), FakeJob("old", **{"log": TORCH, **spoilt})]
    run = bot.github.add_run(REPO, OLD, jobs, pull_requests=[7])
    bot.comment(run.id)
    assert "Not read: [`CI / old`]" in bot.bodies[0]
    assert "expired" in bot.bodies[0]


def test_when_all_logs_have_expired_nothing_is_posted_and_nothing_taken_back(bot: Bot) -> None:
    bot.comment(bot.fails(OLD, DISK))
    bot.github.add_pull(REPO, 7, NEW)
    run = bot.github.add_run(REPO, NEW, [FakeJob("old", None)], pull_requests=[7])
    result = bot.comment(run.id)
    assert (result.action, "expired" in result.reason) == ("skipped", True)
    assert "disk-full" in bot.bodies[0]


def test_a_log_that_breaks_off_is_fetched_again(bot: Bot) -> None:
    run = bot.fails(OLD, b"x" * 20_000 + b"\n" + DISK)
    bot.github.storage.plan(Fault(cut=5000))
    assert bot.comment(run).action == "created"
    assert len(bot.github.storage.requests) == 2


def test_a_signed_address_that_is_too_old_is_asked_for_again(bot: Bot) -> None:
    run = bot.fails()
    bot.github.storage.plan(Fault(answer=Answer(403, b"<Error><Code>AuthenticationFailed</Code></Error>")))
    assert bot.comment(run).action == "created"
    assert len(bot.github.seen("GET", "/logs$")) == 2


def test_a_log_that_comes_drop_by_drop_does_not_hold_the_bot(bot: Bot) -> None:
    run = bot.fails(OLD, b"x" * 400_000)
    bot.clock.tick = 30.0
    with pytest.raises(TransientError, match="slowly"):
        bot.comment(run, wait=10.0, transfer=60.0)


def test_of_a_huge_log_the_end_is_read(bot: Bot) -> None:
    run = bot.fails(OLD, b"compiling something harmless\n" * 40_000 + TORCH)
    bot.comment(run, max_log_bytes=100_000)
    assert "torch==9.9.9" in bot.bodies[0]
    assert "the middle of this log was left out" in bot.bodies[0]


def test_a_log_that_is_no_log_does_not_stop_the_others(bot: Bot) -> None:
    bomb = b"PK\x03\x04" + os.urandom(200)
    bot.comment(bot.fails(OLD, DISK, bomb, b"", b"\x00\xff\xfe" * 100))
    assert "disk-full" in bot.bodies[0]


@pytest.mark.parametrize(
    ("permissions", "says"),
    [
        ({"metadata": "read", "pull_requests": "write"}, "actions: read"),
        ({"metadata": "read", "actions": "read", "pull_requests": "read"}, "issues: write; pull_requests: write"),
    ],
)
def test_a_missing_permission_is_named(bot: Bot, permissions: dict[str, str], says: str) -> None:
    run = bot.fails()
    bot.github.tokens[TOKEN] = Identity(BOT, permissions=permissions)
    with pytest.raises(ForgeError, match="grant the token") as told:
        bot.comment(run)
    assert says in str(told.value)
    assert not isinstance(told.value, TransientError)
    assert bot.clock.sleeps == []


def test_a_private_repository_that_the_token_may_not_see_is_told(bot: Bot) -> None:
    with pytest.raises(ForgeError, match="may not see it; check the name, and for a private repository grant actions: read"):
        bot.comment(12345)


def test_a_wrong_token_and_no_token_are_told(bot: Bot) -> None:
    run = bot.fails()
    with pytest.raises(ForgeError, match="does not accept the token") as told:
        bot.comment(run, token="wrong-token")
    assert "wrong-token" not in str(told.value)
    with pytest.raises(UsageError, match="set GITHUB_TOKEN"):
        bot.comment(run, token=None)


def test_a_server_that_is_no_github_is_told(bot: Bot) -> None:
    run = bot.fails()
    bot.github.plan(Fault(answer=Answer(200, b"<html>sign in</html>")))
    with pytest.raises(ForgeError, match="check that --api names"):
        bot.comment(run)


def test_a_locked_conversation_is_told(bot: Bot) -> None:
    run = bot.fails()
    bot.github.repository(REPO).pulls[7].locked = True
    with pytest.raises(ForgeError, match="Unlock the conversation"):
        bot.comment(run)


def test_a_comment_that_somebody_deletes_meanwhile_is_posted_again(bot: Bot) -> None:
    bot.comment(bot.fails(OLD, DISK))
    run = bot.fails(NEW, TORCH)
    gone = bot.github.comments(REPO, 7)[0].id

    class Deleting(FakeClock):
        def sleep(self, seconds: float) -> None:
            bot.github.repository(REPO).comments.pop(gone, None)

    bot.clock = Deleting()
    bot.github.plan(Fault("/comments/", "PATCH", answer=Answer(404, {"message": "Not Found"})))
    assert bot.comment(run).action == "created"
    assert len(bot.bodies) == 1


def test_secrets_are_masked(bot: Bot) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6" * 3
    bot.comment(bot.fails(OLD, f"export TOKEN={secret}\n".encode() + DISK))
    assert secret not in bot.bodies[0]


# Options.


def test_recreate_posts_anew_and_takes_the_old_one_away(bot: Bot) -> None:
    bot.comment(bot.fails(OLD, DISK))
    first = bot.github.comments(REPO, 7)[0].id
    run = bot.fails(NEW, TORCH)
    assert bot.comment(run, recreate=True).action == "created"
    assert [item.id > first for item in bot.github.comments(REPO, 7)] == [True]
    assert bot.comment(run, recreate=True).action == "unchanged"


def test_a_dry_run_changes_nothing(bot: Bot) -> None:
    result = bot.comment(bot.fails(), dry_run=True)
    assert result.action == "skipped"
    assert result.body is not None
    assert "disk-full" in result.body
    assert bot.writes() == []


# The command.


def logkb_comment(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "GITLAB_", "CI_", "GH_"))}
    command = [sys.executable, "-m", "logkb", "comment", *arguments]
    return subprocess.run(command, env=kept | environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("event", ["pull_request", "workflow_run"])
def test_in_github_actions_no_argument_is_needed(bot: Bot, tmp_path: Path, event: str) -> None:
    run = bot.fails()
    payload = {
        "pull_request": {"pull_request": {"number": 7, "head": {"sha": OLD}}},
        "workflow_run": {"workflow_run": {"id": run, "head_sha": OLD}},
    }[event]
    path = tmp_path / "event.json"
    path.write_text(json.dumps(payload), encoding="utf-8")
    own = str(run) if event == "pull_request" else "424242"
    done = logkb_comment(
        GITHUB_ACTIONS="true", GITHUB_REPOSITORY=REPO, GITHUB_RUN_ID=own, GITHUB_EVENT_PATH=str(path), GITHUB_TOKEN=TOKEN,
        GITHUB_API_URL=bot.github.api, RUNNER_NAME="mine",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("created: 1 root cause (http")
    assert len(bot.bodies) == 1


def test_a_log_may_come_from_standard_input(bot: Bot) -> None:
    bot.github.add_pull(REPO, 7, OLD)
    command = [sys.executable, "-m", "logkb", "comment", "-", "--repo", REPO, "--pr", "7", "--api", bot.github.api]
    done = subprocess.run(command, input=DISK, env=os.environ | {"GITHUB_TOKEN": TOKEN}, capture_output=True, check=False)
    assert done.stdout.startswith(b"created")
    assert "standard input" in bot.bodies[0]


def test_a_dry_run_prints_the_comment(bot: Bot) -> None:
    bot.fails()
    done = logkb_comment("--repo", REPO, "--pr", "7", "--api", bot.github.api, "--dry-run", GITHUB_TOKEN=TOKEN)
    assert done.returncode == 0
    assert done.stdout.startswith("<!-- logkb:comment:1 state=failed")
    assert "dry run" in done.stderr
    assert bot.bodies == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "GitHub or GitLab?"),
        (("--forge", "github"), "no repository"),
        (("--forge", "github", "--repo", REPO), "nothing to comment on"),
        (("--forge", "github", "--repo", REPO, "--pr", "7"), "set GITHUB_TOKEN"),
        (("--forge", "github", "--repo", "app", "--pr", "7"), "write owner/name"),
        (("--forge", "gitea"), "unknown forge"),
    ],
)
def test_a_call_that_cannot_work_says_what_to_do(arguments: tuple[str, ...], says: str) -> None:
    done = logkb_comment(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, forge: ForgeName) -> None:
    for module in ("githubkit", "gitlab"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=r"pip install 'logkb\[bot\]'"):
        comment(Target(forge, REPO, pull_request=7), BotSettings(token=TOKEN))


def test_the_bot_imports_no_client_before_it_needs_one() -> None:
    code = "import sys, logkb.comment_commands; print({'githubkit', 'gitlab', 'httpx', 'requests'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({"GITHUB_RUN_ID": "5"}, Target("github", REPO, 5)),
        ({"GITLAB_CI": "true", "CI_PROJECT_ID": "3", "CI_PIPELINE_ID": "4"}, Target("gitlab", "3", 4)),
        (
            {"GITLAB_CI": "true", "CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_PROJECT_ID": "1", "CI_MERGE_REQUEST_IID": "7",
             "CI_PIPELINE_ID": "4", "CI_COMMIT_SHA": NEW, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": OLD},
            Target("gitlab", "1", 4, 7, OLD),
        ),
    ],
)  # fmt: skip
def test_the_environment_tells_what_is_meant(environment: dict[str, str], found: Target) -> None:
    actions = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": REPO}
    assert plan(CommentOptions(), actions | environment)[0] == found


def test_what_is_named_wins_over_the_environment() -> None:
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": REPO, "GITHUB_RUN_ID": "5", "GITHUB_TOKEN": "hush"}
    target, settings = plan(CommentOptions(repository="other/app", pull_request=9, api="https://example.org/api/v3"), environment)
    assert target == Target("github", "other/app", pull_request=9)
    assert (settings.api, settings.token, settings.own_run) == ("https://example.org/api/v3", "hush", 5)


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"LOGKB_GITHUB_APP_ID": "1"}, "without a key"),
        ({"LOGKB_GITHUB_APP_ID": "1", "LOGKB_GITHUB_APP_KEY_FILE": "/nowhere.pem"}, "cannot be read"),
        ({"GITHUB_RUN_ID": "abc"}, "must be a number"),
    ],
)
def test_settings_that_cannot_be_meant_are_told(environment: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        settings_from("github", environment)


# The fake itself.


def test_the_fake_answers_in_github_s_shapes(github: FakeGitHub) -> None:
    """Held against the models that githubkit derives from GitHub's own description of its API."""
    from githubkit_schemas.latest import models

    github.add_pull(REPO, 7, OLD, labels=["x"])
    run = github.add_run(REPO, OLD, [FakeJob("build", DISK)], pull_requests=[7])
    github.add_comment(REPO, 7, "hello")

    def get(path: str) -> Any:
        request = urllib.request.Request(github.api + path, headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    root = f"/repos/{REPO}"
    models.PullRequest.model_validate(get(f"{root}/pulls/7"))
    models.PullRequestSimple.model_validate(get(f"{root}/pulls")[0])
    models.WorkflowRun.model_validate(get(f"{root}/actions/runs")["workflow_runs"][0])
    models.Job.model_validate(get(f"{root}/actions/runs/{run.id}/jobs")["jobs"][0])
    models.IssueComment.model_validate(get(f"{root}/issues/7/comments")[0])
    models.Integration.model_validate(github._app_json())


def test_the_fake_runs_as_a_process_of_its_own() -> None:
    root = Path(__file__).parent.parent
    with subprocess.Popen([sys.executable, "-m", "tests.fakes.github"], cwd=root, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()

            def post(path: str, data: dict[str, Any]) -> Any:
                request = urllib.request.Request(url + path, json.dumps(data).encode(), method="POST")
                with urllib.request.urlopen(request) as answer:
                    return json.load(answer)

            post("/_fake/pulls", {"repository": REPO, "number": 7, "head_sha": OLD})
            run = post("/_fake/runs", {"repository": REPO, "head_sha": OLD, "jobs": [{"name": "build", "log": DISK.decode()}]})
            done = logkb_comment("--repo", REPO, "--run", str(run["id"]), "--api", url, GITHUB_TOKEN=TOKEN)
            assert done.stdout.startswith("created")
            with urllib.request.urlopen(url + "/_fake/comments") as answer:
                counted = json.load(answer)
            assert [item["login"] for item in counted[f"{REPO}#7"]] == [BOT]
        finally:
            process.terminate()
