"""What goes wrong with a request, as one document (RFC 9457): the same words for programs and for people."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

MEDIA_TYPE = "application/problem+json"
# How long the rest of a refused upload is read and thrown away, so that the client gets to read why it was refused.
LINGER_SECONDS = 5.0


class Problem(BaseModel):
    """Why a request was not answered as asked (RFC 9457)."""

    type: Literal["about:blank"] = "about:blank"
    title: str = Field(description="The status in words.")
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What is wrong, and what to do.")


class HttpProblem(Exception):
    """Ends a request with a status and a sentence. `retry_after` is in seconds; `unread`: a body is still coming."""

    def __init__(self, status: int, detail: str, *, retry_after: int | None = None, unread: bool = False) -> None:
        super().__init__(detail)
        self.status, self.detail, self.retry_after, self.unread = status, detail, retry_after, unread

    @property
    def title(self) -> str:
        """The status in words."""
        return title_of(self.status)

    @property
    def headers(self) -> dict[str, str]:
        """What the answer's head says beside the status."""
        headers = {"retry-after": str(self.retry_after)} if self.retry_after is not None else {}
        return headers | ({"connection": "close"} if self.unread else {})

    def document(self) -> str:
        """The JSON document."""
        return Problem(title=self.title, status=self.status, detail=self.detail).model_dump_json()

    def response(self) -> Response:
        """The answer of the JSON API."""
        kind = Lingering if self.unread else Response
        return kind(self.document(), self.status, self.headers, media_type=MEDIA_TYPE)


def title_of(status: int) -> str:
    """The status in words."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of an operation, for its OpenAPI description."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": title_of(status), "content": {MEDIA_TYPE: {"schema": schema}}} for status in sorted(set(statuses))
    }


class Lingering(Response):
    """An answer to an upload that is still coming: sent at once, then the rest is read away for a moment.

    A socket closed with unread data makes the peer's kernel drop the answer, too.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, then drain."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        # Who waits for "100 Continue" has not sent the body, and will not.
        if not any(name == b"expect" for name, _ in scope["headers"]):
            try:
                async with asyncio.timeout(LINGER_SECONDS):
                    while (message := await receive())["type"] == "http.request" and message.get("more_body", False):
                        pass
            except TimeoutError:
                pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def place(error: BaseException) -> str:
    """Where an error was raised: file and line, without its message, which may quote a log."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
