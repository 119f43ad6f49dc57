"""What the commands do, apart from parsing: call the library, print, return the exit status. Imports nothing heavy."""

from __future__ import annotations

import sys
from pathlib import Path

from logkb import paths
from logkb.analysis import Analyzer
from logkb.errors import InputError, LogkbError
from logkb.knowledge import load_knowledge, suggestion
from logkb.report import dump_json, safe


def overlays(kb: Path | None) -> tuple[Path, ...]:
    """The user's folders: the nearest `.logkb/`, then `--kb`."""
    if kb is not None and not kb.is_dir():
        raise InputError(f"{kb}: no such folder; name a folder with patterns/ and causes/")
    return tuple(folder for folder in (paths.overlay_root(), kb) if folder is not None)


def run_analyze(logs: list[Path], *, format: str, top: int, context: int, min_confidence: float, exit_code: bool, engine: str, kb: Path | None) -> int:
    analyzer = Analyzer(load_knowledge(overlays(kb)), engine=engine)
    status = 0
    for log in logs or [Path("-")]:
        try:
            report = analyzer.analyze(sys.stdin.buffer if str(log) == "-" else log)
        except InputError as error:
            print(f"logkb: {error}", file=sys.stderr)
            status = 2
            continue
        for warning in report.warnings:
            print(f"logkb: {safe(warning)}", file=sys.stderr)
        print(dump_json(report))
    return status


def run_rules(test: Path | None, cause: str, kb: Path | None) -> None:
    knowledge = load_knowledge(overlays(kb))
    if test is None:
        for rule in knowledge.rules:
            if not cause or rule.cause == cause:
                print(f"{rule.id}\t{rule.cause or rule.marks}\t{rule.strength}\t{rule.location}")
        return
    from logkb.matcher import Matcher
    from logkb.source import Source

    matcher = Matcher(knowledge.rules, cache=knowledge.cache)
    source = Source.from_stream(sys.stdin.buffer) if str(test) == "-" else Source.from_path(test)
    scan = matcher.scan(source)
    for match in scan.matches:
        if not cause or match.rule.cause == cause:
            captures = " ".join(f"{key}={value!r}" for key, value in match.captures.items())
            print(f"{match.line}\t{match.rule.id}\t{match.rule.cause or match.rule.marks}\t{match.rule.strength}\t{safe(captures)}\t{safe(match.text[:160])}")


def run_check(kb: Path | None) -> int:
    from logkb.check import check

    result = check(overlays(kb))
    for problem in result.notes:
        print(f"note: {problem}")
    for problem in result.errors:
        print(f"error: {problem}")
    print(f"{result.rules} rules, {result.articles} articles: {len(result.errors)} errors, {len(result.notes)} notes")
    return 1 if result.errors else 0


def run_causes(family: str, kb: Path | None) -> None:
    for cause in load_knowledge(overlays(kb)).causes.values():
        if not family or cause.family == family:
            print(f"{cause.id}\t{cause.family}\t{cause.title}")


def run_explain(cause: str, kb: Path | None) -> None:
    print(load_knowledge(overlays(kb)).article(cause).markdown)
