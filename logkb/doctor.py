"""The rule doctor behind `logkb check --deep`: what only shows when rules, articles and the corpus are held against each other.

One function a check, pure, over a `Catalogue` for which each log of the corpus was scanned once.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from logkb.analysis import Analyzer
from logkb.articles import Article, load_articles
from logkb.check import CheckResult
from logkb.corpus import read_corpus
from logkb.errors import Location, Problem
from logkb.knowledge import article_files, load_knowledge, rule_files
from logkb.matcher import Matcher
from logkb.outcome import verdict
from logkb.paths import data_root
from logkb.records import Match, Rule
from logkb.rules import load_rule_files
from logkb.source import Source
from logkb.stress import check_dressing, check_speed

STRENGTHS = ("weak", "medium", "strong")


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule on a line of a log or a sample."""

    rule: str
    line: int
    captures: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ScannedLog:
    """A log of the corpus: its cause (None when the build passed), its recipe's family, all hits, and the rules
    that prove its leading finding (kept for passed logs alone)."""

    path: Path
    cause: str | None
    group: str
    hits: tuple[Hit, ...]
    leading: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScannedSample:
    """A should-match sample of a rule, scanned with all rules."""

    rule: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Rules with their samples, articles, the corpus and what the rules find in it."""

    rules: tuple[Rule, ...]
    articles: tuple[Article, ...]
    logs: tuple[ScannedLog, ...]
    samples: tuple[ScannedSample, ...]


def examine(overlays: Sequence[Path] = (), *, use_cache: bool = True) -> CheckResult:
    """Run all checks over the shipped knowledge and the overlays. Nothing is raised for what is in the files."""
    catalogue, problems = read_catalogue(overlays, use_cache=use_cache)
    errors = [
        *problems,
        *without_article(catalogue),
        *malformed_links(catalogue),
        *exact_duplicates(catalogue),
        *leading_on_passed(catalogue),
        *(problem for rule in catalogue.rules for problem in check_dressing(rule)),
        *(problem for rule in catalogue.rules for problem in check_speed(rule)),
    ]
    notes = [
        *unreached(catalogue),
        *shadowed(catalogue),
        *fires_on_passed(catalogue),
        *volatile_fingerprints(catalogue),
        *near_duplicates(catalogue),
        *articles_alone(catalogue),
    ]
    count = len(catalogue.rules), len(catalogue.articles)
    return CheckResult(*count, tuple(sorted(errors, key=_order)), tuple(sorted(notes, key=_order)))


def combine(shallow: CheckResult, deep: CheckResult) -> CheckResult:
    """Both results in one, in file order; what both report stands once."""
    errors = {(problem.location, problem.what): problem for problem in (*shallow.errors, *deep.errors)}
    notes = {(problem.location, problem.what): problem for problem in (*shallow.notes, *deep.notes)}
    return CheckResult(
        shallow.rules, shallow.articles, tuple(sorted(errors.values(), key=_order)), tuple(sorted(notes.values(), key=_order))
    )


def _order(problem: Problem) -> tuple[str, int]:
    return str(problem.location.path), problem.location.line


def read_catalogue(overlays: Sequence[Path] = (), *, use_cache: bool = True) -> tuple[Catalogue, tuple[Problem, ...]]:
    """Load everything and scan each log and sample once; also, what is wrong with the corpus."""
    knowledge = load_knowledge(overlays, use_cache=use_cache)
    roots = [data_root(), *overlays]
    current = {rule.id: rule.location for rule in knowledge.rules}
    # The knowledge holds no samples, and of two rules with one id only the one that wins.
    rules = tuple(
        rule for root in roots for rule in load_rule_files(rule_files(root)).rules if current.get(rule.id) == rule.location
    )
    articles, _ = load_articles(path for root in roots for path in article_files(root))
    analyzer = Analyzer(knowledge)
    logs: list[ScannedLog] = []
    problems: list[Problem] = []
    for root in roots:
        examples, wrong = read_corpus(root / "corpus")
        problems += wrong
        for example in examples:
            try:
                data = example.path.read_bytes()
            except OSError as error:
                problems.append(Problem(Location(example.path), f"cannot be read ({error.strerror})", "mend or remove the log"))
                continue
            scan = analyzer.matcher.scan(Source.from_bytes(data))
            leading: tuple[str, ...] = ()
            if example.cause is None and verdict(scan).outcome != "passed":
                findings = analyzer.analyze(data).findings
                leading = tuple(evidence.rule for evidence in findings[0].evidence) if findings else ()
            logs.append(ScannedLog(example.path, example.cause, example.group, _hits(scan.matches), leading))
    samples = tuple(ScannedSample(rule.id, _scan(sample.text, analyzer.matcher)) for rule in rules for sample in rule.should_match)
    return Catalogue(rules, articles, tuple(logs), samples), tuple(problems)


def _scan(text: str, matcher: Matcher) -> tuple[Hit, ...]:
    return _hits(matcher.scan(Source.from_bytes(text.encode())).matches)


def _hits(matches: Iterable[Match]) -> tuple[Hit, ...]:
    return tuple(Hit(match.rule.id, match.line, match.captures) for match in matches)


# -- Rules against the corpus


def unreached(catalogue: Catalogue) -> Iterator[Problem]:
    """Rules that no log of the corpus reaches."""
    reached = {hit.rule for log in catalogue.logs for hit in log.hits}
    for rule in catalogue.rules if catalogue.logs else ():
        if rule.id not in reached:
            what = "no log of the corpus reaches the rule"
            yield Problem(rule.location, what, "record a log that the tool writes when it fails so (corpus/recipes/)", rule.id)


def shadowed(catalogue: Catalogue) -> Iterator[Problem]:
    """Rules that add nothing: one of the same cause, as strong and as telling, matches every line that they match; or
    one of another cause, as strong, matches all their own samples. Causes that the graph joins are the ranking's work."""
    joined = {(article.cause.id, deeper.cause) for article in catalogue.articles for deeper in article.cause.explained_by}
    by_id = {rule.id: rule for rule in catalogue.rules}
    lines: dict[str, set[tuple[int, int]]] = defaultdict(set)
    at: dict[tuple[int, int], set[str]] = defaultdict(set)
    own: dict[str, set[tuple[int, int]]] = defaultdict(set)
    texts = [*((None, log.hits) for log in catalogue.logs), *((sample.rule, sample.hits) for sample in catalogue.samples)]
    for number, (owner, hits) in enumerate(texts):
        for hit in hits:
            lines[hit.rule].add((number, hit.line))
            at[number, hit.line].add(hit.rule)
            if hit.rule == owner:
                own[hit.rule].add((number, hit.line))
    for rule in catalogue.rules:
        for other in sorted(_everywhere(lines[rule.id], at) - {rule.id}):
            if _adds_nothing(rule, by_id[other], twins=lines[rule.id] == lines[other]):
                what = f"{other} matches every line that the rule matches"
                yield Problem(rule.location, what, "remove the rule, or let one exclude the other", rule.id)
                break
        for other in sorted(_everywhere(own[rule.id], at) - {rule.id}):
            named = by_id[other].cause
            related = (rule.cause, named) in joined or (named, rule.cause) in joined
            if rule.cause and named and named != rule.cause and not related and _at_least(by_id[other], rule):
                what = f"{other} (cause {named}) matches all samples of the rule"
                yield Problem(rule.location, what, "make its pattern exclude these lines, or agree on one cause", rule.id)
                break


def _everywhere(places: set[tuple[int, int]], at: Mapping[tuple[int, int], set[str]]) -> set[str]:
    return set.intersection(*(at[place] for place in places)) if places else set()


def _at_least(one: Rule, other: Rule) -> bool:
    return STRENGTHS.index(one.strength) >= STRENGTHS.index(other.strength)


def _adds_nothing(rule: Rule, other: Rule, *, twins: bool) -> bool:
    if (rule.cause, rule.marks) != (other.cause, other.marks) or not _at_least(other, rule):
        return False
    if (rule.fix and not other.fix) or not _captures(rule) <= _captures(other):
        return False
    same = twins and _at_least(rule, other) and _captures(rule) == _captures(other) and bool(rule.fix) == bool(other.fix)
    # Of two that match the same lines and tell the same, the later one is the superfluous one.
    return not same or _place(rule) > _place(other)


def _place(rule: Rule) -> tuple[str, int]:
    return str(rule.location.path), rule.location.line


def _captures(rule: Rule) -> set[str]:
    patterns = rule.pattern + (rule.neighbour.pattern if rule.neighbour else "")
    return set(re.findall(r"\(\?P<(\w+)>", patterns))


def leading_on_passed(catalogue: Catalogue) -> Iterator[Problem]:
    """Strong rules that prove the leading finding of a build that passed."""
    yield from _on_passed(catalogue, leading=True)


def fires_on_passed(catalogue: Catalogue) -> Iterator[Problem]:
    """Strong rules that fire in a build that passed, without leading there."""
    yield from _on_passed(catalogue, leading=False)


def _on_passed(catalogue: Catalogue, *, leading: bool) -> Iterator[Problem]:
    where: dict[str, list[str]] = defaultdict(list)
    for log in catalogue.logs:
        if log.cause is None:
            fired = {hit.rule: f"{log.path.name}:{hit.line}" for hit in reversed(log.hits)}
            for identifier, place in fired.items():
                if (identifier in log.leading) is leading:
                    where[identifier].append(place)
    for rule in catalogue.rules:
        if rule.strength == "strong" and rule.cause and where[rule.id]:
            found = sorted(where[rule.id])
            role = "leads the findings" if leading else "fires"
            what = f"the strong rule {role} on {_some(found)}, and that build passed"
            mend = "make it medium, exclude the line that is survived, or add a rule that marks such a build as passed"
            yield Problem(rule.location, what, mend, rule.id)


def _some(places: Sequence[str]) -> str:
    return places[0] + (f" and {len(places) - 1} more" if len(places) > 1 else "")


# What differs between two runs of one build and says nothing of its failure; a version (3.11) stays.
_VARYING = re.compile(
    r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b"  # a digest
    r"|(?<![\w.])\d{4,}(?![\w.])"  # a process, a port, a count; three digits are a status
    r"|\d+(?:\.\d+)?(?:ms|s|MB|kB|KB|GB|MiB|GiB|%)\b"
    r"|(?<!\w)/(?:tmp|var/tmp|builds|home|root|Users|private|workspace|work)/\S+"
    r"|\b\d\d:\d\d:\d\d\b"
)


def volatile_fingerprints(catalogue: Catalogue) -> Iterator[Problem]:
    """Fingerprint captures with values that differ between runs of one recipe's family in digits, digests or paths alone."""
    values: dict[tuple[str, str], dict[tuple[str, str], dict[str, set[Path]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(set))
    )
    prints = {rule.id: rule.fingerprint for rule in catalogue.rules}
    for log in catalogue.logs:
        for hit in log.hits:
            for name in prints[hit.rule]:
                value = hit.captures.get(name, "")
                stable = _VARYING.sub("…", value)
                if stable != value:
                    values[hit.rule, name][log.group, stable][value].add(log.path)
    for rule in catalogue.rules:
        for name in rule.fingerprint:
            for same in values[rule.id, name].values():
                if len(same) > 1 and len(set().union(*same.values())) > 1:
                    one, two = sorted(same)[:2]
                    what = f"the fingerprint's '{name}' varies between runs of one recipe ({one[:60]!r}, {two[:60]!r})"
                    yield Problem(
                        rule.location, what, "stop the group before what varies, or take it out of 'fingerprint'", rule.id
                    )
                    break


# -- Rules against each other


def anonymous(pattern: str) -> str:
    """The pattern without the names of its groups, and without the difference between a group and a named one."""
    return re.sub(r"\(\?(?:P<\w+>|:)", "(", pattern)


def skeleton(pattern: str) -> str:
    """The literal words of a pattern, in order: what is left without groups, classes and repeats."""
    bare = re.sub(r"\\[AbBdDsSwWzZ]|\(\?(?:P<\w+>|[:=!]|<[=!])|(?<!\\)\[(?:\\.|[^\]\\])*\]|\{\d*,?\d*\}", " ", pattern)
    return " ".join(re.findall(r"\w[\w'-]*", bare))


def exact_duplicates(catalogue: Catalogue) -> Iterator[Problem]:
    """Rules with one pattern, apart from the names of its groups."""
    first: dict[tuple[object, ...], Rule] = {}
    for rule in catalogue.rules:
        near = rule.neighbour and (anonymous(rule.neighbour.pattern), rule.neighbour.after)
        other = first.setdefault((anonymous(rule.pattern), near), rule)
        if other is not rule:
            what = f"the pattern is that of {other.id} ({other.location})"
            yield Problem(rule.location, what, "keep one of the two, with the samples of both", rule.id)


def near_duplicates(catalogue: Catalogue) -> Iterator[Problem]:
    """Rules of one cause with the same keywords and the same literal words in their patterns."""
    first: dict[tuple[object, ...], Rule] = {}
    for rule in catalogue.rules:
        near = rule.neighbour.pattern if rule.neighbour else ""
        words = skeleton(rule.pattern)
        if len(words) < 4:
            continue
        other = first.setdefault((rule.cause, rule.keywords, words, skeleton(near)), rule)
        if other is not rule and anonymous(other.pattern) != anonymous(rule.pattern):
            what = f"the pattern has the keyword and the words of {other.id} ({other.location})"
            yield Problem(rule.location, what, "join both in one pattern, unless they must differ", rule.id)


# -- Articles


def without_article(catalogue: Catalogue) -> Iterator[Problem]:
    """Rules that name a cause without an article."""
    known = {article.cause.id for article in catalogue.articles}
    for rule in catalogue.rules:
        if rule.cause and rule.cause not in known:
            what = f"cause '{rule.cause}' has no article"
            yield Problem(rule.location, what, f"write docs/causes/{rule.cause}.md, or correct the cause", rule.id)


def articles_alone(catalogue: Catalogue) -> Iterator[Problem]:
    """Articles that no rule leads to, and those without a log in the corpus."""
    named = {rule.cause for rule in catalogue.rules}
    shown = {log.cause for log in catalogue.logs}
    for article in catalogue.articles:
        cause = article.cause
        if cause.id not in named:
            yield Problem(cause.location, "no rule names this cause", "write rules for what its tools print", cause.id)
        if catalogue.logs and cause.id not in shown:
            what = "no log of the corpus has this cause"
            yield Problem(cause.location, what, f"record one below corpus/{cause.id}/", cause.id)


_LINK = re.compile(r"\]\((?P<target>(?:[^()\n]|\([^()\n]*\))*)(?P<close>\)?)")
_BARE = re.compile(r"(?<!\()\bhttps?:/[^\s<>)\]\"'`]*")
_TITLE = re.compile(r"\s+(?:\"[^\"]*\"|'[^']*')\s*$")


def malformed_links(catalogue: Catalogue) -> Iterator[Problem]:
    """Links that lead nowhere: not https?://host/…, with spaces, or never closed."""
    for article in catalogue.articles:
        path = article.cause.location.path
        for number, line in _prose(path.read_text(encoding="utf-8")):
            for what in link_mistakes(line):
                mend = "write [title](https://host/path)"
                yield Problem(Location(path, number), what, mend, article.cause.id)


def _prose(text: str) -> Iterator[tuple[int, str]]:
    """The numbered lines outside of code blocks, without inline code."""
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"\s*(`{3,}|~{3,})", line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        elif not fence:
            yield number, re.sub(r"`[^`]*`", "``", line)


def link_mistakes(line: str) -> Iterator[str]:
    """What is wrong with the links of one line of Markdown."""
    for found in _LINK.finditer(line):
        target = _TITLE.sub("", found["target"])
        if not found["close"]:
            yield f"the link to '{target[:60]}' is not closed"
        elif re.search(r"\s", target):
            yield f"the link to '{target[:60]}' holds a space"
        elif not target or (re.match(r"[a-z]+:|//|www\.", target, re.I) and not _leads_somewhere(target)):
            yield f"the link to '{target[:60]}' is not https://host/…"
    for found in _BARE.finditer(_LINK.sub("]", line)):
        if not _leads_somewhere(found[0].rstrip(".,;:!?*_")):
            yield f"'{found[0][:60]}' is not https://host/…"


def _leads_somewhere(target: str) -> bool:
    try:
        parts = urlsplit(target)
        host = parts.hostname or ""
    except ValueError:
        return False
    named = "." in host or host == "localhost"
    return parts.scheme in ("http", "https") and named and bool(re.fullmatch(r"[\w.-]+", host)) and ".." not in host
