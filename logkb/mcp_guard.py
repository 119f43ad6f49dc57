"""Round the protocol's HTTP: the token, and requests that never end. The SDK checks names, origins and sizes itself."""

from __future__ import annotations

import asyncio
import hmac
import time

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Seconds that a request's body may take.
BODY_SECONDS = 30.0


class McpGuard:
    """ASGI middleware, the outermost. With a token, a request needs `Authorization: Bearer TOKEN`."""

    def __init__(self, app: ASGIApp, token: str | None, *, seconds: float = BODY_SECONDS) -> None:
        self._app, self._seconds = app, seconds
        self._wanted = None if token is None else f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("authorization", "").encode("latin-1", "replace")
        if self._wanted is not None and not hmac.compare_digest(given, self._wanted):
            words = "This server wants the header 'Authorization: Bearer TOKEN', with the token that it was started with."
            await PlainTextResponse(words, 401, {"www-authenticate": "Bearer"})(scope, receive, send)
            return
        await self._timed(scope, receive, send)

    async def _timed(self, scope: Scope, receive: Receive, send: Send) -> None:
        end, whole, begun, slow = time.monotonic() + self._seconds, False, False, False

        async def hurried() -> Message:
            nonlocal whole, slow
            if whole:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, end - time.monotonic()))
            except TimeoutError:
                slow = not begun
                message = {"type": "http.disconnect"}
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def answer(message: Message) -> None:
            nonlocal begun
            # What is said to half a request would be wrong; the reason is told below.
            if not slow:
                begun = True
                await send(message)

        try:
            await self._app(scope, hurried, answer)
        finally:
            if slow:
                words = "The request's body took too long; send it at once."
                await PlainTextResponse(words, 408, {"connection": "close"})(scope, receive, send)
