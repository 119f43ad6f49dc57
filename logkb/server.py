"""The ASGI application: routers and what runs as long as it does, put together here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from logkb import __version__, web_api, web_pages
from logkb.report import safe
from logkb.serve_settings import ServeSettings
from logkb.web_core import Core
from logkb.web_guard import Guard
from logkb.web_problems import MEDIA_TYPE, HttpProblem, Problem

__all__ = ["ServeSettings", "create_app"]


def create_app(settings: ServeSettings | None = None) -> FastAPI:
    """The application for these settings. Nothing is opened or started before its lifespan begins."""
    settings = settings or ServeSettings()
    core = Core(settings)
    # What runs beside the requests: each part is entered at the start, in order, and left in the reverse order.
    parts: list[AbstractAsyncContextManager[Any]] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as running:
            await running.enter_async_context(core.running())
            for part in parts:
                await running.enter_async_context(part)
            yield

    app = FastAPI(
        title="logkb", version=__version__, summary="Why did this build fail, and what do I do now?",
        docs_url=None, redoc_url=None, openapi_url="/api/openapi.json", lifespan=lifespan,
    )  # fmt: skip
    app.state.core = core
    app.include_router(web_api.router)
    app.include_router(web_pages.router)
    if settings.webhooks is not None:
        from logkb.webhooks import add_webhooks

        parts.append(add_webhooks(app, settings.webhooks, settings.overlays))
    app.mount("/static", web_pages.static_files(), name="static")
    app.add_middleware(Guard, settings=settings)
    app.add_exception_handler(HttpProblem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HttpProblem)
    return _answer(request, error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = {404: "There is nothing under this address.", 405: "This address does not take that method."}
    response = _answer(request, HttpProblem(error.status_code, detail.get(error.status_code, str(error.detail))))
    response.headers.update(error.headers or {})
    return response


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    said = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]
    return _answer(request, HttpProblem(422, safe("; ".join(said))))


def _answer(request: Request, problem: HttpProblem) -> Response:
    """A page for a person, a document for a program."""
    pages = not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")
    return web_pages.problem_page(request, problem) if pages else problem.response()


def _described(app: FastAPI) -> dict[str, Any]:
    """FastAPI's description, with the one shape of error that this server answers."""
    if app.openapi_schema is None:
        schema = FastAPI.openapi(app)
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas["Problem"] = Problem.model_json_schema()
        for path in schema["paths"].values():
            for operation in path.values():
                for answer in operation["responses"].values():
                    if "HTTPValidationError" in str(answer):
                        answer["content"] = {}
                    if MEDIA_TYPE in answer.get("content", {}):
                        answer["content"].pop("application/json", None)
        app.openapi_schema = schema
    return app.openapi_schema
