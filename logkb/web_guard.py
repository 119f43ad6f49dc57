"""Round every request: who may ask, what a browser may do with the answer, one line in the log.

The page has no login, so on a loopback address everything that could make a browser ask on behalf of a strange page is refused:
requests under a name that is not ours (DNS rebinding) and requests that another site sends (CSRF).
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import time
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from logkb.serve_settings import LOOPBACK, ServeSettings
from logkb.web_problems import HttpProblem, place

LOGGER = logging.getLogger("logkb.serve")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Guard:
    """ASGI middleware, the outermost."""

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self.app = app
        own = () if settings.host in ("", "0.0.0.0", "::") else (settings.host,)
        self._names = frozenset(name.lower().strip("[]") for name in (*LOOPBACK, *own, *settings.allowed_hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status, sent = time.monotonic(), 0, 0

        async def answer(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        try:
            problem = self._refusal(scope)
            if problem is not None:
                await problem.response()(scope, receive, answer)
            else:
                await self.app(scope, receive, answer)
        except ClientDisconnect:
            status = status or 499
        except Exception as error:
            # The message of an error may quote the log that caused it; its kind and place are enough to find it.
            facts = {"error": type(error).__name__, "at": place(error), "path": _route(scope)}
            LOGGER.error("a mistake", extra={"fields": facts})
            if status == 0:
                full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
                detail = (
                    "This server's disk is full; try again later." if full else "A mistake in logkb; its server's log says where."
                )
                await HttpProblem(507 if full else 500, detail, unread=True).response()(scope, receive, answer)
        finally:
            took = round(1000 * (time.monotonic() - begun), 1)
            asked = {"method": scope["method"], "path": _route(scope), "status": status, "ms": took, "bytes": sent}
            LOGGER.info("request", extra={"fields": asked})

    def _refusal(self, scope: Scope) -> HttpProblem | None:
        if scope["path"].startswith("/webhooks/"):
            # Every delivery is signed or carries a token; no page can make a browser send either.
            return None
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._known(host):
            return HttpProblem(
                421,
                "This server does not answer under that host name; whoever runs it can add the name with --allowed-host.",
                unread=True,
            )
        if scope["method"] in SAFE_METHODS:
            return None
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            strange = site not in ("same-origin", "none")
        else:
            strange = origin is not None and origin.lower().partition("://")[2] != host.lower()
        return (
            HttpProblem(403, "Another site sent this request; open logkb's own page and send it from there.", unread=True)
            if strange
            else None
        )

    def _known(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if name in self._names:
            return True
        try:
            # Rebinding needs a name to rebind; an address is what it says.
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _route(scope: Scope) -> str:
    """The path's pattern: a report's id is the right to read it, so it stays out of the log."""
    return str(getattr(scope.get("route"), "path", None) or "-")
