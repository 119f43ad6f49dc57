"""A fake GitHub: the parts of its REST API (and one GraphQL query) that a bot on pull requests uses, in their documented shapes.

Logs are answered with a redirect to a signed address on another host and port, which refuses every request that carries an
Authorization header, as the real storage does.

In a test: `with FakeGitHub() as github: github.add_pull("octo/app", 7, "a" * 40); github.add_run(...)`.
Alone: `python -m tests.fakes.github --port 0`, then POST `/_fake/pulls` and `/_fake/runs` with the same keywords as JSON
(`log` as text), and GET `/_fake/comments`, which counts and lists the comments of every pull request.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from tests.fakes.server import Answer, FakeServer, Request, link_header, page_of, run_alone

TOKEN = "fake-github-token"
BOT = "github-actions[bot]"
DOCS = "https://docs.github.com/rest"
WHEN = "2026-08-01T10:00:00Z"
BODY_LIMIT = 65_536
ALL_PERMISSIONS = {"actions": "read", "contents": "read", "issues": "write", "metadata": "read", "pull_requests": "write"}


@dataclass(slots=True)
class Identity:
    """Who a token belongs to. An installation token cannot ask for `/user`."""

    login: str
    installation: bool = True
    permissions: Mapping[str, str] = field(default_factory=lambda: dict(ALL_PERMISSIONS))


@dataclass(slots=True)
class FakeJob:
    """A job of a run. `log` None: expired (410); `log_status` answers anything else instead."""

    name: str
    log: bytes | None = b""
    conclusion: str | None = "failure"
    status: str = "completed"
    runner_name: str = "GitHub Actions 1"
    log_status: int = 0
    id: int = 0
    attempt: int = 1


@dataclass(slots=True)
class FakeRun:
    """A workflow run with the jobs of all its attempts."""

    id: int
    head_sha: str
    jobs: list[FakeJob]
    branch: str
    event: str
    workflow: str
    workflow_id: int
    attempt: int
    status: str
    conclusion: str | None
    head_repository: str
    pull_requests: list[int]
    foreign: list[int] = field(default_factory=list)
    """Numbers of pull requests in other repositories of the network that have the same head."""


@dataclass(slots=True)
class FakePull:
    """A pull request; `head_repository` differs from the repository for one from a fork."""

    number: int
    head_sha: str
    branch: str
    head_repository: str
    state: str = "open"
    labels: list[str] = field(default_factory=list)
    locked: bool = False
    earlier: list[str] = field(default_factory=list)
    """Commits of the pull request before its head."""


@dataclass(slots=True)
class FakeComment:
    """A comment on an issue or a pull request."""

    id: int
    number: int
    login: str
    body: str


@dataclass(slots=True)
class FakeRepository:
    """A repository with all that is in it."""

    name: str
    pulls: dict[int, FakePull] = field(default_factory=dict)
    runs: dict[int, FakeRun] = field(default_factory=dict)
    comments: dict[int, FakeComment] = field(default_factory=dict)
    private: bool = False


class Storage(FakeServer):
    """The log storage: another host name and port, signed addresses, no Authorization header."""

    def __init__(self) -> None:
        self.logs: dict[str, bytes] = {}
        super().__init__()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def sign(self, key: str, log: bytes) -> str:
        self.logs[key] = log
        return f"{self.url}/logs/{key}?sp=r&sv=2025-01-05&sr=b&sig={self._signature(key)}"

    def handle(self, request: Request) -> Answer:
        key = request.path.rpartition("/")[2]
        if "authorization" in request.headers:
            return Answer(400, b"<Error><Code>InvalidAuthenticationInfo</Code></Error>", {"Content-Type": "application/xml"})
        if request.first("sig") != self._signature(key):
            return Answer(403, b"<Error><Code>AuthenticationFailed</Code></Error>", {"Content-Type": "application/xml"})
        if key not in self.logs:
            return Answer(404, b"<Error><Code>BlobNotFound</Code></Error>", {"Content-Type": "application/xml"})
        return Answer(200, self.logs[key])

    @staticmethod
    def _signature(key: str) -> str:
        return hashlib.sha256(f"storage {key}".encode()).hexdigest()[:24]


class FakeGitHub(FakeServer):
    """GitHub on loopback. `api` is the root of its REST API (with `/api/v3` when it plays GitHub Enterprise Server)."""

    def __init__(self, port: int = 0, *, prefix: str = "") -> None:
        self.prefix = prefix
        self.repositories: dict[str, FakeRepository] = {}
        self.tokens: dict[str, Identity] = {TOKEN: Identity(BOT)}
        self.storage = Storage()
        self.remaining = 5000
        self.app_slug = "logkb-test"
        self.app_id = 4242
        self.installation = 99
        self._key: Any = None
        self._ids = itertools.count(1001)
        super().__init__(port)

    def start(self) -> Self:
        self.storage.start()
        return super().start()

    def stop(self) -> None:
        super().stop()
        self.storage.stop()

    @property
    def api(self) -> str:
        return f"{self.url}{self.prefix}"

    # What a test sets up and looks at.

    def repository(self, name: str) -> FakeRepository:
        with self.lock:
            return self.repositories.setdefault(name, FakeRepository(name))

    def add_pull(
        self, repository: str, number: int, head_sha: str, *, branch: str = "topic", head_repository: str = "", state: str = "open",
        labels: tuple[str, ...] | list[str] = (), locked: bool = False,
    ) -> FakePull:  # fmt: skip
        """Open a pull request, or move one to another commit."""
        pull = FakePull(number, head_sha, branch, head_repository or repository, state, list(labels), locked)
        with self.lock:
            before = self.repository(repository).pulls.get(number)
            pull.earlier = [*before.earlier, before.head_sha] if before else []
            self.repository(repository).pulls[number] = pull
        return pull

    def add_run(
        self, repository: str, head_sha: str, jobs: list[FakeJob], *, id: int = 0, branch: str = "topic", event: str = "pull_request",
        workflow: str = "CI", workflow_id: int = 1, attempt: int = 1, status: str = "completed", conclusion: str | None = "",
        head_repository: str = "", pull_requests: list[int] | None = None, foreign: list[int] | None = None,
    ) -> FakeRun:  # fmt: skip
        """Add a workflow run. `pull_requests` is what the API tells of it: empty for a fork."""
        with self.lock:
            for job in jobs:
                job.id = job.id or next(self._ids)
            if conclusion == "":
                failed = any(job.conclusion in ("failure", "timed_out") and job.attempt == attempt for job in jobs)
                conclusion = None if status != "completed" else "failure" if failed else "success"
            run = FakeRun(
                id or next(self._ids), head_sha, jobs, branch, event, workflow, workflow_id, attempt, status, conclusion,
                head_repository or repository, pull_requests or [], foreign or [],
            )  # fmt: skip
            self.repository(repository).runs[run.id] = run
            return run

    def add_comment(self, repository: str, number: int, body: str, login: str = "somebody") -> FakeComment:
        """Write a comment as anybody."""
        with self.lock:
            made = FakeComment(next(self._ids), number, login, body)
            self.repository(repository).comments[made.id] = made
            return made

    def comments(self, repository: str, number: int, login: str | None = None) -> list[FakeComment]:
        """The comments of a pull request, oldest first."""
        with self.lock:
            found = [item for item in self.repository(repository).comments.values() if item.number == number]
            return [item for item in found if login is None or item.login == login]

    @property
    def private_key(self) -> str:
        """The GitHub App's private key in PEM."""
        from cryptography.hazmat.primitives import serialization

        form = serialization.PrivateFormat.TraditionalOpenSSL
        pem: bytes = self._rsa().private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        return pem.decode()

    def _rsa(self) -> Any:
        from cryptography.hazmat.primitives.asymmetric import rsa

        with self.lock:
            if self._key is None:
                self._key = rsa.generate_private_key(65537, 2048)
            return self._key

    # The protocol.

    def handle(self, request: Request) -> Answer:
        made = self._route(request)
        self.remaining = max(1, self.remaining - 1)
        limits = {
            "x-ratelimit-limit": "5000", "x-ratelimit-remaining": str(self.remaining), "x-ratelimit-used": "1",
            "x-ratelimit-reset": str(int(time.time()) + 3600), "x-ratelimit-resource": "core", "x-github-media-type": "github.v3",
            "x-github-request-id": f"F00D:{next(self._ids):X}",
        }  # fmt: skip
        return Answer(made.status, made.body, {**limits, **made.headers}, made.cut, made.pause)

    def _route(self, request: Request) -> Answer:
        path = request.path
        if path == ("/api/graphql" if self.prefix else "/graphql"):
            return self._graphql(request)
        if not path.startswith(f"{self.prefix}/"):
            return _not_found()
        path = path.removeprefix(self.prefix)
        if path == "/app" or path.startswith("/app/") or re.fullmatch(r"/repos/[^/]+/[^/]+/installation", path):
            return self._as_app(request, path)
        identity = self._identity(request)
        if identity is None:
            return Answer(401, {"message": "Bad credentials", "documentation_url": DOCS, "status": "401"})
        if path == "/user":
            return _forbidden() if identity.installation else Answer(200, self._user(identity.login, "User"))
        found = re.fullmatch(r"/repos/([^/]+/[^/]+)/(.+)", path)
        repository = self.repositories.get(found[1]) if found else None
        if found is None or repository is None or (repository.private and identity.permissions.get("metadata") is None):
            return _not_found()
        return self._in_repository(request, repository, found[2], identity)

    def _in_repository(self, request: Request, repository: FakeRepository, path: str, identity: Identity) -> Answer:
        method = request.method
        for verb, pattern, needs, work in (
            ("GET", r"pulls", "pull_requests=read", self._pulls),
            ("GET", r"pulls/(\d+)", "pull_requests=read", self._pull),
            ("GET", r"commits/([0-9a-f]+)/pulls", "pull_requests=read", self._pulls_of_commit),
            ("GET", r"actions/runs", "actions=read", self._runs),
            ("GET", r"actions/runs/(\d+)", "actions=read", self._run),
            ("GET", r"actions/runs/(\d+)/jobs", "actions=read", self._jobs),
            ("GET", r"actions/jobs/(\d+)", "actions=read", self._single_job),
            ("GET", r"actions/jobs/(\d+)/logs", "actions=read", self._logs),
            ("GET", r"issues/(\d+)/comments", "issues=read; pull_requests=read", self._comments),
            ("POST", r"issues/(\d+)/comments", "issues=write; pull_requests=write", self._comment),
            ("PATCH", r"issues/comments/(\d+)", "issues=write; pull_requests=write", self._edit),
            ("DELETE", r"issues/comments/(\d+)", "issues=write; pull_requests=write", self._remove),
        ):
            found = re.fullmatch(pattern, path)
            if verb != method or found is None:
                continue
            if not _may(identity, needs):
                return _forbidden(needs)
            return work(request, repository, identity, *found.groups())
        return _not_found()

    def _pulls(self, request: Request, repository: FakeRepository, identity: Identity) -> Answer:
        state, head = request.first("state", "open"), request.first("head")
        found = [item for item in repository.pulls.values() if state in ("all", item.state)]
        if head:
            owner, _, branch = head.partition(":")
            found = [item for item in found if item.head_repository.split("/")[0] == owner and item.branch == branch]
        return self._page(request, [self._pull_json(repository, item) for item in sorted(found, key=lambda item: -item.number)])

    def _pulls_of_commit(self, request: Request, repository: FakeRepository, identity: Identity, sha: str) -> Answer:
        # Commits that only a fork has are not known here.
        found = [
            item
            for item in repository.pulls.values()
            if sha in (item.head_sha, *item.earlier) and item.head_repository == repository.name
        ]
        return self._page(request, [self._pull_json(repository, item) for item in found])

    def _pull(self, request: Request, repository: FakeRepository, identity: Identity, number: str) -> Answer:
        pull = repository.pulls.get(int(number))
        return Answer(200, self._pull_json(repository, pull, whole=True)) if pull else _not_found()

    def _runs(self, request: Request, repository: FakeRepository, identity: Identity) -> Answer:
        sha = request.first("head_sha")
        found = [run for run in repository.runs.values() if not sha or run.head_sha == sha]
        made = [self._run_json(repository, run) for run in sorted(found, key=lambda run: -run.id)]
        return self._page(request, made, "workflow_runs")

    def _run(self, request: Request, repository: FakeRepository, identity: Identity, number: str) -> Answer:
        run = repository.runs.get(int(number))
        return Answer(200, self._run_json(repository, run)) if run else _not_found()

    def _jobs(self, request: Request, repository: FakeRepository, identity: Identity, number: str) -> Answer:
        run = repository.runs.get(int(number))
        if run is None:
            return _not_found()
        latest = request.first("filter", "latest") == "latest"
        jobs = [self._job_json(repository, run, job) for job in run.jobs if not latest or job.attempt == run.attempt]
        return self._page(request, jobs, "jobs")

    def _single_job(self, request: Request, repository: FakeRepository, identity: Identity, number: str) -> Answer:
        for run in repository.runs.values():
            for job in run.jobs:
                if job.id == int(number):
                    return Answer(200, self._job_json(repository, run, job))
        return _not_found()

    def _logs(self, request: Request, repository: FakeRepository, identity: Identity, number: str) -> Answer:
        job = next((job for run in repository.runs.values() for job in run.jobs if job.id == int(number)), None)
        if job is None or job.status != "completed":
            return _not_found()
        if job.log_status or job.log is None:
            return Answer(job.log_status or 410, {"message": "Gone", "documentation_url": DOCS, "status": "410"})
        return Answer(302, b"", {"Location": self.storage.sign(number, job.log), "Content-Type": "text/html;charset=utf-8"})

    def _comments(self, request: Request, repository: FakeRepository, identity: Identity, number: str) -> Answer:
        if int(number) not in repository.pulls:
            return _not_found()
        found = [item for item in repository.comments.values() if item.number == int(number)]
        return self._page(request, [self._comment_json(repository, item) for item in found])

    def _comment(self, request: Request, repository: FakeRepository, identity: Identity, number: str) -> Answer:
        pull = repository.pulls.get(int(number))
        if pull is None:
            return _not_found()
        if pull.locked:
            return Answer(
                403, {"message": "Unable to create comment because issue is locked.", "documentation_url": DOCS, "status": "403"}
            )
        if refused := _too_long(request.json.get("body")):
            return refused
        made = FakeComment(next(self._ids), pull.number, identity.login, request.json["body"])
        repository.comments[made.id] = made
        return Answer(201, self._comment_json(repository, made))

    def _edit(self, request: Request, repository: FakeRepository, identity: Identity, number: str) -> Answer:
        found = repository.comments.get(int(number))
        if found is None:
            return _not_found()
        if found.login != identity.login:
            return _forbidden("issues=write; pull_requests=write")
        if refused := _too_long(request.json.get("body")):
            return refused
        found.body = request.json["body"]
        return Answer(200, self._comment_json(repository, found))

    def _remove(self, request: Request, repository: FakeRepository, identity: Identity, number: str) -> Answer:
        return Answer(204) if repository.comments.pop(int(number), None) else _not_found()

    def _graphql(self, request: Request) -> Answer:
        identity = self._identity(request)
        if identity is None:
            return Answer(401, {"message": "Bad credentials", "documentation_url": DOCS, "status": "401"})
        if not re.search(r"\bviewer\s*\{\s*login\s*\}", request.json.get("query", "")):
            return Answer(200, {"errors": [{"message": "the fake knows only viewer { login }"}]})
        return Answer(200, {"data": {"viewer": {"login": identity.login}}})

    def _identity(self, request: Request) -> Identity | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return self.tokens.get(token) if scheme.lower() in ("bearer", "token") else None

    def _as_app(self, request: Request, path: str) -> Answer:
        import jwt

        try:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            claims = jwt.decode(token, self._rsa().public_key(), algorithms=["RS256"], options={"require": ["iat", "exp", "iss"]})
        except jwt.InvalidTokenError:
            return Answer(401, {"message": "A JSON web token could not be decoded", "documentation_url": DOCS, "status": "401"})
        if str(claims["iss"]) != str(self.app_id) or claims["exp"] - time.time() > 600:
            return Answer(401, {"message": "Integration not found", "documentation_url": DOCS, "status": "401"})
        if path == "/app":
            return Answer(200, self._app_json())
        if path.endswith("/installation"):
            return Answer(200, {"id": self.installation, "app_id": self.app_id, "app_slug": self.app_slug})
        if request.method == "POST" and path == f"/app/installations/{self.installation}/access_tokens":
            token = f"fake-installation-token-{next(self._ids)}"
            self.tokens[token] = Identity(f"{self.app_slug}[bot]")
            until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
            permissions = {"actions": "read", "metadata": "read", "pull_requests": "write"}
            return Answer(
                201, {"token": token, "expires_at": until, "permissions": permissions, "repository_selection": "selected"}
            )
        return _not_found()

    # The shapes.

    def _page(self, request: Request, items: list[Any], key: str = "") -> Answer:
        shown, number, pages, _ = page_of(items, request, 30)
        link = link_header(self.url, request, number, pages)
        headers = {"Link": link} if link else {}
        return Answer(200, {"total_count": len(items), key: shown} if key else shown, headers)

    def _user(self, login: str, kind: str = "") -> dict[str, Any]:
        root = f"{self.api}/users/{login}"
        kind = kind or ("Bot" if login.endswith("[bot]") else "User")
        return {
            "login": login, "id": _number(login), "node_id": f"U_{login}", "avatar_url": "https://example.org/avatar",
            "gravatar_id": "", "url": root, "html_url": f"{self.url}/{login}", "followers_url": f"{root}/followers",
            "following_url": f"{root}/following{{/other_user}}", "gists_url": f"{root}/gists{{/gist_id}}",
            "starred_url": f"{root}/starred{{/owner}}{{/repo}}", "subscriptions_url": f"{root}/subscriptions",
            "organizations_url": f"{root}/orgs", "repos_url": f"{root}/repos", "events_url": f"{root}/events{{/privacy}}",
            "received_events_url": f"{root}/received_events", "type": kind, "site_admin": False,
        }  # fmt: skip

    def repository_json(self, name: str) -> dict[str, Any]:
        root = f"{self.api}/repos/{name}"
        links = [
            "archive",
            "assignees",
            "blobs",
            "branches",
            "collaborators",
            "comments",
            "commits",
            "compare",
            "contents",
            "contributors",
            "deployments",
            "downloads",
            "events",
            "forks",
            "git_commits",
            "git_refs",
            "git_tags",
            "git",
            "issue_comment",
            "issue_events",
            "issues",
            "keys",
            "labels",
            "languages",
            "merges",
            "milestones",
            "notifications",
            "pulls",
            "releases",
            "ssh",
            "stargazers",
            "statuses",
            "subscribers",
            "subscription",
            "tags",
            "teams",
            "trees",
            "clone",
            "mirror",
            "hooks",
            "svn",
        ]
        made: dict[str, Any] = {f"{link}_url": f"{root}/{link.replace('_', '/')}" for link in links}
        return made | {
            "id": _number(name), "node_id": f"R_{name}", "name": name.split("/")[1], "full_name": name,
            "owner": self._user(name.split("/", maxsplit=1)[0]), "private": False, "html_url": f"{self.url}/{name}", "description": None,
            "fork": name not in self.repositories, "url": root, "license": None, "forks": 0, "homepage": None, "language": None,
            "forks_count": 0, "stargazers_count": 0, "watchers_count": 0, "size": 1, "default_branch": "main",
            "open_issues_count": 0, "has_issues": True, "has_projects": True, "has_wiki": True, "has_pages": False,
            "has_downloads": True, "archived": False, "disabled": False, "visibility": "public", "pushed_at": WHEN,
            "created_at": WHEN, "updated_at": WHEN, "open_issues": 0, "watchers": 0,
        }  # fmt: skip

    def _pull_json(self, repository: FakeRepository, pull: FakePull, *, whole: bool = False) -> dict[str, Any]:
        root, page = f"{self.api}/repos/{repository.name}/pulls/{pull.number}", f"{self.url}/{repository.name}/pull/{pull.number}"
        issue = f"{self.api}/repos/{repository.name}/issues/{pull.number}"

        def side(name: str, ref: str, sha: str) -> dict[str, Any]:
            owner = name.split("/", maxsplit=1)[0]
            made = {"label": f"{owner}:{ref}", "ref": ref, "sha": sha, "user": self._user(owner)}
            return made | {"repo": self.repository_json(name)}

        label = {
            "url": f"{root}/l",
            "description": None,
            "color": "ededed",
            "default": False,
            "archived_at": None,
            "archived_by": None,
        }
        made = {
            "url": root, "id": 10_000 + pull.number, "node_id": f"PR_{pull.number}", "html_url": page, "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch", "issue_url": issue, "commits_url": f"{root}/commits",
            "review_comments_url": f"{root}/comments", "review_comment_url": f"{root}/comments{{/number}}",
            "comments_url": f"{issue}/comments", "statuses_url": f"{self.api}/repos/{repository.name}/statuses/{pull.head_sha}",
            "number": pull.number, "state": pull.state, "locked": pull.locked, "title": "A change", "user": self._user("somebody"),
            "body": None, "labels": [{"id": _number(name), "node_id": "L", "name": name, **label} for name in pull.labels],
            "milestone": None, "active_lock_reason": None, "created_at": WHEN, "updated_at": WHEN,
            "closed_at": None if pull.state == "open" else WHEN, "merged_at": None, "merge_commit_sha": None, "assignee": None,
            "assignees": [], "requested_reviewers": [], "requested_teams": [], "draft": False,
            "head": side(pull.head_repository, pull.branch, pull.head_sha), "base": side(repository.name, "main", "0" * 40),
            "_links": {
                name: {"href": root}
                for name in ("self", "html", "issue", "comments", "review_comments", "review_comment", "commits", "statuses")
            },
            "author_association": "CONTRIBUTOR", "auto_merge": None,
        }  # fmt: skip
        more = {
            "merged": False, "mergeable": True, "rebaseable": True, "mergeable_state": "unstable", "merged_by": None, "comments": 0,
            "review_comments": 0, "maintainer_can_modify": False, "commits": 1, "additions": 1, "deletions": 0, "changed_files": 1,
        }  # fmt: skip
        return made | (more if whole else {})

    def _run_json(self, repository: FakeRepository, run: FakeRun) -> dict[str, Any]:
        root = f"{self.api}/repos/{repository.name}/actions/runs/{run.id}"
        links = {f"{name}_url": f"{root}/{name}" for name in ("jobs", "logs", "artifacts", "cancel", "rerun")}

        def short(pull: FakePull, base: str) -> dict[str, Any]:
            mini = {"id": _number(base), "url": f"{self.api}/repos/{base}", "name": base.split("/")[1]}
            return {
                "url": f"{self.api}/repos/{repository.name}/pulls/{pull.number}", "id": 10_000 + pull.number, "number": pull.number,
                "head": {"ref": pull.branch, "sha": pull.head_sha, "repo": mini}, "base": {"ref": "main", "sha": "0" * 40, "repo": mini},
            }  # fmt: skip

        return links | {
            "id": run.id, "name": run.workflow, "node_id": f"WFR_{run.id}", "head_branch": run.branch, "head_sha": run.head_sha,
            "path": ".github/workflows/ci.yml", "display_title": "A change", "run_number": run.id, "event": run.event,
            "status": run.status, "conclusion": run.conclusion, "workflow_id": run.workflow_id, "check_suite_id": run.id,
            "url": root, "html_url": f"{self.url}/{repository.name}/actions/runs/{run.id}",
            "pull_requests": [
                *(short(repository.pulls[number], repository.name) for number in run.pull_requests if number in repository.pulls),
                *(short(FakePull(number, run.head_sha, run.branch, run.head_repository), "mallory/app") for number in run.foreign),
            ],
            "created_at": WHEN, "updated_at": WHEN, "actor": self._user("somebody"), "run_attempt": run.attempt,
            "referenced_workflows": [], "run_started_at": WHEN, "triggering_actor": self._user("somebody"),
            "check_suite_url": f"{self.api}/repos/{repository.name}/check-suites/{run.id}", "previous_attempt_url": None,
            "workflow_url": f"{self.api}/repos/{repository.name}/actions/workflows/{run.workflow_id}",
            "head_commit": {
                "id": run.head_sha, "tree_id": "1" * 40, "message": "A change", "timestamp": WHEN,
                "author": {"name": "Somebody", "email": "somebody@example.org"},
                "committer": {"name": "Somebody", "email": "somebody@example.org"},
            },
            "repository": self.repository_json(repository.name), "head_repository": self.repository_json(run.head_repository),
        }  # fmt: skip

    def _job_json(self, repository: FakeRepository, run: FakeRun, job: FakeJob) -> dict[str, Any]:
        root = f"{self.api}/repos/{repository.name}"
        done = job.status == "completed"
        return {
            "id": job.id, "run_id": run.id, "workflow_name": run.workflow, "head_branch": run.branch,
            "run_url": f"{root}/actions/runs/{run.id}", "run_attempt": job.attempt, "node_id": f"CR_{job.id}",
            "head_sha": run.head_sha, "url": f"{root}/actions/jobs/{job.id}",
            "html_url": f"{self.url}/{repository.name}/actions/runs/{run.id}/job/{job.id}", "status": job.status,
            "conclusion": job.conclusion if done else None, "created_at": WHEN, "started_at": WHEN,
            "completed_at": WHEN if done else None, "name": job.name, "steps": [], "check_run_url": f"{root}/check-runs/{job.id}",
            "labels": ["ubuntu-latest"], "runner_id": 1, "runner_name": job.runner_name, "runner_group_id": 2,
            "runner_group_name": "GitHub Actions",
        }  # fmt: skip

    def _comment_json(self, repository: FakeRepository, comment: FakeComment) -> dict[str, Any]:
        root = f"{self.api}/repos/{repository.name}/issues"
        return {
            "url": f"{root}/comments/{comment.id}", "html_url": f"{self.url}/{repository.name}/pull/{comment.number}#issuecomment-{comment.id}",
            "issue_url": f"{root}/{comment.number}", "id": comment.id, "node_id": f"IC_{comment.id}", "user": self._user(comment.login),
            "created_at": WHEN, "updated_at": WHEN, "author_association": "NONE", "body": comment.body,
            "performed_via_github_app": None,
        }  # fmt: skip

    def _app_json(self) -> dict[str, Any]:
        return {
            "id": self.app_id, "slug": self.app_slug, "node_id": "A_1", "owner": self._user("octo"), "name": "logkb test",
            "description": None, "external_url": "https://example.org", "html_url": f"{self.url}/apps/{self.app_slug}",
            "created_at": WHEN, "updated_at": WHEN, "permissions": {"actions": "read", "pull_requests": "write"},
            "events": ["workflow_run"], "client_id": "Iv1.fake",
        }  # fmt: skip

    # As a process of its own.

    def control(self, request: Request) -> Answer | None:
        what, data = request.path.removeprefix("/_fake/"), request.json
        if (request.method, what) == ("POST", "pulls"):
            return Answer(201, asdict(self.add_pull(**data)))
        if (request.method, what) == ("POST", "runs"):
            jobs = [
                FakeJob(**{**job, "log": None if job.get("log", "") is None else job.get("log", "").encode()})
                for job in data.pop("jobs")
            ]
            run = self.add_run(**data, jobs=jobs)
            return Answer(201, {"id": run.id, "jobs": [job.id for job in run.jobs]})
        if (request.method, what) == ("GET", "comments"):
            return Answer(200, {
                f"{name}#{number}": [{"login": item.login, "body": item.body} for item in self.comments(name, number)]
                for name, repository in self.repositories.items()
                for number in repository.pulls
            })  # fmt: skip
        if (request.method, what) == ("GET", "requests"):
            return Answer(200, [{"method": item.method, "path": item.path, "status": item.status} for item in self.requests])
        return None


def primary_limit(seconds: int = 30) -> Answer:
    """The answer once the hourly limit is used up."""
    return Answer(
        403,
        {"message": "API rate limit exceeded for installation ID 99.", "documentation_url": DOCS, "status": "403"},
        {
            "x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-used": "5000",
            "x-ratelimit-reset": str(int(time.time()) + seconds), "x-ratelimit-resource": "core",
        },
    )  # fmt: skip


def secondary_limit(seconds: int | None = 60, status: int = 403) -> Answer:
    """The answer to too many requests at once; GitHub does not always say how long to wait."""
    text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    body = {"message": text, "documentation_url": DOCS, "status": str(status)}
    return Answer(status, body, {} if seconds is None else {"Retry-After": str(seconds)})


def _may(identity: Identity, needs: str) -> bool:
    """Any one of the permissions is enough."""
    for need in needs.split("; "):
        name, _, level = need.partition("=")
        have = identity.permissions.get(name)
        if have == "write" or have == level:
            return True
    return False


def _forbidden(needs: str = "") -> Answer:
    headers = {"x-accepted-github-permissions": needs} if needs else {}
    return Answer(403, {"message": "Resource not accessible by integration", "documentation_url": DOCS, "status": "403"}, headers)


def _not_found() -> Answer:
    return Answer(404, {"message": "Not Found", "documentation_url": DOCS, "status": "404"})


def _too_long(body: Any) -> Answer | None:
    if isinstance(body, str) and body.strip() and len(body) <= BODY_LIMIT:
        return None
    why = "Body is too long (maximum is 65536 characters)" if isinstance(body, str) and body else "Body cannot be blank"
    error = {"resource": "IssueComment", "code": "unprocessable", "field": "data", "message": why}
    return Answer(422, {"message": "Validation Failed", "errors": [error], "documentation_url": DOCS, "status": "422"})


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) % 1_000_000 + 1


if __name__ == "__main__":
    run_alone(FakeGitHub)
