"""A fake GitLab: the parts of its REST API that a bot on merge requests uses, in their documented shapes.

With `object_storage` traces are answered with a redirect to a signed address on another host and port, as an instance does
that keeps them in object storage; that server refuses every request that carries a token.

In a test: `with FakeGitLab() as gitlab: gitlab.add_merge_request("octo/app", 7, "a" * 40); gitlab.add_pipeline(...)`.
Alone: `python -m tests.fakes.gitlab --port 0`, then POST `/_fake/merge_requests` and `/_fake/pipelines` with the same
keywords as JSON (`trace` as text), and GET `/_fake/comments`, which counts and lists the notes of every merge request.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from tests.fakes.github import Storage
from tests.fakes.server import Answer, FakeServer, Request, link_header, page_of, part, run_alone

TOKEN = "fake-gitlab-token"
JOB_TOKEN = "fake-job-token"
BOT = "project_1_bot_logkb"
WHEN = "2026-08-01T10:00:00.000Z"
NOTE_LIMIT = 1_000_000
DONE = ("success", "failed", "canceled", "skipped", "manual")


@dataclass(slots=True)
class FakeJob:
    """A job of a pipeline. `trace` None: erased or expired (404); `retried`: a newer one of this name replaced it."""

    name: str
    trace: bytes | None = b""
    status: str = "failed"
    allow_failure: bool = False
    retried: bool = False
    stage: str = "test"
    id: int = 0


@dataclass(slots=True)
class FakePipeline:
    """A pipeline. `downstream` are the ids of the child pipelines that its bridges started."""

    id: int
    sha: str
    ref: str
    status: str
    source: str
    jobs: list[FakeJob]
    downstream: list[int] = field(default_factory=list)


@dataclass(slots=True)
class FakeMergeRequest:
    """A merge request; its head pipeline may live in the fork's project."""

    iid: int
    sha: str
    source_branch: str
    state: str = "opened"
    labels: list[str] = field(default_factory=list)
    head_pipeline: int | None = None
    head_project: int = 0
    source_project: int = 0


@dataclass(slots=True)
class FakeNote:
    """A note on a merge request; `system` notes are GitLab's own."""

    id: int
    iid: int
    username: str
    body: str
    system: bool = False


@dataclass(slots=True)
class FakeProject:
    """A project with all that is in it."""

    id: int
    path: str
    merge_requests: dict[int, FakeMergeRequest] = field(default_factory=dict)
    pipelines: dict[int, FakePipeline] = field(default_factory=dict)
    notes: dict[int, FakeNote] = field(default_factory=dict)


class FakeGitLab(FakeServer):
    """GitLab on loopback; `api` is the root of its REST API."""

    def __init__(self, port: int = 0, *, object_storage: bool = False) -> None:
        self.projects: dict[int, FakeProject] = {}
        self.tokens: dict[str, str] = {TOKEN: BOT}
        self.scopes: dict[str, tuple[str, ...]] = {TOKEN: ("api",)}
        self.job_tokens = {JOB_TOKEN}
        self.storage = TraceStorage() if object_storage else None
        self._ids = itertools.count(2001)
        super().__init__(port)

    def start(self) -> Self:
        if self.storage:
            self.storage.start()
        return super().start()

    def stop(self) -> None:
        super().stop()
        if self.storage:
            self.storage.stop()

    @property
    def api(self) -> str:
        return f"{self.url}/api/v4"

    # What a test sets up and looks at.

    def project(self, path: str) -> FakeProject:
        with self.lock:
            found = self._project(path)
            if found is None:
                found = FakeProject(len(self.projects) + 1, path)
                self.projects[found.id] = found
            return found

    def add_merge_request(
        self, project: str, iid: int, sha: str, *, source_branch: str = "topic", state: str = "opened",
        labels: tuple[str, ...] | list[str] = (), source_project: str = "",
    ) -> FakeMergeRequest:  # fmt: skip
        """Open a merge request, or move one to another commit."""
        with self.lock:
            source = self.project(source_project or project).id
            made = FakeMergeRequest(iid, sha, source_branch, state, list(labels), source_project=source)
            self.project(project).merge_requests[iid] = made
            return made

    def add_pipeline(
        self, project: str, sha: str, jobs: list[FakeJob], *, id: int = 0, ref: str = "topic", status: str = "",
        source: str = "merge_request_event", merge_request: int | None = None, target_project: str = "",
        downstream: tuple[int, ...] | list[int] = (),
    ) -> FakePipeline:  # fmt: skip
        """Add a pipeline; with `merge_request` it becomes the head pipeline of that one (in `target_project`)."""
        with self.lock:
            for job in jobs:
                job.id = job.id or next(self._ids)
            live = [job for job in jobs if not job.retried]
            if not status:
                broken = any(job.status == "failed" and not job.allow_failure for job in live)
                status = "running" if any(job.status not in DONE for job in live) else "failed" if broken else "success"
            made = FakePipeline(id or next(self._ids), sha, ref, status, source, jobs, list(downstream))
            home = self.project(project)
            home.pipelines[made.id] = made
            if merge_request is not None:
                owner = self.project(target_project or project).merge_requests[merge_request]
                owner.head_pipeline, owner.head_project = made.id, home.id
            return made

    def add_note(self, project: str, iid: int, body: str, username: str = "somebody", *, system: bool = False) -> FakeNote:
        """Write a note as anybody."""
        with self.lock:
            made = FakeNote(next(self._ids), iid, username, body, system)
            self.project(project).notes[made.id] = made
            return made

    def notes(self, project: str, iid: int, username: str | None = None) -> list[FakeNote]:
        """The notes of a merge request, oldest first."""
        with self.lock:
            found = [note for note in self.project(project).notes.values() if note.iid == iid]
            return [note for note in found if username is None or note.username == username]

    # The protocol.

    def handle(self, request: Request) -> Answer:
        headers = request.headers
        limits = {"RateLimit-Limit": "2000", "RateLimit-Remaining": "1999", "X-Request-Id": f"fake-{next(self._ids)}"}
        token = headers.get("private-token") or headers.get("authorization", "").removeprefix("Bearer ")
        username = self.tokens.get(token)
        if username is None:
            # A job token opens few doors, and none of these: neither traces nor merge requests nor notes.
            known = headers.get("job-token", token) in self.job_tokens
            made = _error(403, "403 Forbidden") if known else _error(401, "401 Unauthorized")
        elif request.method != "GET" and "api" not in self.scopes.get(token, ("api",)):
            made = Answer(403, {
                "error": "insufficient_scope",
                "error_description": "The request requires higher privileges than provided by the access token.",
                "scope": "api",
            })  # fmt: skip
        else:
            made = self._route(request, username)
        return Answer(made.status, made.body, {**limits, **made.headers}, made.cut, made.pause)

    def _route(self, request: Request, username: str) -> Answer:
        if not request.path.startswith("/api/v4/"):
            return _error(404, "404 Not Found")
        path = request.path.removeprefix("/api/v4/")
        if path == "user":
            return Answer(200, self._user(username))
        found = re.fullmatch(r"projects/([^/]+)(?:/(.+))?", path)
        project = self._project(part(found[1])) if found else None
        if found is None or project is None:
            return _error(404, "404 Project Not Found")
        for verb, pattern, work in (
            ("GET", r"merge_requests", self._merge_requests),
            ("GET", r"merge_requests/(\d+)", self._merge_request),
            ("GET", r"repository/commits/([0-9a-f]+)/merge_requests", self._merge_requests_of),
            ("GET", r"pipelines/(\d+)", self._pipeline),
            ("GET", r"pipelines/(\d+)/jobs", self._jobs),
            ("GET", r"pipelines/(\d+)/bridges", self._bridges),
            ("GET", r"jobs/(\d+)", self._single_job),
            ("GET", r"jobs/(\d+)/trace", self._trace),
            ("GET", r"merge_requests/(\d+)/notes", self._notes),
            ("POST", r"merge_requests/(\d+)/notes", self._note),
            ("PUT", r"merge_requests/(\d+)/notes/(\d+)", self._edit),
            ("DELETE", r"merge_requests/(\d+)/notes/(\d+)", self._remove),
        ):
            matched = re.fullmatch(pattern, found[2] or "")
            if verb == request.method and matched:
                return work(request, project, username, *matched.groups())
        return _error(404, "404 Not Found")

    def _project(self, name: str) -> FakeProject | None:
        if name.isdigit():
            return self.projects.get(int(name))
        return next((item for item in self.projects.values() if item.path == name), None)

    def _merge_requests(self, request: Request, project: FakeProject, username: str) -> Answer:
        state, branch = request.first("state", "all"), request.first("source_branch")
        found = [
            item for item in project.merge_requests.values()
            if state in ("all", item.state) and (not branch or item.source_branch == branch)
        ]  # fmt: skip
        return self._page(request, [self._merge_request_json(project, item) for item in found])

    def _merge_requests_of(self, request: Request, project: FakeProject, username: str, sha: str) -> Answer:
        found = [item for item in project.merge_requests.values() if item.sha == sha]
        return self._page(request, [self._merge_request_json(project, item) for item in found])

    def _merge_request(self, request: Request, project: FakeProject, username: str, iid: str) -> Answer:
        found = project.merge_requests.get(int(iid))
        return Answer(200, self._merge_request_json(project, found, whole=True)) if found else _error(404, "404 Not found")

    def _pipeline(self, request: Request, project: FakeProject, username: str, number: str) -> Answer:
        found = project.pipelines.get(int(number))
        return Answer(200, self._pipeline_json(project, found)) if found else _error(404, "404 Not found")

    def _jobs(self, request: Request, project: FakeProject, username: str, number: str) -> Answer:
        pipeline = project.pipelines.get(int(number))
        if pipeline is None:
            return _error(404, "404 Not found")
        scope, retried = _scope(request), request.first("include_retried") in ("true", "True", "1")
        jobs = [job for job in pipeline.jobs if (retried or not job.retried) and (not scope or job.status in scope)]
        # Newest first, as since GitLab 13.5.
        return self._page(request, [self._job_json(project, pipeline, job) for job in sorted(jobs, key=lambda job: -job.id)])

    def _bridges(self, request: Request, project: FakeProject, username: str, number: str) -> Answer:
        pipeline = project.pipelines.get(int(number))
        if pipeline is None:
            return _error(404, "404 Not found")
        made = []
        for child in pipeline.downstream:
            home = next(item for item in self.projects.values() if child in item.pipelines)
            below = home.pipelines[child]
            job = FakeJob(f"trigger-{child}", status=below.status, id=child + 500_000)
            made.append({**self._job_json(project, pipeline, job), "downstream_pipeline": self._pipeline_json(home, below)})
        return self._page(request, made)

    def _single_job(self, request: Request, project: FakeProject, username: str, number: str) -> Answer:
        for pipeline in project.pipelines.values():
            for job in pipeline.jobs:
                if job.id == int(number):
                    return Answer(200, self._job_json(project, pipeline, job))
        return _error(404, "404 Not Found")

    def _trace(self, request: Request, project: FakeProject, username: str, number: str) -> Answer:
        job = next((job for item in project.pipelines.values() for job in item.jobs if job.id == int(number)), None)
        if job is None or job.trace is None:
            return _error(404, "404 Not Found")
        if self.storage:
            return Answer(302, b"", {"Location": self.storage.sign(number, job.trace)})
        return Answer(200, job.trace)

    def _notes(self, request: Request, project: FakeProject, username: str, iid: str) -> Answer:
        if int(iid) not in project.merge_requests:
            return _error(404, "404 Not found")
        newest_first = request.first("sort", "desc") == "desc"
        notes = [note for note in project.notes.values() if note.iid == int(iid)]
        notes.sort(key=lambda note: -note.id if newest_first else note.id)
        return self._page(request, [self._note_json(project, note) for note in notes])

    def _note(self, request: Request, project: FakeProject, username: str, iid: str) -> Answer:
        if int(iid) not in project.merge_requests:
            return _error(404, "404 Not found")
        if refused := _bad_note(request.json.get("body")):
            return refused
        made = FakeNote(next(self._ids), int(iid), username, request.json["body"])
        project.notes[made.id] = made
        return Answer(201, self._note_json(project, made))

    def _edit(self, request: Request, project: FakeProject, username: str, iid: str, number: str) -> Answer:
        note = project.notes.get(int(number))
        if note is None or note.iid != int(iid):
            return _error(404, "404 Not found")
        if note.username != username:
            return _error(403, "403 Forbidden")
        if refused := _bad_note(request.json.get("body")):
            return refused
        note.body = request.json["body"]
        return Answer(200, self._note_json(project, note))

    def _remove(self, request: Request, project: FakeProject, username: str, iid: str, number: str) -> Answer:
        return Answer(204) if project.notes.pop(int(number), None) else _error(404, "404 Not found")

    # The shapes.

    def _page(self, request: Request, items: list[Any]) -> Answer:
        shown, number, pages, size = page_of(items, request, 20)
        headers = {
            "X-Page": str(number), "X-Per-Page": str(size), "X-Total": str(len(items)), "X-Total-Pages": str(pages),
            "X-Next-Page": str(number + 1) if number < pages else "", "X-Prev-Page": str(number - 1) if number > 1 else "",
        }  # fmt: skip
        link = link_header(self.url, request, number, pages)
        return Answer(200, shown, {**headers, **({"Link": link} if link else {})})

    def _user(self, username: str) -> dict[str, Any]:
        return {
            "id": sum(username.encode()), "username": username, "name": username, "state": "active", "locked": False,
            "bot": username.startswith("project_"), "avatar_url": None, "web_url": f"{self.url}/{username}",
        }  # fmt: skip

    def _pipeline_json(self, project: FakeProject, pipeline: FakePipeline) -> dict[str, Any]:
        return {
            "id": pipeline.id, "iid": pipeline.id, "project_id": project.id, "sha": pipeline.sha, "ref": pipeline.ref,
            "status": pipeline.status, "source": pipeline.source, "created_at": WHEN, "updated_at": WHEN,
            "web_url": f"{self.url}/{project.path}/-/pipelines/{pipeline.id}",
        }  # fmt: skip

    def _job_json(self, project: FakeProject, pipeline: FakePipeline, job: FakeJob) -> dict[str, Any]:
        return {
            "id": job.id, "status": job.status, "stage": job.stage, "name": job.name, "ref": pipeline.ref, "tag": False,
            "coverage": None, "allow_failure": job.allow_failure, "created_at": WHEN, "started_at": WHEN, "finished_at": WHEN,
            "erased_at": None, "duration": 1.0, "queued_duration": 0.1, "user": self._user("somebody"),
            "commit": {"id": pipeline.sha, "short_id": pipeline.sha[:8], "title": "A change", "created_at": WHEN},
            "pipeline": self._pipeline_json(project, pipeline), "web_url": f"{self.url}/{project.path}/-/jobs/{job.id}",
            "project": {"ci_job_token_scope_enabled": False}, "artifacts": [], "runner": None, "artifacts_expire_at": None,
            "archived": False, "tag_list": [], "failure_reason": "script_failure" if job.status == "failed" else None,
        }  # fmt: skip

    def _merge_request_json(self, project: FakeProject, item: FakeMergeRequest, *, whole: bool = False) -> dict[str, Any]:
        made: dict[str, Any] = {
            "id": 70_000 + item.iid, "iid": item.iid, "project_id": project.id, "title": "A change", "description": "",
            "state": item.state, "created_at": WHEN, "updated_at": WHEN, "target_branch": "main",
            "source_branch": item.source_branch, "user_notes_count": 0, "upvotes": 0, "downvotes": 0,
            "author": self._user("somebody"), "assignees": [], "assignee": None, "reviewers": [],
            "source_project_id": item.source_project, "target_project_id": project.id, "labels": item.labels, "draft": False,
            "milestone": None, "merge_when_pipeline_succeeds": False, "detailed_merge_status": "ci_must_pass", "sha": item.sha,
            "merge_commit_sha": None, "squash_commit_sha": None, "discussion_locked": None, "reference": f"!{item.iid}",
            "web_url": f"{self.url}/{project.path}/-/merge_requests/{item.iid}", "has_conflicts": False,
            "blocking_discussions_resolved": True,
        }  # fmt: skip
        if whole:
            home = self.projects.get(item.head_project)
            pipeline = home.pipelines.get(item.head_pipeline) if home and item.head_pipeline else None
            made["head_pipeline"] = self._pipeline_json(home, pipeline) if home and pipeline else None
            made["diff_refs"] = {"base_sha": "0" * 40, "head_sha": item.sha, "start_sha": "0" * 40}
            made["changes_count"] = "1"
        return made

    def _note_json(self, project: FakeProject, note: FakeNote) -> dict[str, Any]:
        return {
            "id": note.id, "type": None, "body": note.body, "author": self._user(note.username), "created_at": WHEN,
            "updated_at": WHEN, "system": note.system, "noteable_id": 70_000 + note.iid, "noteable_type": "MergeRequest",
            "project_id": project.id, "resolvable": False, "confidential": False, "internal": False, "imported": False,
            "noteable_iid": note.iid, "commands_changes": {},
        }  # fmt: skip

    # As a process of its own.

    def control(self, request: Request) -> Answer | None:
        what, data = request.path.removeprefix("/_fake/"), request.json
        if (request.method, what) == ("POST", "merge_requests"):
            return Answer(201, asdict(self.add_merge_request(**data)))
        if (request.method, what) == ("POST", "pipelines"):
            made = [
                {**job, "trace": None if job.get("trace", "") is None else job.get("trace", "").encode()}
                for job in data.pop("jobs")
            ]
            pipeline = self.add_pipeline(**data, jobs=[FakeJob(**job) for job in made])
            return Answer(201, {"id": pipeline.id, "jobs": [job.id for job in pipeline.jobs]})
        if (request.method, what) == ("GET", "comments"):
            return Answer(200, {
                f"{project.path}!{iid}": [{"username": note.username, "body": note.body} for note in self.notes(project.path, iid)]
                for project in self.projects.values()
                for iid in project.merge_requests
            })  # fmt: skip
        if (request.method, what) == ("GET", "requests"):
            return Answer(200, [{"method": item.method, "path": item.path, "status": item.status} for item in self.requests])
        return None


class TraceStorage(Storage):
    """Object storage for traces: it refuses GitLab's own headers, too."""

    def handle(self, request: Request) -> Answer:
        if "private-token" in request.headers or "job-token" in request.headers:
            return Answer(400, b"<Error><Code>InvalidRequest</Code></Error>", {"Content-Type": "application/xml"})
        return super().handle(request)


def rate_limit(seconds: int | None = 30) -> Answer:
    """The answer to too many requests; GitLab does not always say how long to wait."""
    headers: Mapping[str, str] = {} if seconds is None else {"Retry-After": str(seconds), "RateLimit-Remaining": "0"}
    return Answer(429, b"Retry later\n", headers)


def _scope(request: Request) -> list[str]:
    return [value for name in ("scope", "scope[]") for value in request.query.get(name, [])]


def _error(status: int, message: str) -> Answer:
    return Answer(status, {"message": message})


def _bad_note(body: Any) -> Answer | None:
    if not isinstance(body, str) or not body.strip():
        return _error(400, '400 Bad request - Note {:note=>["can\'t be blank"]}')
    if len(body) > NOTE_LIMIT:
        return _error(400, '400 Bad request - Note {:note=>["is too long (maximum is 1000000 characters)"]}')
    return None


if __name__ == "__main__":
    run_alone(FakeGitLab)
