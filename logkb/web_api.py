"""The JSON API: `/api/…`, described at `/api/openapi.json`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from logkb.errors import InputError, UsageError
from logkb.lookup import search as look_up
from logkb.masking import mask
from logkb.report import dump_json
from logkb.serve_settings import MAX_QUERY
from logkb.web_core import Core, core_of, problem_of
from logkb.web_jobs import Job
from logkb.web_log import MAX_COUNT, find_lines, read_lines
from logkb.web_models import (
    ArticleModel,
    CauseModel,
    CausesModel,
    DeeperModel,
    FoundModel,
    HitModel,
    JobModel,
    LineModel,
    LinesModel,
    PieceModel,
    ReportModel,
    SearchModel,
    StepModel,
    StepsModel,
)
from logkb.web_problems import HttpProblem, documented

router = APIRouter(prefix="/api", responses=documented(421, 422))
Shared = Annotated[Core, Depends(core_of)]
ReportId = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{22}$", description="Knowing it is the right to read the report.")]
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "required": True,
    "description": "The log itself, compressed or not; or a form with a file in `log` or text in `text`.",
    "content": {
        "application/octet-stream": _BINARY,
        "text/plain": {"schema": {"type": "string"}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"log": {"type": "string", "format": "binary"}, "text": {"type": "string"}},
                "minProperties": 1,
                "additionalProperties": False,
            }
        },
    },
}


@router.post(
    "/analyze",
    response_model=ReportModel,
    summary="Analyse a log",
    openapi_extra={"requestBody": _BODY},
    responses={
        200: {"description": "The report."},
        202: {"model": JobModel, "description": "With `wait=false`: the log is being analysed; `Location` is the job."},
        **documented(400, 403, 408, 413, 503, 507),
    },
)  # fmt: skip
async def analyze(
    request: Request,
    core: Shared,
    wait: Annotated[bool, Query(description="Answer with the report, or at once with a job to ask for.")] = True,
    name: Annotated[str | None, Query(max_length=300, description="What to call the log.")] = None,
) -> Response:
    """Say why the build that wrote this log failed. With `wait=true` nothing is kept, unless this server keeps a history."""
    job, future = await core.accept(request, keep=not wait or core.settings.history is not None, name=name)
    if not wait:
        return JSONResponse(_job(job).model_dump(), 202, {"location": f"/api/jobs/{job.id}"})
    try:
        report = await asyncio.wrap_future(future)
    except InputError as error:
        raise problem_of(error) from None
    return Response(dump_json(report), media_type="application/json")


@router.get("/jobs/{id}", response_model=JobModel, summary="How far an upload is", responses=documented(404))
def job(id: ReportId, core: Shared) -> JobModel:
    """Ask until `state` is `done` or `failed`."""
    found = core.job(id)
    if found is None:
        core.kept(id)
        return JobModel(id=id, state="done", read=0, size=0, report=f"/api/reports/{id}", error=None)
    return _job(found)


def _job(job: Job) -> JobModel:
    state, error = job.state, job.error
    report = f"/api/reports/{job.id}" if state == "done" else None
    said = str(error) if error else "the server gave it up" if state == "failed" else None
    return JobModel(id=job.id, state=state, read=min(job.read, job.size), size=job.size, report=report, error=said)


@router.get("/reports/{id}", response_model=ReportModel, summary="A report", responses=documented(404))
def report(id: ReportId, core: Shared) -> Response:
    """The report as `logkb analyze --format json` has it, with secrets masked."""
    return Response(core.kept(id).document, media_type="application/json")


@router.get("/reports/{id}/lines", response_model=LinesModel, summary="A page of the log", responses=documented(404))
def lines(
    id: ReportId,
    core: Shared,
    start: Annotated[int, Query(ge=1, le=2**53, description="The first line, from 1.")] = 1,
    count: Annotated[int, Query(ge=1, le=MAX_COUNT)] = 200,
) -> LinesModel:
    """Lines of the log, masked and without control codes. An empty page lies behind the end, or is not `ready` yet."""
    kept = core.kept(id)
    progress = core.progress(kept)
    found = read_lines(core.store.path(id), start, min(count, max(0, progress.ready - start + 1)))
    shown = [LineModel(number=line.number, text=line.text, cut=line.cut) for line in found]
    return LinesModel(total=progress.total, ready=progress.ready, complete=progress.complete, lines=shown)


@router.get("/reports/{id}/steps", response_model=StepsModel, summary="The steps of the build", responses=documented(404))
def steps(id: ReportId, core: Shared) -> StepsModel:
    """Where each step begins."""
    complete = core.progress(core.kept(id)).complete
    return StepsModel(complete=complete, steps=[StepModel(line=item.line, name=item.name) for item in core.store.sections(id)])


@router.get("/reports/{id}/find", response_model=FoundModel, summary="Find a text in the log", responses=documented(404))
def find(id: ReportId, core: Shared, q: Annotated[str, Query(min_length=1, max_length=1000)]) -> FoundModel:
    """The lines of the masked log that hold a text, whatever the case of its letters."""
    core.kept(id)
    hits = find_lines(core.store.path(id), q)
    return FoundModel(lines=list(hits.lines), more=hits.more)


@router.get("/search", response_model=SearchModel, summary="Search the knowledge base", responses=documented(404))
def search(
    core: Shared,
    q: Annotated[str, Query(max_length=MAX_QUERY, description="Words, a question, or a pasted piece of a log.")],
    family: Annotated[str | None, Query(max_length=100, description="Only causes of this family.")] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> SearchModel:
    """The causes that answer a query."""
    try:
        result = look_up(q, knowledge=core.knowledge, overlays=core.settings.overlays, family=family, limit=limit)
    except UsageError as error:
        raise HttpProblem(404, mask(str(error))) from None
    hits = [
        HitModel(
            cause=hit.cause, title=hit.title, family=hit.family, score=hit.score, fix=mask(hit.fix), matched=hit.matched,
            rule=hit.rule, snippet=[PieceModel(text=mask(text), marked=marked) for text, marked in hit.snippet],
        )
        for hit in result.hits
    ]  # fmt: skip
    return SearchModel(query=mask(result.query), exact=result.exact, note=mask(result.note), hits=hits)


@router.get("/causes", response_model=CausesModel, summary="All causes")
def causes(core: Shared) -> CausesModel:
    """Id, title, family and tags of every cause."""
    known = sorted(core.knowledge.causes.values(), key=lambda cause: (cause.family, cause.id))
    rows = [
        CauseModel(id=cause.id, title=cause.title, family=cause.family, tags=list(cause.tags), retryable=cause.retryable)
        for cause in known
    ]
    return CausesModel(causes=rows)


@router.get("/causes/{id}", response_model=ArticleModel, summary="A cause and its article", responses=documented(404))
def cause(id: Annotated[str, Path(max_length=200)], core: Shared) -> ArticleModel:
    """The article as Markdown; treat it as text from whoever wrote your rules."""
    found: Any = core.knowledge.causes.get(id)
    if found is None:
        raise HttpProblem(404, "There is no such cause; /api/causes lists them.")
    try:
        markdown = core.knowledge.article(id).markdown.strip()
    except UsageError:
        markdown = ""
    deeper = [DeeperModel(cause=item.cause, share=item.share, check=item.check) for item in found.explained_by]
    return ArticleModel(
        id=found.id, title=found.title, family=found.family, tags=list(found.tags), retryable=found.retryable, explained_by=deeper,
        fixes=list(found.fixes), confirm=found.confirm, reviewed=found.reviewed, markdown=markdown,
    )  # fmt: skip
