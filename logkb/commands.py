"""What the commands do, apart from parsing: call the library, print, return the exit status."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from logkb import paths, places
from logkb.analysis import Analyzer
from logkb.errors import InputError, UsageError
from logkb.knowledge import Knowledge, load_knowledge, suggestion
from logkb.records import Report
from logkb.report import KNOWN, dump_json, safe

Format = Literal["text", "json", "markdown", "github", "gitlab", "sarif", "junit"]
FORMATS = get_args(Format)
# All logs together are one document in these.
DOCUMENTS = ("github", "gitlab", "sarif", "junit")
# Where the CI system says that it has checked the repository out.
CHECKOUTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "WORKSPACE", "BUILDKITE_BUILD_CHECKOUT_PATH")
LARGE = 32 * 1024**2


@dataclass(frozen=True, slots=True)
class AnalyzeOptions:
    """The options of `logkb analyze` and their defaults; both parsers read them here."""

    format: Format = "text"
    top: int | None = None
    context: int = 0
    min_confidence: float = 0.0
    exit_code: bool = False
    why: bool = False
    engine: str = "auto"
    kb: Path | None = None
    article_url: str = ""


def overlays(kb: Path | None) -> tuple[Path, ...]:
    """The user's folders of rules and articles: the nearest `.logkb/`, then `--kb`. Raises `UsageError`."""
    return tuple(map(Path, places.overlays(kb)))


def run_analyze(logs: list[Path], options: AnalyzeOptions) -> int:
    """Analyse each log and print its report. 0: all analysed; 1: see `--exit-code`; 2: an input could not be read."""
    if options.engine not in ("auto", "hyperscan", "aho-corasick"):
        raise UsageError(f"unknown engine '{options.engine}'; use auto, hyperscan or aho-corasick")
    if options.article_url and not options.article_url.startswith(("https://", "http://")):
        raise UsageError(f"--article-url '{options.article_url}' is no URL; write it like https://example.org/kb/{{cause}}.html")
    if not logs and sys.stdin.isatty():
        raise UsageError("no log; name a file, or pipe one in: docker build . 2>&1 | logkb analyze")
    knowledge = load_knowledge(overlays(options.kb))
    for problem in knowledge.problems:
        print(f"logkb: {problem}", file=sys.stderr)
    analyzer = Analyzer(knowledge, engine=options.engine)
    gc.enable()
    status = 0
    named = True
    reports: list[Report] = []
    for index, log in enumerate(logs or [Path("-")]):
        try:
            report = _analyze(analyzer, log, options.why)
        except InputError as error:
            print(f"logkb: {safe(str(error))}", file=sys.stderr)
            status = 2
            continue
        for warning in report.warnings:
            print(f"logkb: {safe(warning)}", file=sys.stderr)
        if options.format in ("text", "markdown") and index:
            print()
        if options.format in DOCUMENTS:
            reports.append(report)
        else:
            _print(report, options)
        named = named and any(finding.confidence >= (options.min_confidence or KNOWN) for finding in report.findings)
    if options.format in DOCUMENTS:
        _print_document(reports, options, knowledge)
    return status or (1 if options.exit_code and not named else 0)


def _print_document(reports: list[Report], options: AnalyzeOptions, knowledge: Knowledge) -> None:
    from logkb.documents import render_document

    def article(cause: str) -> str | None:
        try:
            return knowledge.article(cause).markdown.strip()
        except UsageError:
            return None

    text = render_document(
        options.format, reports, top=options.top, min_confidence=options.min_confidence, article_url=options.article_url,
        roots=[os.environ[name] for name in CHECKOUTS if os.environ.get(name)], article=article,
    )  # fmt: skip
    print(text, end="")


def _analyze(analyzer: Analyzer, log: Path, why: bool) -> Report:
    if str(log) == "-":
        return analyzer.analyze(sys.stdin.buffer, name="standard input", progress=_progress(None), why=why)
    size = log.stat().st_size if log.is_file() else 0
    return analyzer.analyze(log, progress=_progress(size), why=why)


def _progress(size: int | None) -> Callable[[int], None] | None:
    """A callback that shows how far a large input has been read, when standard error is a terminal."""
    if not sys.stderr.isatty() or (size is not None and size < LARGE):
        return None
    shown = 0

    def show(consumed: int) -> None:
        nonlocal shown
        if consumed - shown < LARGE:
            return
        shown = consumed
        part = f" of {size // 1024**2}" if size else ""
        print(f"\rlogkb: read {consumed // 1024**2}{part} MB", end="", file=sys.stderr, flush=True)
        if size and consumed >= size:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    return show


def _print(report: Report, options: AnalyzeOptions) -> None:
    top, least = options.top, options.min_confidence
    if options.format == "json":
        print(dump_json(report, top=top, min_confidence=least))
    elif options.format == "markdown":
        from logkb.markdown import render_markdown

        context = options.context or 12
        print(render_markdown(report, top=top, context=context, min_confidence=least, article_url=options.article_url), end="")
    else:
        from logkb.text import print_rows, render, width_of

        width = width_of(sys.stdout)
        rows = render(report, width=width, top=top or 4, context=options.context, min_confidence=least, why=options.why)
        print_rows(rows)


def run_explain(cause: str, kb: Path | None) -> int:
    """Print an article; rendered on a terminal, as Markdown in a pipe."""
    article = load_knowledge(overlays(kb)).article(cause)
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(article.markdown))
    else:
        print(article.markdown.strip())
    return 0


def run_causes(family: str, kb: Path | None) -> int:
    """List the causes: id, family, title, separated by tabs."""
    causes = load_knowledge(overlays(kb)).causes.values()
    families = sorted({cause.family for cause in causes})
    if family and family not in families:
        raise UsageError(f"unknown family '{family}'{suggestion(family, families)}; families: {', '.join(families)}")
    for cause in sorted(causes, key=lambda cause: (cause.family, cause.id)):
        if not family or cause.family == family:
            print(f"{cause.id}\t{cause.family}\t{cause.title}")
    return 0


def run_rules(test: Path | None, cause: str, kb: Path | None) -> int:
    """List the rules (id, cause or mark, strength, file:line), or where they fire (line, rule, cause, strength, text)."""
    knowledge = load_knowledge(overlays(kb))
    if cause and cause not in knowledge.causes:
        raise UsageError(f"unknown cause '{cause}'{suggestion(cause, knowledge.causes)}; `logkb causes` lists them")
    if test is None:
        for rule in knowledge.rules:
            if not cause or rule.cause == cause:
                print(f"{rule.id}\t{rule.cause or 'marks ' + str(rule.marks)}\t{rule.strength}\t{rule.location}")
        return 0
    from logkb.matcher import Matcher
    from logkb.source import Source

    source = Source.from_stream(sys.stdin.buffer) if str(test) == "-" else Source.from_path(test)
    for match in Matcher(knowledge.rules, cache=knowledge.cache).scan(source).matches:
        if not cause or match.rule.cause == cause:
            rule = match.rule
            named = f"{rule.cause or 'marks ' + str(rule.marks)}"
            print(f"{match.line}\t{rule.id}\t{named}\t{rule.strength}\t{safe(match.text[:160])}")
    return 0


def run_check(kb: Path | None, deep: bool = False) -> int:
    """Check everything; 1 when something must be mended. `deep` asks the rule doctor, too."""
    from logkb.check import check

    folders = overlays(kb)
    result = check(folders)
    if deep:
        from logkb.doctor import combine, examine

        result = combine(result, examine(folders))
    for problem in result.notes:
        print(f"note: {problem}")
    for problem in result.errors:
        print(f"error: {problem}")
    counts = ((len(result.errors), "error"), (len(result.notes), "note"))
    words = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
    print(f"{result.rules} rules, {result.articles} articles: {words}")
    return 1 if result.errors else 0


def run_label(log: Path, cause: str, kb: Path | None) -> int:
    """Put a masked copy of a log into the user's folder as an example of a cause."""
    from logkb.learning import label, read_log
    from logkb.source import Source

    piped = str(log) == "-"
    data = read_log(Source.from_stream(sys.stdin.buffer) if piped else Source.from_path(log))
    folder = kb or paths.overlay_root() or Path(paths.OVERLAY_NAME)
    path = label(None if piped else log, data, cause, folder)
    print(f"wrote {path}: run `logkb train` when a cause has three or more")
    return 0


def run_train(kb: Path | None, corpus: Path | None) -> int:
    """Train the classifier on the user's labels and the shipped examples, or the shipped model on a corpus."""
    from logkb.learning import train

    folders = overlays(kb)
    analyzer = Analyzer(load_knowledge(folders), classify=False)
    path, summary = train(analyzer, folders[-1] if folders else None, corpus, _count("read"))
    print(f"wrote {path}: {summary}")
    return 0


def run_evaluate(corpus: Path | None, manifest: Path | None, root: Path | None, as_json: bool, write: Path | None) -> int:
    """Measure on a corpus (cross-validated) or on a labelled folder; see `logkb evaluate --help`."""
    from logkb.accuracy import measure, print_measured, write_page

    measured = measure(corpus or paths.data_root() / "corpus", manifest, root, _count("scanned"))
    if write is not None:
        write_page(measured, write)
        print(f"wrote {write}")
    else:
        print(print_measured(measured, as_json=as_json))
    return 0


def run_evaluate_search(as_json: bool) -> int:
    """Measure `logkb search` on the queries of the corpus."""
    from logkb.search_evaluation import measure_search, print_search

    print(print_search(measure_search(), as_json=as_json))
    return 0


def _count(what: str) -> Callable[[int, int], None] | None:
    """A progress bar on standard error, when that is a terminal."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        bar = "#" * (30 * done // max(1, total))
        print(f"\rlogkb: {what} [{bar:<30}] {done} of {total}", end="\n" if done == total else "", file=sys.stderr, flush=True)

    return show


def run_gaps(folder: Path, top: int | None, kb: Path | None) -> int:
    """Print the clusters of failed logs that nobody could name, each with a draft rule."""
    from logkb.gaps import render_gaps, survey

    found = survey(folder, Analyzer(load_knowledge(overlays(kb))), _count("analysed"))
    for why in found.unreadable:
        print(f"logkb: {safe(why)}", file=sys.stderr)
    for row in render_gaps(found, top).splitlines():
        print(safe(row))
    return 0


def run_import_rules(file: Path, folder: Path | None) -> int:
    """Write other people's rules as drafts; 1 when none of them could become a rule."""
    from logkb.importers import import_rules, render_imported

    imported, target = import_rules(file, folder or paths.overlay_root() or Path(paths.OVERLAY_NAME))
    for row in render_imported(imported, target).splitlines():
        print(safe(row))
    return 0 if target is not None else 1


def run_new_rule(identifier: str, cause: str, line: str, folder: Path | None) -> int:
    """Write a draft rule for a log line; it loads, and matches its line, at once."""
    from logkb.scaffold import new_rule

    known = load_knowledge(overlays(None)).causes
    path = new_rule(identifier, cause, line, folder or Path(paths.OVERLAY_NAME))
    print(f"wrote {path}: widen its pattern, add should_not_match lines, then run `logkb check`")
    if cause not in known:
        print(f"cause '{cause}' has no article yet: logkb new article {cause} --title '…'")
    return 0


def run_new_article(cause: str, title: str, family: str, folder: Path | None) -> int:
    """Write the skeleton of an article with every heading."""
    from logkb.scaffold import new_article

    path = new_article(cause, title, family, folder or Path(paths.OVERLAY_NAME))
    print(f"wrote {path}: fill in every part, then run `logkb check`")
    return 0
