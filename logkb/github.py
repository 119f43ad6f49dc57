"""GitHub through its REST API: find the pull request, list the failed jobs, fetch their logs, write the comment."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from logkb.errors import ForgeError, TransientError, UsageError
from logkb.forge import GITHUB_API, BotSettings, Found, Job, Jobs, LogGone, Posted, PullRequest, Target
from logkb.github_client import Blocks, Forbidden, NotFound, Refused, asked, json_of, open_client
from logkb.report import safe
from logkb.spool import pour
from logkb.waiting import Clock, Patience

FAILED, FINE = ("failure", "timed_out"), ("success", "skipped", "neutral")
PAGE, MAX_PAGES = 100, 100


class GitHubForge:
    """One repository on GitHub. Use it as a context manager: it keeps one connection."""

    def __init__(self, repository: str, settings: BotSettings, clock: Clock) -> None:
        if repository.count("/") != 1 or not all(repository.split("/")):
            raise UsageError(f"'{repository}' is no repository; write owner/name, such as octo/app")
        self._root = f"/repos/{repository}"
        self._settings, self._clock = settings, clock
        self.patience = Patience(settings.wait, clock)
        self._author = settings.author
        self._client = open_client(settings, self._installation_auth if settings.app else None)

    def __enter__(self) -> GitHubForge:
        self._client.__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *_: object) -> None:
        self._client.__exit__()

    # What the bot asks for; see `logkb.forge.Forge`.

    def find(self, target: Target) -> Found:
        """The pull request: as named, as the run tells, or by the branch and commit (a fork's run names none)."""
        commit = target.commit
        if target.pull_request is not None:
            if commit is None and target.run is not None:
                commit = str(self._get(f"{self._root}/actions/runs/{target.run}")["head_sha"])
            pull = _pull(self._get(f"{self._root}/pulls/{target.pull_request}"))
            return Found(pull, commit not in (None, pull.head))
        pulls: list[PullRequest] = []
        if target.run is not None:
            run = self._get(f"{self._root}/actions/runs/{target.run}")
            commit = str(run["head_sha"])
            pulls = self._pulls_of(run)
        if commit is None:
            raise UsageError("neither a run, a pull request nor a commit is given; name one of them")
        pulls = pulls or self._pulls_at(commit)
        # The API remembers a pull request's branch, not its history: the one that stands at this commit is meant.
        pulls.sort(key=lambda pull: (pull.head != commit, not pull.open, pull.number))
        return Found(pulls[0], pulls[0].head != commit) if pulls else Found(None)

    def jobs(self, found: Found, target: Target) -> Jobs:
        """All pages of the latest attempt of every workflow's newest run at the pull request's head."""
        assert found.pull_request is not None
        head = found.pull_request.head
        runs = {int(run["id"]): run for run in self._list(f"{self._root}/actions/runs", "workflow_runs", head_sha=head)}
        if target.run is not None and target.run not in runs:
            run = self._get(f"{self._root}/actions/runs/{target.run}")
            runs |= {target.run: run} if run["head_sha"] == head else {}
        newest: dict[tuple[int, str], Mapping[str, Any]] = {}
        for number in sorted(runs):
            newest[runs[number]["workflow_id"], runs[number]["event"]] = runs[number]
        failed: list[Job] = []
        pending = unclear = 0
        for run in newest.values():
            if run["status"] == "completed" and run["conclusion"] in FINE:
                continue
            jobs = self._list(f"{self._root}/actions/runs/{run['id']}/jobs", "jobs", filter="latest")
            broken = [_job(item) for item in jobs if item["conclusion"] in FAILED]
            failed += broken
            if run["status"] != "completed":
                pending += self._pending(run, jobs)
            elif not broken:
                unclear += 1
        return Jobs(tuple(failed), pending, unclear)

    def jobs_of(self, run: int) -> Jobs:
        """All pages of the run's latest attempt."""
        jobs = self._list(f"{self._root}/actions/runs/{run}/jobs", "jobs", filter="latest")
        failed = tuple(_job(item) for item in jobs if item["conclusion"] in FAILED)
        return Jobs(failed, sum(item["status"] != "completed" for item in jobs))

    def job(self, number: int) -> Job:
        """One job by its id."""
        return _job(self._get(f"{self._root}/actions/jobs/{number}"))

    def fetch_log(self, job: Job, into: BinaryIO, limit: int) -> bool:
        """GitHub answers with a redirect to a signed address of another host; the token stays here."""

        def fetch() -> bool:
            into.seek(0)
            into.truncate()
            with self._stream(f"{self._root}/actions/jobs/{job.key}/logs", job.name) as blocks:
                return pour(blocks, into, limit, seconds=self._settings.transfer, clock=self._clock)

        return self.patience.run(fetch)

    def comments(self, pull_request: PullRequest, starts_with: str) -> Sequence[Posted]:
        """Over all pages, oldest first; another author's marker counts for nothing."""
        author = self._whoami()
        return [
            _posted(item)
            for item in self._list(f"{self._root}/issues/{pull_request.number}/comments")
            if (item.get("user") or {}).get("login") == author and (item.get("body") or "").startswith(starts_with)
        ]

    def create(self, pull_request: PullRequest, body: str) -> Posted:
        """Not repeated here: a lost answer may hide a comment that was posted."""
        return _posted(self._once("POST", f"{self._root}/issues/{pull_request.number}/comments", {"body": body}))

    def update(self, pull_request: PullRequest, posted: Posted, body: str) -> Posted:
        """Change a comment."""
        return _posted(self.patience.run(lambda: self._once("PATCH", f"{self._root}/issues/comments/{posted.id}", {"body": body})))

    def delete(self, pull_request: PullRequest, posted: Posted) -> None:
        """Take a comment away."""
        try:
            self.patience.run(lambda: self._once("DELETE", f"{self._root}/issues/comments/{posted.id}"))
        except NotFound:
            return

    # How it is asked.

    def _pulls_of(self, run: Mapping[str, Any]) -> list[PullRequest]:
        # A run may name pull requests of other repositories in the same network of forks.
        numbers = [item["number"] for item in run["pull_requests"] or () if item["base"]["repo"]["id"] == run["repository"]["id"]]
        if numbers:
            return [_pull(self._get(f"{self._root}/pulls/{number}")) for number in numbers]
        owner = ((run.get("head_repository") or {}).get("owner") or {}).get("login")
        if not owner or not run.get("head_branch"):
            return []
        return [_pull(item) for item in self._list(f"{self._root}/pulls", state="open", head=f"{owner}:{run['head_branch']}")]

    def _pulls_at(self, commit: str) -> list[PullRequest]:
        try:
            return [_pull(item) for item in self._list(f"{self._root}/commits/{commit}/pulls")]
        except Refused as error:
            # A commit that only a fork has is not known in this repository.
            if error.status in (404, 409, 422):
                return []
            raise

    def _pending(self, run: Mapping[str, Any], jobs: Sequence[Mapping[str, Any]]) -> int:
        waiting = [item for item in jobs if item["status"] != "completed"]
        if run["id"] == self._settings.own_run:
            own = next((item for item in waiting if self._settings.own_job in (None, item["runner_name"])), None)
            waiting = [item for item in waiting if item is not own]
        elif not waiting:
            return 1
        return len(waiting)

    def _whoami(self) -> str:
        """The account that writes: an App's own name, the token's user, or (an installation token may not ask) the viewer."""
        if self._author is None:
            if self._settings.app is not None:
                self._author = f"{self._get('/app')['slug']}[bot]"
            else:
                try:
                    self._author = str(self._get("/user")["login"])
                except Forbidden:
                    self._author = self._viewer()
        return self._author

    def _viewer(self) -> str:
        data = self.patience.run(lambda: self._once("POST", self._graphql(), {"query": "query { viewer { login } }"}))
        login = ((data.get("data") or {}).get("viewer") or {}).get("login") if isinstance(data, dict) else None
        if not login:
            raise ForgeError(
                "GitHub does not say whose token this is; name the account with --author, such as 'github-actions[bot]'"
            )
        return str(login)

    def _graphql(self) -> str:
        """GitHub Enterprise Server has it beside the REST API, not below it."""
        api = (self._settings.api or GITHUB_API).rstrip("/")
        return f"{api.removesuffix('/v3')}/graphql"

    def _installation_auth(self) -> Any:
        from githubkit import AppAuthStrategy

        app = self._settings.app
        assert app is not None
        auth = AppAuthStrategy(app.app, app.private_key)
        if app.installation is not None:
            return auth.as_installation(app.installation)
        with open_client(self._settings, lambda: auth) as client:
            made = self.patience.run(
                lambda: asked(lambda: client.request("GET", f"{self._root}/installation"), "GET /installation")
            )
        return auth.as_installation(int(json_of(made, self._root)["id"]))

    def _get(self, path: str, **query: Any) -> Any:
        return self.patience.run(lambda: self._once("GET", path, None, query))

    def _list(self, path: str, key: str = "", **query: Any) -> list[Any]:
        """All pages. The number of the page is counted here, so that no address from an answer is followed."""
        items: list[Any] = []
        for page in range(1, MAX_PAGES + 1):
            ask = functools.partial(self._request, "GET", path, None, {**query, "per_page": PAGE, "page": page})
            response = self.patience.run(ask)
            made = json_of(response, path)
            items += made[key] if key else made
            if "next" not in response.raw_response.links:
                break
        return items

    def _once(self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        response = self._request(method, path, body, query)
        return json_of(response, path) if response.content else None

    def _request(self, method: str, path: str, body: Any, query: Mapping[str, Any] | None) -> Any:
        return asked(lambda: self._client.request(method, path, params=dict(query or {}), json=body), f"{method} {path}")

    def _stream(self, path: str, job: str) -> Blocks:
        def ask() -> Any:
            try:
                return asked(lambda: self._client.request("GET", path, stream=True), f"GET {path}")
            except NotFound as error:
                raise LogGone(f"the log of '{safe(job)}' is gone (status {error.status})") from None
            except Forbidden as error:
                # The storage refuses an address that is older than a minute: a new one is a new request.
                if error.host == self._client.config.base_url.host and error.port == self._client.config.base_url.port:
                    raise
                raise TransientError("the storage refused the log's address; try again") from None

        return Blocks(ask())


def _pull(item: Mapping[str, Any]) -> PullRequest:
    labels = tuple(label["name"] for label in item["labels"])
    return PullRequest(item["number"], item["head"]["sha"], item["state"] == "open", labels, item["html_url"])


def _job(item: Mapping[str, Any]) -> Job:
    # Names repeat between workflows ("build"), so that both are told.
    workflow = item.get("workflow_name")
    return Job(f"{workflow} / {item['name']}" if workflow else item["name"], item.get("html_url") or "", str(item["id"]))


def _posted(item: Mapping[str, Any]) -> Posted:
    return Posted(item["id"], item.get("body") or "", item["html_url"])
