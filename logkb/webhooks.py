"""The routes that GitHub and GitLab send their events to, and the health and metrics of the work behind them."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from logkb.deliveries import Delivery, Store, open_store
from logkb.errors import StoreError
from logkb.inbox import Inbox
from logkb.metrics import CONTENT_TYPE, Metrics
from logkb.webhook_events import (
    GITHUB_EVENTS,
    GITLAB_EVENTS,
    BadPayload,
    Ignored,
    dump_target,
    github_signature_holds,
    github_target,
    gitlab_signature_holds,
    gitlab_target,
    gitlab_token_holds,
    read_json,
    subject_of,
)
from logkb.webhook_settings import WebhookSettings
from logkb.worker import Handler, Workers

log = logging.getLogger("logkb.webhooks")
IDENTIFIER = re.compile(r"[\x21-\x7e]{1,200}")
KNOWN_EVENTS = frozenset({*GITHUB_EVENTS, *GITLAB_EVENTS, "ping"})
# All bodies that are being read may together hold so many times the limit of one.
BODIES = 4
# From this size on, a body is parsed beside the event loop.
LARGE_BODY = 512 * 1024
# Seconds that an answer of /healthz about the disk holds, so that asking often does not write often; and between forgeries told.
PROBE_EVERY, FORGED_EVERY = 2.0, 10.0
SWITCH_SECONDS = 0.0005
RETRY_AFTER = {"Retry-After": "30"}


class Refused(Exception):
    """A request that gets no 2xx. `outcome` is for the metrics, the message for the sender."""

    def __init__(self, status: int, outcome: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.outcome, self.headers = status, outcome, headers


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    outcome: str
    body: dict[str, str]
    subject: str = ""


class Webhooks:
    """What runs as long as the server does: the store, the inbox in front of it and the workers behind it."""

    def __init__(self, settings: WebhookSettings, handler: Handler, metrics: Metrics, store: Store) -> None:
        self.settings, self.metrics, self._store = settings, metrics, store
        self.workers = Workers(store, handler, settings, metrics)
        self._inbox = Inbox(store, settings.settle, self.workers.wake)
        self._reading = 0
        self._probed, self._trouble = -PROBE_EVERY, ""
        self._forged, self._forged_said = 0, -FORGED_EVERY

    async def receive(self, forge: str, request: Request) -> Response:
        """One delivery, from its headers to the commit. The answer is 2xx only when nothing can be lost any more."""
        started = time.monotonic()
        header = "x-github-event" if forge == "github" else "x-gitlab-event"
        event = request.headers.get(header, "")
        label = event if event in KNOWN_EVENTS else "other"
        try:
            answer = await (self._github(event, request) if forge == "github" else self._gitlab(event, request))
        except Refused as no:
            self.metrics.deliveries.labels(forge, "other" if no.outcome == "forged" else label, no.outcome).inc()
            self._say_refused(forge, no)
            # Closing ends the reading of a body that nobody wants.
            return JSONResponse({"error": str(no)}, no.status, {"Connection": "close", **(no.headers or {})})
        self.metrics.deliveries.labels(forge, label, answer.outcome).inc()
        self.metrics.accept_seconds.labels(forge).observe(time.monotonic() - started)
        fields = {"forge": forge, "event": event[:40], "outcome": answer.outcome, "subject": answer.subject}
        log.info("delivery", extra={"fields": fields})
        return JSONResponse(answer.body, answer.status)

    async def _github(self, event: str, request: Request) -> _Answer:
        secrets = self.settings.github_secrets
        if not secrets:
            raise Refused(404, "not set up", "no secret for GitHub's webhooks is set on this server")
        signature = request.headers.get("x-hub-signature-256", "")
        if not signature:
            raise Refused(401, "forged", "no X-Hub-Signature-256; set the webhook's secret")
        body = await self._body(request)
        if not github_signature_holds(body, signature, secrets):
            raise Refused(401, "forged", "the signature does not hold")
        if event == "ping":
            return _Answer(200, "pong", {"status": "pong"})
        identifier = request.headers.get("x-github-delivery", "")
        if not IDENTIFIER.fullmatch(identifier):
            raise Refused(400, "malformed", "no X-GitHub-Delivery")
        return await self._store_it("github", identifier, event, body)

    async def _gitlab(self, event: str, request: Request) -> _Answer:
        tokens, keys = self.settings.gitlab_tokens, self.settings.gitlab_signing
        if not (tokens or keys):
            raise Refused(404, "not set up", "no secret for GitLab's webhooks is set on this server")
        signed = keys and "webhook-signature" in request.headers
        # Without a signature the token is all there is, and it is known before the body is read.
        if not signed and not gitlab_token_holds(request.headers.get("x-gitlab-token", ""), tokens):
            raise Refused(401, "forged", "no X-Gitlab-Token or signature that this server knows")
        body = await self._body(request)
        if signed and not gitlab_signature_holds(body, request.headers, keys, time.time()):
            raise Refused(401, "forged", "the signature does not hold, or its time is more than five minutes away")
        identifier = request.headers.get("webhook-id") or request.headers.get("idempotency-key", "")
        if not identifier:
            # Before GitLab 17.4 only this header is there, and webhooks that set off one another share it.
            shared = request.headers.get("x-gitlab-event-uuid", "")
            identifier = f"{shared}:{hashlib.sha256(body).hexdigest()[:32]}"
        if not IDENTIFIER.fullmatch(identifier):
            raise Refused(400, "malformed", "a webhook-id or Idempotency-Key that GitLab does not send")
        return await self._store_it("gitlab", identifier, event, body)

    async def _body(self, request: Request) -> bytes:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refused(415, "wrong type", "set the webhook's content type to application/json")
        limit = self.settings.limit_bytes
        too_large = Refused(413, "too large", f"more than {limit} bytes")
        stated = request.headers.get("content-length", "0")
        if not stated.isascii() or not stated.isdigit() or int(stated[:20]) > limit:
            raise too_large
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.settings.body_seconds):
                async for part in request.stream():
                    size += len(part)
                    self._reading += len(part)
                    if size > limit:
                        raise too_large
                    if self._reading > BODIES * limit:
                        raise Refused(503, "busy", "too much is being received at once", RETRY_AFTER)
                    parts.append(part)
        except TimeoutError:
            raise Refused(408, "timed out", f"the body did not arrive within {self.settings.body_seconds:.0f} seconds") from None
        except ClientDisconnect:
            raise Refused(400, "malformed", "the connection was closed before the body was complete") from None
        finally:
            self._reading -= size
        return b"".join(parts)

    async def _store_it(self, forge: str, identifier: str, event: str, body: bytes) -> _Answer:
        find = github_target if forge == "github" else gitlab_target
        try:
            payload = read_json(body) if len(body) < LARGE_BODY else await asyncio.to_thread(read_json, body)
            target = find(event, payload)
        except BadPayload as error:
            raise Refused(400, "malformed", str(error)) from None
        if isinstance(target, Ignored):
            return _Answer(202, "ignored", {"status": "ignored", "reason": target.why})
        subject = subject_of(target)
        delivery = Delivery(forge, identifier, hashlib.sha256(body).digest(), event, subject, dump_target(target))
        try:
            said = await self._inbox.put(delivery)
        except StoreError as error:
            log.error("a delivery was not stored", extra={"fields": {"forge": forge, "reason": str(error)}})
            raise Refused(503, "not stored", "the delivery could not be stored; send it again", RETRY_AFTER) from None
        if said == "duplicate":
            return _Answer(200, "duplicate", {"status": "already accepted"}, subject)
        return _Answer(202, said, {"status": "accepted"}, subject)

    def _say_refused(self, forge: str, no: Refused) -> None:
        if no.outcome != "forged":
            log.warning("refused", extra={"fields": {"forge": forge, "outcome": no.outcome, "reason": str(no)}})
            return
        # Whoever forges chooses how often, so not each of them gets a line.
        self._forged += 1
        if time.monotonic() - self._forged_said >= FORGED_EVERY:
            log.warning(
                "refused", extra={"fields": {"forge": forge, "outcome": no.outcome, "reason": str(no), "times": self._forged}}
            )
            self._forged, self._forged_said = 0, time.monotonic()

    def health(self) -> tuple[int, dict[str, Any]]:
        """Status and body of /healthz: whether the store can be written, whether the workers run, and how much waits."""
        try:
            if time.monotonic() - self._probed >= PROBE_EVERY:
                self._probed, self._trouble = time.monotonic(), ""
                self._store.probe()
            depth = self._store.depth()
        except StoreError:
            self._trouble = "the store cannot be written"
            return 503, {"status": "failing", "store": self._trouble}
        workers = self.workers.alive()
        ok = not self._trouble and workers == self.settings.workers
        return 200 if ok else 503, {
            "status": "ok" if ok else "failing",
            "store": self._trouble or "writable",
            "workers": workers,
            "queue": {"deliveries": depth.waiting, "tasks": depth.tasks, "held": depth.held, "dead": depth.dead},
            "oldest_seconds": round(depth.oldest, 1),
        }

    def close(self) -> bool:
        """Store what was handed in, finish or leave what is in progress, and close; True when nothing was left."""
        self._inbox.close()
        finished = self.workers.stop(self.settings.stop_seconds)
        # A worker that is still busy keeps its task until the process ends: were it let go now, another would begin it as well.
        if finished:
            self._store.release()
            self._store.close()
        log.info("stopped", extra={"fields": {"work left": not finished}})
        return finished


def prepare(settings: WebhookSettings) -> None:
    """Open the store once, so that what is wrong with it is told before the server starts. Raises `UsageError`, `StoreError`."""
    open_store(settings.store, _damaged).close()


def _damaged(text: str) -> None:
    log.error("the store was damaged", extra={"fields": {"reason": text}})


@asynccontextmanager
async def webhooks_running(app: FastAPI, settings: WebhookSettings, handler: Handler, metrics: Metrics) -> AsyncIterator[None]:
    """Open the store, free what dead processes held, and work until the block ends. Raises `UsageError` and `StoreError`."""
    store = await asyncio.to_thread(open_store, settings.store, _damaged)
    metrics.watch(store.depth)
    await asyncio.to_thread(handler.prepare)
    running = Webhooks(settings, handler, metrics, store)
    # The workers compute in Python; at the default of 5 ms they would keep each request waiting several times.
    sys.setswitchinterval(SWITCH_SECONDS)
    running.workers.start()
    app.state.webhooks = running
    log.info("webhooks", extra={"fields": {"store": str(settings.store), "workers": settings.workers}})
    try:
        yield
    finally:
        app.state.webhooks = None
        await asyncio.to_thread(running.close)


def add_webhooks(app: FastAPI, settings: WebhookSettings, overlays: tuple[Path, ...]) -> AbstractAsyncContextManager[None]:
    """Give an application the routes; what they need runs while the returned context is entered."""
    from logkb.webhook_bot import Bot

    metrics = Metrics()
    app.include_router(webhook_router())
    return webhooks_running(app, settings, Bot(settings.forges, overlays, metrics.analysis_seconds.observe), metrics)


def create_webhook_app(settings: WebhookSettings, overlays: tuple[Path, ...] = ()) -> FastAPI:
    """An application with these routes and nothing else, for a server that the internet reaches."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running:
            yield

    app = FastAPI(title="logkb", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    running = add_webhooks(app, settings, overlays)
    return app


def webhook_router() -> APIRouter:
    """POST /webhooks/github and /webhooks/gitlab, GET /healthz and /metrics."""
    router = APIRouter(include_in_schema=False)

    @router.post("/webhooks/github")
    async def github(request: Request) -> Response:
        return await _running(request).receive("github", request)

    @router.post("/webhooks/gitlab")
    async def gitlab(request: Request) -> Response:
        return await _running(request).receive("gitlab", request)

    @router.get("/healthz")
    async def healthz(request: Request) -> Response:
        status, body = await asyncio.to_thread(_running(request).health)
        return JSONResponse(body, status, {"Cache-Control": "no-store"})

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        return Response(await asyncio.to_thread(_running(request).metrics.text), media_type=CONTENT_TYPE)

    return router


def _running(request: Request) -> Webhooks:
    running = getattr(request.app.state, "webhooks", None)
    if not isinstance(running, Webhooks):
        raise RuntimeError("the webhooks are not running")
    return running
