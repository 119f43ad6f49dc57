"""GitLab through its REST API: find the merge request, list the failed jobs, fetch their traces, write the note."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar
from urllib.parse import quote

from logkb.errors import ForgeError, TransientError, UsageError
from logkb.forge import GITLAB_API, BotSettings, Found, Job, Jobs, LogGone, NotThere, Posted, PullRequest, Target
from logkb.report import safe
from logkb.spool import pour
from logkb.waiting import Clock, Patience

if TYPE_CHECKING:
    import gitlab
    import requests

T = TypeVar("T")
UNFINISHED = ("created", "waiting_for_resource", "preparing", "pending", "running", "scheduled")
# Pipelines start pipelines; no more of them than this are looked at.
PIPELINES = 30
SCOPE = "the scope api and the role Reporter (a project access token; CI_JOB_TOKEN can neither read traces nor write notes)"


class GitLabForge:
    """One project on GitLab. Use it as a context manager: it keeps one connection."""

    def __init__(self, repository: str, settings: BotSettings, clock: Clock) -> None:
        if not repository.strip("/"):
            raise UsageError("no project is given; write its full path, such as octo/app, or its id")
        self._project = repository
        self._settings, self._clock = settings, clock
        self.patience = Patience(settings.wait, clock)
        self._author = settings.author
        self._headers: Mapping[str, str] = {}
        self._client = _client(settings, self._remember)

    def __enter__(self) -> GitLabForge:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.session.close()

    # What the bot asks for; see `logkb.forge.Forge`.

    def find(self, target: Target) -> Found:
        """The merge request: as named, as the pipeline's ref tells, or by branch and commit."""
        run = self._pipeline(target)
        number = target.pull_request or _number_in(str(run["ref"]) if run else "")
        commit = target.commit or (str(run["sha"]) if run else None)
        if number is None:
            if commit is None:
                raise UsageError("neither a pipeline, a merge request nor a commit is given; name one of them")
            number = self._number_at(commit, str(run["ref"]) if run else "")
        if number is None:
            return Found(None)
        item = self._get(f"{self._path()}/merge_requests/{number}")
        made = PullRequest(item["iid"], item["sha"], item["state"] == "opened", tuple(item["labels"]), item["web_url"])
        return Found(made, _outdated(item, run, commit))

    def jobs(self, found: Found, target: Target) -> Jobs:
        """All pages of the head pipeline and of those that it started; of a job that was retried only the last one."""
        assert found.pull_request is not None
        item = self._get(f"{self._path()}/merge_requests/{found.pull_request.number}")
        head = item.get("head_pipeline") or self._pipeline(target)
        if head is None:
            return Jobs((), unclear=1)
        return self._jobs_of(head["project_id"], head["id"], head["status"], set())

    def jobs_of(self, run: int) -> Jobs:
        """The pipeline's failed jobs and those of the pipelines that it started."""
        item = self._get(f"{self._path()}/pipelines/{run}")
        return self._jobs_of(item["project_id"], item["id"], item["status"], set())

    def job(self, number: int) -> Job:
        """One job by its id."""
        item = self._get(f"{self._path()}/jobs/{number}")
        return _job(item["pipeline"]["project_id"], item)

    def fetch_log(self, job: Job, into: BinaryIO, limit: int) -> bool:
        """GitLab may answer with a redirect to object storage; the token stays here."""
        project, _, number = job.key.partition(":")

        def fetch() -> bool:
            into.seek(0)
            into.truncate()
            try:
                response = self._ask("get", f"{self._path(project)}/jobs/{number}/trace", streamed=True)
            except NotThere:
                raise LogGone(f"the log of '{safe(job.name)}' is gone (status 404)") from None
            try:
                return pour(_blocks(response), into, limit, seconds=self._settings.transfer, clock=self._clock)
            finally:
                response.close()

        return self.patience.run(fetch)

    def comments(self, pull_request: PullRequest, starts_with: str) -> Sequence[Posted]:
        """Over all pages, oldest first; another author's marker counts for nothing."""
        author = self._whoami()
        return [
            self._posted(pull_request, item)
            for item in self._list(f"{self._notes(pull_request)}", order_by="created_at", sort="asc")
            if not item["system"] and item["author"]["username"] == author and item["body"].startswith(starts_with)
        ]

    def create(self, pull_request: PullRequest, body: str) -> Posted:
        """Not repeated here: a lost answer may hide a note that was posted."""
        return self._posted(pull_request, self._json("post", self._notes(pull_request), {"body": body}))

    def update(self, pull_request: PullRequest, posted: Posted, body: str) -> Posted:
        """Change a note."""
        path = f"{self._notes(pull_request)}/{posted.id}"
        return self._posted(pull_request, self.patience.run(lambda: self._json("put", path, {"body": body})))

    def delete(self, pull_request: PullRequest, posted: Posted) -> None:
        """Take a note away."""
        try:
            self.patience.run(lambda: self._ask("delete", f"{self._notes(pull_request)}/{posted.id}"))
        except NotThere:
            return

    # How it is asked.

    def _pipeline(self, target: Target) -> Any:
        """The target's pipeline; None when there is none here (that of a fork lives in the fork's project)."""
        if target.run is None:
            return None
        try:
            return self._get(f"{self._path()}/pipelines/{target.run}")
        except NotThere:
            if target.pull_request is None and target.commit is None:
                raise
            return None

    def _number_at(self, commit: str, branch: str) -> int | None:
        try:
            found = self._list(f"{self._path()}/repository/commits/{commit}/merge_requests")
        except NotThere:
            found = []
        if not found and branch:
            found = self._list(f"{self._path()}/merge_requests", state="opened", source_branch=branch)
        found.sort(key=lambda item: (item["sha"] != commit, item["state"] != "opened", item["iid"]))
        return int(found[0]["iid"]) if found else None

    def _jobs_of(self, project: int, pipeline: int, status: str, seen: set[int]) -> Jobs:
        if status == "success" or pipeline in seen or len(seen) >= PIPELINES:
            return Jobs(())
        seen.add(pipeline)
        finished = status not in UNFINISHED
        query = {"scope[]": "failed"} if finished else {}
        items = self._list(f"{self._path(str(project))}/pipelines/{pipeline}/jobs", **query)
        failed = [_job(project, item) for item in items if item["status"] == "failed" and not item["allow_failure"]]
        waiting = [item for item in items if item["status"] in UNFINISHED and str(item["id"]) != self._settings.own_job]
        pending, unclear = len(waiting), 0
        if not finished and not waiting and pipeline != self._settings.own_run:
            pending = 1
        below = 0
        for bridge in self._list(f"{self._path(str(project))}/pipelines/{pipeline}/bridges"):
            child = bridge.get("downstream_pipeline")
            if child is None or bridge["allow_failure"] or child["status"] == "success":
                continue
            below += 1
            try:
                more = self._jobs_of(child["project_id"], child["id"], child["status"], seen)
            except NotThere:
                more = Jobs((), unclear=1)  # a project that the token may not see
            failed, pending, unclear = [*failed, *more.failed], pending + more.pending, unclear + more.unclear
        if finished and not failed and not below:
            unclear += 1
        return Jobs(tuple(failed), pending, unclear)

    def _whoami(self) -> str:
        if self._author is None:
            self._author = str(self._get("/user")["username"])
        return self._author

    def _path(self, project: str | None = None) -> str:
        return f"/projects/{quote(project or self._project, safe='')}"

    def _notes(self, pull_request: PullRequest) -> str:
        return f"{self._path()}/merge_requests/{pull_request.number}/notes"

    def _posted(self, pull_request: PullRequest, item: Mapping[str, Any]) -> Posted:
        return Posted(item["id"], item["body"], f"{pull_request.url}#note_{item['id']}")

    def _get(self, path: str) -> Any:
        return self.patience.run(lambda: self._json("get", path))

    def _json(self, method: str, path: str, body: Any = None) -> Any:
        return _parsed(self._ask(method, path, body), path)

    def _list(self, path: str, **query: Any) -> list[Any]:
        """All pages. The number of the page is counted here, so that no address from an answer is followed."""
        items: list[Any] = []
        page = "1"
        for _ in range(100):
            ask = functools.partial(self._ask, "get", path, query={**query, "per_page": 100, "page": page})
            response = self.patience.run(ask)
            items += _parsed(response, path)
            page = response.headers.get("X-Next-Page", "")
            if not page.isdigit():
                break
        return items

    def _ask(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None, *, streamed: bool = False
    ) -> requests.Response:
        import requests
        from gitlab.exceptions import GitlabError

        asked = f"{method.upper()} {path}"
        self._headers = {}
        try:
            return self._client.http_request(
                method, path, query_data=dict(query or {}), post_data=body, streamed=streamed,
                obey_rate_limit=False, retry_transient_errors=False, max_retries=0,
            )  # fmt: skip
        except requests.RequestException as error:
            raise TransientError(f"no connection for {asked} ({type(error).__name__}); try again later") from None
        except GitlabError as error:
            raise self._own_error(error.response_code or 0, str(error.error_message), asked) from None

    def _remember(self, response: requests.Response, *_: object, **__: object) -> None:
        """The client's errors carry no headers; the one that says how long to wait is kept here."""
        self._headers = response.headers

    def _own_error(self, status: int, said: str, asked: str) -> ForgeError:
        said = safe(said)[:300]
        if status == 429:
            return TransientError(f"GitLab's rate limit is used up ({asked})", _wait(self._headers))
        if status >= 500 or status == 408:
            return TransientError(f"GitLab answered {asked} with status {status}; try again later", _wait(self._headers))
        if status == 401:
            return ForgeError(f"GitLab does not accept the token ({asked}: {said}); it needs {SCOPE}")
        if status == 403:
            return ForgeError(f"GitLab refuses {asked}: {said}; the token needs {SCOPE}")
        if status in (404, 410):
            why = f"it is not there, or the token may not see it; check the name; the token needs {SCOPE}"
            return NotThere(f"GitLab finds nothing for {asked}: {why}")
        return ForgeError(f"GitLab refuses {asked} with status {status}: {said}")


def _parsed(response: requests.Response, path: str) -> Any:
    try:
        return response.json()
    except ValueError:
        raise ForgeError(f"the answer to {path} is no JSON; check that --api names GitLab's REST API") from None


def _client(settings: BotSettings, remember: Callable[..., None]) -> gitlab.Gitlab:
    try:
        import gitlab
        import requests
    except ImportError as error:
        raise UsageError(f"comments on GitLab need the extra 'bot' ({error}): pip install 'logkb[bot]'") from None
    if not settings.token:
        raise UsageError(f"no token for GitLab; set GITLAB_TOKEN to one with {SCOPE}")
    session = requests.Session()
    session.hooks["response"].append(remember)
    url = (settings.api or GITLAB_API).rstrip("/").removesuffix("/api/v4")
    # As `Authorization: Bearer`, which requests takes off when a redirect leads to another host; it would leave
    # `PRIVATE-TOKEN` in place.
    return gitlab.Gitlab(url, oauth_token=settings.token, timeout=settings.timeout, session=session, user_agent="logkb")


def _blocks(response: requests.Response) -> Iterator[bytes]:
    import requests

    try:
        yield from response.iter_content(64 * 1024)
    except requests.RequestException as error:
        raise TransientError(f"the log's transfer broke off ({type(error).__name__}); try again later") from None


def _wait(headers: Mapping[str, str]) -> float | None:
    for name, now in (("Retry-After", 0.0), ("RateLimit-Reset", time.time())):
        value = headers.get(name, "")
        if value.isascii() and value.isdigit():
            return max(0.0, float(value) - now)
    return None


def _number_in(ref: str) -> int | None:
    """`refs/merge-requests/7/head` (or `/merge`, `/train`) -> 7."""
    parts = ref.split("/")
    return int(parts[2]) if parts[:2] == ["refs", "merge-requests"] and len(parts) == 4 and parts[2].isdigit() else None


def _outdated(item: Mapping[str, Any], run: Mapping[str, Any] | None, commit: str | None) -> bool:
    """A pipeline for merged results runs on a commit of its own, so the head pipeline counts as well as the head."""
    head = item.get("head_pipeline")
    if run is not None and head is not None and head["id"] == run["id"]:
        return False
    return commit not in (None, item["sha"], head["sha"] if head else None)


def _job(project: int, item: Mapping[str, Any]) -> Job:
    return Job(item["name"], item.get("web_url") or "", f"{project}:{item['id']}")
