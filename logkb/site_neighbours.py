"""Which causes are easily taken for one another, and how to tell them apart, by what rules, articles and measurements say."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

from logkb.articles import Article
from logkb.records import Cause, Explanation
from logkb.site_catalogue import Catalogue, sample_line
from logkb.site_graph import percent

SHOWN = 6
# A tie is as heavy as it is likely to mislead: a measured confusion most, a common deeper cause that is rare for both hardly.
SAME_FAMILY = 0.5
LEAST = 0.3
FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.M | re.S)
STOP = re.compile(r"[.!?](?=\s|$)|:(?=\s*$)")
ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|vs|cf|approx|incl)\.$")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A cause that is taken for another: why, what it is, what its log shows (text and a line), and the command that settles it."""

    cause: Cause
    why: str
    what: str
    shows: str
    line: str
    settle: str


@dataclass(slots=True)
class _Ties:
    weight: float = 0.0
    reasons: list[str] = field(default_factory=list)
    settle: str = ""

    def add(self, weight: float, reason: str) -> None:
        self.weight += weight
        self.reasons.append(reason)


def neighbours(cause: Cause, catalogue: Catalogue) -> tuple[Neighbour, ...]:
    """At most six, the closest first: measured confusions, rules that look for the same words, common deeper causes, edges."""
    known = catalogue.knowledge.causes
    ties: dict[str, _Ties] = defaultdict(_Ties)
    for (one, other), count in catalogue.confused.items():
        if cause.id in (one, other):
            ties[other if one == cause.id else one].add(3 + count, "taken for one another in measured logs")
    for entry in cause.explained_by:
        ties[entry.cause].add(1 + entry.share, f"lies behind this one in {percent(entry.share)} of the cases")
        ties[entry.cause].settle = entry.check
    for symptom in catalogue.shows_as.get(cause.id, ()):
        edge = edge_to(symptom, cause.id)
        ties[symptom.id].add(0.5 + edge.share, f"in {percent(edge.share)} of its cases this one lies behind it")
        ties[symptom.id].settle = ties[symptom.id].settle or edge.check
    for entry in cause.explained_by:
        for sibling in catalogue.shows_as.get(entry.cause, ()):
            if sibling.id != cause.id and entry.cause in known:
                edge = edge_to(sibling, entry.cause)
                ties[sibling.id].add(4 * entry.share * edge.share, f"both can come from “{known[entry.cause].title}”")
    for other, words in _common_words(cause, catalogue).items():
        ties[other].add(2 + len(words) / 4, f"rules of both look for “{max(words, key=len)}”")
    for identifier, tie in ties.items():
        if identifier in known and known[identifier].family == cause.family:
            tie.weight += SAME_FAMILY
    ranked = sorted(
        (item for item in ties.items() if item[0] in known and item[0] != cause.id and item[1].weight >= LEAST),
        key=lambda item: (-item[1].weight, item[0]),
    )
    return tuple(_neighbour(known[other], tie, catalogue) for other, tie in ranked[:SHOWN])


def edge_to(symptom: Cause, deeper: str) -> Explanation:
    """The edge of the graph from a symptom to the deeper cause that explains it."""
    return next(entry for entry in symptom.explained_by if entry.cause == deeper)


def _common_words(cause: Cause, catalogue: Catalogue) -> dict[str, set[str]]:
    own = {word for rule in catalogue.rules.get(cause.id, ()) for word in rule.keywords}
    found: dict[str, set[str]] = defaultdict(set)
    for other, rules in catalogue.rules.items():
        if other not in ("", cause.id):
            for rule in rules:
                found[other].update(own.intersection(rule.keywords))
    return {other: words for other, words in found.items() if words}


def _neighbour(cause: Cause, tie: _Ties, catalogue: Catalogue) -> Neighbour:
    article = catalogue.articles.get(cause.id)
    rules = catalogue.rules.get(cause.id, ())
    strong = next((rule for rule in rules if rule.strength == "strong"), rules[0] if rules else None)
    return Neighbour(
        cause=cause,
        why="; ".join(dict.fromkeys(tie.reasons[:2])),
        what=_sentence(article.lead) if article else "",
        shows=_shown(article) if article else "",
        line=sample_line(strong) if strong else "",
        settle=tie.settle,
    )


def _shown(article: Article) -> str:
    section = article.section("What the log shows")
    return _sentence(FENCE.sub("", section.text)) if section else ""


def _sentence(markdown: str) -> str:
    """The first sentence of the first paragraph; a stop inside inline code ends nothing."""
    paragraph = " ".join(markdown.strip().split("\n\n")[0].split())
    if not paragraph or paragraph[0] in "|>#" or paragraph.startswith(("- ", "* ", "1. ")):
        return ""
    masked = re.sub(r"(`+).*?\1|\[[^\]]*\]\([^)]*\)", lambda found: "x" * len(found[0]), paragraph)
    for stop in STOP.finditer(masked):
        text = paragraph[: stop.end()]
        if not ABBREVIATION.search(text):
            return text.removesuffix(":")
    return paragraph
