"""The pages: everything works as plain HTML, and the scripts make it quicker."""

from __future__ import annotations

import asyncio
import hashlib
import time
from functools import cache
from typing import Annotated, Any

import jinja2
from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from logkb.errors import UsageError
from logkb.knowledge import Knowledge
from logkb.lookup import search as look_up
from logkb.masking import mask
from logkb.paths import PACKAGE
from logkb.serve_settings import MAX_QUERY, MEGABYTE
from logkb.web_articles import anchor, article_html, inline_html
from logkb.web_core import Core, Progress, core_of, problem_of
from logkb.web_log import read_lines
from logkb.web_problems import HttpProblem, Lingering
from logkb.web_view import OUTCOMES, View, view_of

ASSETS = PACKAGE / "data" / "web"
PAGE_LINES = 200
# A small log is done before anybody would have read "please wait".
WAIT_SECONDS = 2.0
EXAMPLE = "apt-signature-invalid"
router = APIRouter(include_in_schema=False)


class _Static(StaticFiles):
    """Assets, which a browser may keep when it asks for them by their contents."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        versioned = b"v=" in scope.get("query_string", b"")
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if versioned else "no-cache"
        return response


def static_files() -> StaticFiles:
    """The application that serves the assets."""
    return _Static(directory=ASSETS / "static")


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(ASSETS / "templates")
    templates = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters.update(inline=inline_html, article=article_html, anchor=anchor, thousands=lambda number: f"{number:,}")
    templates.globals["asset"] = _asset
    return templates


@cache
def _asset(name: str) -> str:
    digest = hashlib.sha256((ASSETS / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def _page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    core = core_of(request)
    values = {"query": "", "limit": core.settings.limit_bytes, "limit_mb": core.settings.limit_bytes // MEGABYTE} | values
    return HTMLResponse(_templates().get_template(template).render(values), status)


def problem_page(request: Request, problem: HttpProblem) -> Response:
    """What went wrong, with a way on."""
    page = _page(request, "problem.html", problem.status, problem=problem)
    page.headers.update(problem.headers)
    if problem.unread:
        return Lingering(page.body, problem.status, dict(page.headers), media_type=None)
    return page


@router.get("/")
async def home(request: Request) -> Response:
    """Where to put a log."""
    core = core_of(request)
    return _page(request, "home.html", causes=len(core.knowledge.causes), example=_example(core.knowledge))


def _example(knowledge: Knowledge) -> str:
    try:
        return knowledge.article(EXAMPLE).example
    except UsageError:
        return ""


@router.post("/analyze")
async def analyze(request: Request) -> Response:
    """A log from the form; the answer leads to its report."""
    core = core_of(request)
    job, _ = await core.accept(request, keep=True, empty=False)
    until = time.monotonic() + WAIT_SECONDS
    while job.id in core.jobs.busy() and time.monotonic() < until:
        await asyncio.sleep(0.02)
    if job.error is not None:
        raise problem_of(job.error)
    return RedirectResponse(f"/reports/{job.id}", 303)


@router.get("/reports/{id}.md")
async def markdown(id: str, request: Request) -> Response:
    """The report for a ticket or a chat."""
    core = core_of(request)
    try:
        text = await run_in_threadpool(core.store.markdown, id)
    except KeyError:
        raise core.gone() from None
    return PlainTextResponse(text, media_type="text/markdown; charset=utf-8")


@router.get("/reports/{id}")
def report(id: str, request: Request, start: Annotated[int | None, Query(ge=1, le=2**53)] = None) -> Response:
    """A report beside its log, or how far it is."""
    core = core_of(request)
    job = core.job(id)
    if job is not None and job.state == "failed":
        raise problem_of(job.error) if job.error else HttpProblem(500, "This log was given up; send it again.")
    if job is not None and job.state != "done":
        return _page(request, "waiting.html", job=job)
    kept = core.kept(id)
    view, progress = view_of(kept, core.knowledge), core.progress(kept)
    values = _log_values(core, id, view, progress, start) | {"view": view, "outcome": OUTCOMES[view.report.outcome], "id": id}
    return _page(request, "report.html", history=core.settings.history is not None, progress=progress, **values)


def _log_values(core: Core, id: str, view: View, progress: Progress, start: int | None) -> dict[str, Any]:
    """The part of the log that the page brings along, for those who have no scripts and for the first look."""
    anchor_line = view.evidence[0] if view.evidence else max(1, progress.total - PAGE_LINES // 2)
    first = start or max(1, anchor_line - PAGE_LINES // 2)
    lines = read_lines(core.store.path(id), first, min(PAGE_LINES, max(0, progress.ready - first + 1)))
    sections = core.store.sections(id)
    before = max(1, first - PAGE_LINES) if first > 1 else None
    after = first + PAGE_LINES if first + PAGE_LINES <= progress.total else None
    return {"lines": lines, "first": first, "before": before, "after": after, "sections": sections, "proof": set(view.evidence)}


@router.get("/search")
def search(
    request: Request, q: Annotated[str, Query(max_length=MAX_QUERY)] = "", family: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """The causes that answer a query."""
    core = core_of(request)
    families = sorted({cause.family for cause in list(core.knowledge.causes.values())})
    chosen = family if family in families else None
    result = look_up(q, knowledge=core.knowledge, overlays=core.settings.overlays, family=chosen, limit=20) if q.strip() else None
    return _page(request, "search.html", query=mask(q), result=result, families=families, family=chosen)


@router.get("/causes")
def causes(request: Request) -> Response:
    """All causes, by family."""
    families: dict[str, list[Any]] = {}
    known = sorted(core_of(request).knowledge.causes.values(), key=lambda cause: (cause.family, cause.title.lower()))
    for cause in known:
        families.setdefault(cause.family, []).append(cause)
    return _page(request, "causes.html", families=families, count=len(known))


@router.get("/causes/{id}")
def cause(id: str, request: Request) -> Response:
    """A cause's article, what lies behind it and what it hides behind."""
    knowledge = core_of(request).knowledge
    known = knowledge.causes.get(id)
    if known is None:
        raise HttpProblem(404, "There is no such cause; the list of causes has all of them.")
    try:
        article = knowledge.article(id)
    except UsageError:
        article = None
    every = list(knowledge.causes.values())
    explains = [(other, item) for other in every for item in other.explained_by if item.cause == id]
    deeper = [(knowledge.causes.get(item.cause), item) for item in known.explained_by]
    rules = sorted(rule.id for rule in knowledge.rules if rule.cause == id)
    return _page(request, "cause.html", cause=known, article=article, deeper=deeper, explains=explains, rules=rules)
