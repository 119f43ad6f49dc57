"""A webhook server in a thread of the test, with a bot that only writes down what it was asked for; and deliveries as forges send them."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from logkb.forge import Target
from logkb.metrics import Metrics
from logkb.webhook_bot import Bot
from logkb.webhook_settings import WebhookSettings
from logkb.webhooks import Webhooks, webhook_router, webhooks_running

SECRET, OLD_SECRET = "a-secret-for-the-tests-of-github", "the-secret-before-that-one"
TOKEN = "a-token-for-the-tests-of-gitlab"
KEY = b"a key of thirty-two bytes, more "
SHA = "3484a3fb816e0859fd6e1cea078d76385ff50625"
PATIENCE = 20.0


class Recorder:
    """A bot. `plan` maps a pull request to what the next attempts on it do: an exception to raise or a word to return."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asked: list[Target] = []
        self.worked: list[Target] = []
        self.plan: dict[int | None, list[Exception | str]] = {}
        self.belongs: dict[str | None, int | None] = {}
        self.open = threading.Event()
        self.open.set()
        self.busy: set[int | None] = set()
        self.overlaps = 0

    def prepare(self) -> None:
        """There is nothing to load."""

    def pull_request(self, target: Target) -> int | None:
        self.asked.append(target)
        return self.belongs.get(target.commit)

    def comment(self, target: Target) -> str:
        with self.lock:
            self.overlaps += target.pull_request in self.busy
            self.busy.add(target.pull_request)
            steps = self.plan.get(target.pull_request, [])
            step = steps.pop(0) if steps else "created"
        self.open.wait(PATIENCE)
        with self.lock:
            self.worked.append(target)
            self.busy.discard(target.pull_request)
        if isinstance(step, Exception):
            raise step
        return step

    def times(self, number: int) -> int:
        with self.lock:
            return sum(target.pull_request == number for target in self.worked)


def settings_of(folder: Path, **changes: Any) -> WebhookSettings:
    """Settings with short times and a small limit."""
    given: dict[str, Any] = {
        "github_secrets": (SECRET, OLD_SECRET), "gitlab_tokens": (TOKEN,), "gitlab_signing": (KEY,), "limit_bytes": 200_000,
        "settle": 0.0, "first_pause": 0.02, "longest_pause": 0.1, "stop_seconds": 5.0, "tries": 3,
    }  # fmt: skip
    return WebhookSettings(folder / "deliveries.sqlite3", **given | changes)


class Served:
    """The server, a client for it, and the bot behind it (of which only the recording one remembers anything)."""

    def __init__(self, app: FastAPI, url: str, bot: Recorder) -> None:
        self.app, self.url, self.bot = app, url, bot
        self.client = httpx.Client(base_url=url, timeout=PATIENCE)

    @property
    def webhooks(self) -> Webhooks:
        found = self.app.state.webhooks
        assert isinstance(found, Webhooks)
        return found

    def deliver(self, body: bytes | dict[str, Any] | None = None, **changes: Any) -> httpx.Response:
        """A GitHub delivery; see `github_headers` for the changes."""
        data = body if isinstance(body, bytes) else json.dumps(workflow_run() if body is None else body).encode()
        return self.client.post("/webhooks/github", content=data, headers=github_headers(data, **changes))

    def metrics(self) -> dict[str, float]:
        rows = (line.rpartition(" ") for line in self.client.get("/metrics").text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in rows}

    def settle(self) -> None:
        """Wait until nothing is left to do."""
        until(lambda: self.client.get("/healthz").json()["queue"]["tasks"] == 0)


def until(holds: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait for something to become true, within bounds."""
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)


def workflow_run(number: int | None = 2, run: int = 41, conclusion: str = "failure", name: str = "octo/app") -> dict[str, Any]:
    """The parts of GitHub's `workflow_run` payload that matter."""
    pulls = [] if number is None else [{"number": number, "base": {"repo": {"id": 7}}}]
    thing = {"id": run, "head_sha": SHA, "conclusion": conclusion, "pull_requests": pulls}
    return {"action": "completed", "workflow_run": thing, "repository": {"id": 7, "full_name": name}}


def github_headers(
    body: bytes,
    *,
    id: str | None = "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    event: str = "workflow_run",
    secret: str = SECRET,
    **more: str | None,
) -> dict[str, str]:
    """The headers of a GitHub delivery; None leaves one out, `content_type="x"` sets another."""
    headers: dict[str, str | None] = {
        "Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/044aadd", "X-GitHub-Event": event, "X-GitHub-Delivery": id,
        "X-GitHub-Hook-ID": "292430182", "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }  # fmt: skip
    headers |= {name.replace("_", "-").title().replace("Github", "GitHub"): value for name, value in more.items()}
    return {name: value for name, value in headers.items() if value is not None}


@contextlib.contextmanager
def serving(settings: WebhookSettings, bot: Recorder | None = None, *, real: Bot | None = None) -> Iterator[Served]:
    """Serve over real HTTP on loopback until the block ends, with a bot that records, or with a `real` one."""
    bot = bot or Recorder()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with webhooks_running(app, settings, real or bot, Metrics()):
            yield

    app = FastAPI(lifespan=lifespan)
    app.include_router(webhook_router())
    with listening(app) as url:
        served = Served(app, url, bot)
        try:
            yield served
        finally:
            served.client.close()
            bot.open.set()


@contextlib.contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """Run an application over real HTTP on loopback until the block ends; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started or not thread.is_alive())
    assert server.started, "the server did not start"
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()
