"""GitHub through its REST API: find the pull request, list the failed jobs, fetch their logs, write the comment."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from logkb.errors import ForgeError, TransientError, UsageError
from logkb.forge import GITHUB_API, BotSettings, Found, Job, Jobs, LogGone, NotThere, Posted, PullRequest, Target
from logkb.report import safe
from logkb.spool import pour
from logkb.waiting import Clock, Patience

if TYPE_CHECKING:
    import ssl

    import githubkit
    from githubkit.cache import MemCacheStrategy
    from githubkit.exception import GitHubException

T = TypeVar("T")
FAILED, FINE = ("failure", "timed_out"), ("success", "skipped", "neutral")
PAGE, MAX_PAGES = 100, 100
# GitHub asks for at least a minute when a secondary limit comes without advice.
SECONDARY_PAUSE = 60.0
# What to grant, when GitHub's answer does not name it itself.
NEEDS = {
    "actions": "actions: read",
    "pulls": "pull-requests: read",
    "commits": "pull-requests: read",
    "issues": "pull-requests: write",
}


class GitHubForge:
    """One repository on GitHub. Use it as a context manager: it keeps one connection."""

    def __init__(self, repository: str, settings: BotSettings, clock: Clock) -> None:
        if repository.count("/") != 1 or not all(repository.split("/")):
            raise UsageError(f"'{repository}' is no repository; write owner/name, such as octo/app")
        self._root = f"/repos/{repository}"
        self._settings, self._clock = settings, clock
        self.patience = Patience(settings.wait, clock)
        self._author = settings.author
        self._client = _client(settings, self._installation_auth if settings.app else None)

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
        except _NotFound:
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
        except _Refused as error:
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
                except _Forbidden:
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
        with _client(self._settings, lambda: auth) as client:
            made = self.patience.run(
                lambda: _asked(lambda: client.request("GET", f"{self._root}/installation"), "GET /installation")
            )
        return auth.as_installation(int(_json(made, self._root)["id"]))

    def _get(self, path: str, **query: Any) -> Any:
        return self.patience.run(lambda: self._once("GET", path, None, query))

    def _list(self, path: str, key: str = "", **query: Any) -> list[Any]:
        """All pages. The number of the page is counted here, so that no address from an answer is followed."""
        items: list[Any] = []
        for page in range(1, MAX_PAGES + 1):
            ask = functools.partial(self._request, "GET", path, None, {**query, "per_page": PAGE, "page": page})
            response = self.patience.run(ask)
            made = _json(response, path)
            items += made[key] if key else made
            if "next" not in response.raw_response.links:
                break
        return items

    def _once(self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        response = self._request(method, path, body, query)
        return _json(response, path) if response.content else None

    def _request(self, method: str, path: str, body: Any, query: Mapping[str, Any] | None) -> Any:
        asked = f"{method} {path}"
        return _asked(lambda: self._client.request(method, path, params=dict(query or {}), json=body), asked)

    def _stream(self, path: str, job: str) -> _Blocks:
        def ask() -> Any:
            try:
                return _asked(lambda: self._client.request("GET", path, stream=True), f"GET {path}")
            except _NotFound as error:
                raise LogGone(f"the log of '{safe(job)}' is gone (status {error.status})") from None
            except _Forbidden as error:
                # The storage refuses an address that is older than a minute: a new one is a new request.
                if error.host == self._client.config.base_url.host and error.port == self._client.config.base_url.port:
                    raise
                raise TransientError("the storage refused the log's address; try again") from None

        return _Blocks(ask())


class _Blocks:
    """The blocks of a streamed body; a connection that breaks or ends early is a `TransientError`."""

    def __init__(self, response: Any) -> None:
        self._response = response.raw_response

    def __enter__(self) -> Iterator[bytes]:
        return self._blocks()

    def __exit__(self, *_: object) -> None:
        self._response.close()

    def _blocks(self) -> Iterator[bytes]:
        import httpx

        try:
            yield from self._response.iter_bytes(64 * 1024)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise TransientError(f"the log's transfer broke off ({type(error).__name__}); try again later") from None


class _Refused(ForgeError):
    def __init__(self, message: str, status: int, host: str, port: int | None) -> None:
        self.status, self.host, self.port = status, host, port
        super().__init__(message)


class _NotFound(_Refused, NotThere):
    pass


class _Forbidden(_Refused):
    pass


@functools.lru_cache(maxsize=8)
def _cache_for(api: str) -> MemCacheStrategy:
    """Installation tokens live for an hour; each API has its own."""
    from githubkit.cache import MemCacheStrategy

    return MemCacheStrategy()


@functools.lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """One for all clients: reading the certificates takes longer than half a comment, and lets no other thread run meanwhile."""
    import httpx

    return httpx.create_ssl_context()


def _client(settings: BotSettings, app: Callable[[], Any] | None) -> githubkit.GitHub[Any]:
    try:
        import githubkit
    except ImportError as error:
        raise UsageError(f"comments on GitHub need the extra 'bot' ({error}): pip install 'logkb[bot]'") from None
    if app is None and not settings.token:
        raise UsageError(
            "no token for GitHub; set GITHUB_TOKEN (permissions: actions: read, pull-requests: write), or use a GitHub App"
        )
    api = settings.api or GITHUB_API
    return githubkit.GitHub(
        app() if app else settings.token, base_url=api, user_agent="logkb", timeout=settings.timeout, auto_retry=False,
        http_cache=False, cache_strategy=_cache_for(api), ssl_verify=_tls(),
    )  # fmt: skip


def _json(response: Any, path: str) -> Any:
    try:
        return response.json()
    except ValueError:
        raise ForgeError(f"the answer to {path} is no JSON; check that --api names GitHub's REST API") from None


def _asked(call: Callable[[], T], asked: str) -> T:
    """The call's result, its errors in our own words."""
    from githubkit.exception import GitHubException

    try:
        return call()
    except GitHubException as error:
        raise _own_error(error, asked) from None
    except ValueError as error:  # a Retry-After that is no number
        raise TransientError(f"GitHub's answer to {asked} cannot be read ({safe(str(error))}); try again later") from None


def _own_error(error: GitHubException, asked: str) -> ForgeError:
    from githubkit.exception import RateLimitExceeded, RequestError, RequestFailed, RequestTimeout

    if isinstance(error, RateLimitExceeded):
        seconds = error.retry_after.total_seconds()
        return TransientError(f"GitHub's rate limit is used up ({asked}); it opens again in {seconds:.0f} seconds", seconds)
    if isinstance(error, RequestTimeout):
        return TransientError(f"GitHub did not answer {asked} in time; try again later")
    if isinstance(error, RequestError) and isinstance(error.exc, RequestError):
        return _own_error(error.exc, asked)  # what went wrong while a token was fetched
    if isinstance(error, RequestFailed):
        return _refusal(error, asked)
    cause = error.exc if isinstance(error, RequestError) else error
    import httpx

    if isinstance(cause, httpx.TransportError):
        return TransientError(f"no connection for {asked} ({type(cause).__name__}); try again later")
    return ForgeError(f"GitHub could not be asked {asked} ({type(cause).__name__}: {safe(str(cause))[:200]}); check the settings")


def _refusal(error: Any, asked: str) -> ForgeError:
    response = error.response
    status, url = response.status_code, response.url
    said = safe(_message(response))
    if status == 429 or (status == 403 and "rate limit" in said.lower()):
        return TransientError(f"GitHub's secondary rate limit is used up ({asked})", SECONDARY_PAUSE)
    if status >= 500 or status == 408:
        return TransientError(f"GitHub answered {asked} with status {status}; try again later")
    if status == 401:
        _cache_for.cache_clear()
        return ForgeError(f"GitHub does not accept the token ({asked}: {said}); make a new one, or check the App's id and key")
    needs = response.headers.get("x-accepted-github-permissions", "").replace("=", ": ") or _needs(asked)
    if status == 403 and "locked" in said:
        return ForgeError(f"GitHub: {said} Unlock the conversation to get comments ({asked})")
    if status == 403:
        return _Forbidden(f"GitHub refuses {asked}: {said}; grant the token {needs}", status, url.host, url.port)
    if status in (404, 410):
        why = f"it is not there, or the token may not see it; check the name, and for a private repository grant {needs}"
        return _NotFound(f"GitHub finds nothing for {asked}: {why}", status, url.host, url.port)
    return _Refused(f"GitHub refuses {asked} with status {status}: {said}", status, url.host, url.port)


def _needs(asked: str) -> str:
    parts = asked.split("/")
    return NEEDS.get(parts[4] if len(parts) > 4 else "", "metadata: read")


def _message(response: Any) -> str:
    try:
        made = response.json()
    except ValueError:
        return ""
    if not isinstance(made, dict):
        return ""
    more = [str(item.get("message", "")) for item in made.get("errors") or () if isinstance(item, dict)]
    return " ".join([str(made.get("message", "")), *more]).strip()[:300]


def _pull(item: Mapping[str, Any]) -> PullRequest:
    labels = tuple(label["name"] for label in item["labels"])
    return PullRequest(item["number"], item["head"]["sha"], item["state"] == "open", labels, item["html_url"])


def _job(item: Mapping[str, Any]) -> Job:
    # Names repeat between workflows ("build"), so that both are told.
    workflow = item.get("workflow_name")
    return Job(f"{workflow} / {item['name']}" if workflow else item["name"], item.get("html_url") or "", str(item["id"]))


def _posted(item: Mapping[str, Any]) -> Posted:
    return Posted(item["id"], item.get("body") or "", item["html_url"])
