"""Cross-folder checks: every sample through the real engine, every article's log through a real analysis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from logkb.analysis import Analyzer
from logkb.articles import Article, load_articles
from logkb.errors import Location, Problem
from logkb.knowledge import Knowledge, article_files, load_knowledge, rule_files, suggestion
from logkb.matcher import Matcher
from logkb.paths import data_root
from logkb.records import Match, Rule, Sample
from logkb.rules import load_rule_files
from logkb.source import Source


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Errors must be mended; notes are worth a look. Both in file order."""

    rules: int
    articles: int
    errors: tuple[Problem, ...]
    notes: tuple[Problem, ...]


def check(overlays: Sequence[Path] = (), *, today: date | None = None, use_cache: bool = True) -> CheckResult:
    """Check the shipped knowledge and the overlays. Nothing is raised for what is in the files.

    With overlays, notes that concern shipped files alone are left out: whoever wrote the overlay cannot act on them.
    """
    knowledge = load_knowledge(overlays, use_cache=use_cache)
    roots = [data_root(), *overlays]
    rules = [rule for root in roots for rule in load_rule_files(rule_files(root)).rules]
    current = {rule.id: rule.location for rule in knowledge.rules}
    rules = [rule for rule in rules if current.get(rule.id) == rule.location]
    house = {path for root in overlays for path in (*rule_files(root), *article_files(root))}
    articles, _ = load_articles(path for root in roots for path in article_files(root))
    analyzer = Analyzer(knowledge)
    errors: list[Problem] = list(knowledge.problems)
    notes: list[Problem] = []
    for rule in rules:
        for kind, problem, concerned in check_samples(rule, analyzer.matcher):
            if kind == "error":
                errors.append(problem)
            elif not house or not house.isdisjoint(concerned):
                notes.append(problem)
    errors += check_graph(articles, knowledge)
    for article in articles:
        errors += check_example(article, analyzer)
        if house and article.cause.location.path not in house:
            continue
        if (today or date.today()) > date.fromisoformat(article.cause.reviewed) + timedelta(days=article.cause.review_every):
            notes.append(_at(article, 1, "the review is overdue", "read it again, correct it, and set 'reviewed'"))
    return CheckResult(len(rules), len(articles), tuple(sorted(errors, key=_order)), tuple(sorted(notes, key=_order)))


def _order(problem: Problem) -> tuple[str, int]:
    return str(problem.location.path), problem.location.line


def check_samples(rule: Rule, matcher: Matcher) -> Iterator[tuple[str, Problem, set[Path]]]:
    """Run a rule's samples through the engine: ("error" or "note", problem, the files concerned) for each that is not as stated."""
    here = {rule.location.path}
    for sample in rule.should_match:
        matches = _scan(sample, matcher)
        own = [match for match in matches if match.rule.id == rule.id]
        if not own:
            yield "error", Problem(sample.location, "the rule does not match its sample", _why_not(rule, sample), rule.id), here
            continue
        for name, value in sample.captures.items():
            found = own[0].captures.get(name)
            if found != value:
                what = f"capture '{name}' is {found!r}, the sample says {value!r}"
                yield "error", Problem(sample.location, what, "mend the group or the sample", rule.id), here
        for other in matches:
            if other.rule.cause and rule.cause and other.rule.cause != rule.cause and _same_line(own[0], other):
                what = f"the sample is also matched by {other.rule.id} (cause {other.rule.cause})"
                mend = "make one of the patterns exclude the other"
                yield "note", Problem(sample.location, what, mend, rule.id), here | {other.rule.location.path}
    for sample in rule.should_not_match:
        if any(match.rule.id == rule.id for match in _scan(sample, matcher)):
            what = "the rule matches a line that it should not"
            yield "error", Problem(sample.location, what, "make the pattern stricter, or mend the sample", rule.id), here


def _same_line(one: Match, other: Match) -> bool:
    return one.line == other.line


def _scan(sample: Sample, matcher: Matcher) -> tuple[Match, ...]:
    return matcher.scan(Source.from_bytes(sample.text.encode())).matches


def _why_not(rule: Rule, sample: Sample) -> str:
    if not any(keyword in sample.text for keyword in rule.keywords):
        return "no keyword stands in it: correct the keyword (it is case-sensitive)"
    if rule.neighbour is not None:
        return "mend the pattern, or put both lines into the sample"
    return "mend the pattern; it is searched in the line after CI prefixes were stripped"


def check_graph(articles: Sequence[Article], knowledge: Knowledge) -> Iterator[Problem]:
    """Every `explained_by` names a cause that exists, and no two causes explain each other."""
    edges = {article.cause.id: {entry.cause for entry in article.cause.explained_by} for article in articles}
    for article in articles:
        for entry in article.cause.explained_by:
            if entry.cause not in knowledge.causes:
                mend = f"correct it{suggestion(entry.cause, knowledge.causes)}"
                yield _at(article, 1, f"explained_by names '{entry.cause}', which does not exist", mend)
            elif article.cause.id in edges.get(entry.cause, set()) and article.cause.id < entry.cause:
                what = f"'{article.cause.id}' and '{entry.cause}' explain each other"
                yield _at(article, 1, what, "keep the edge to the deeper cause")


def check_example(article: Article, analyzer: Analyzer) -> Iterator[Problem]:
    """The log in the article, analysed, puts the article's cause first."""
    report = analyzer.analyze(article.example.encode(), name=article.cause.id)
    first = report.findings[0].cause if report.findings else None
    if first != article.cause.id:
        what = f"analysing the log of the article gives {first or 'no finding'}, not {article.cause.id}"
        yield _at(article, article.example_line, what, "mend the log, or the rules that should know it")


def _at(article: Article, line: int, what: str, mend: str) -> Problem:
    return Problem(Location(article.cause.location.path, line), what, mend, article.cause.id)
