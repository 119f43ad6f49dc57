"""One page a cause: its article, then what the knowledge base adds to it (graph, neighbours, rules, examples)."""

from __future__ import annotations

from logkb.records import Cause, Rule
from logkb.redact import redact
from logkb.site_blocks import (
    Anchor,
    Block,
    Code,
    Drawing,
    Inline,
    Items,
    Link,
    Literal,
    Page,
    Paragraph,
    Part,
    Strong,
    Table,
    words,
)
from logkb.site_catalogue import Catalogue, Excerpt, sample_line
from logkb.site_graph import Vertex, draw, percent
from logkb.site_neighbours import edge_to, neighbours

STRENGTHS = {"strong": "names the cause", "medium": "a tool's error", "weak": "a hint"}


def cause_page(cause: Cause, catalogue: Catalogue) -> Page:
    """The page `causes/<id>`. A cause without an article has its title, its rules and its examples."""
    article = catalogue.articles.get(cause.id)
    makers = (_graph, _neighbours, _rules, _examples)
    parts = tuple(part for make in makers if (part := make(cause, catalogue)) is not None)
    text = cause.location.path.read_text(encoding="utf-8") if article else ""
    return Page(
        name=f"causes/{cause.id}",
        title=cause.title,
        source=str(cause.location.path) if article else "",
        first_line=text[: len(text) - len(article.markdown)].count("\n") + 1 if article else 1,
        markdown=article.markdown if article else "",
        lead=_facts(cause, parts),
        blocks=parts,
    )


def cause_link(cause: Cause) -> Link:
    """A link to a cause's page, by its title."""
    return Link(cause.title, f"causes/{cause.id}")


def rule_anchor(rule: Rule) -> str:
    """Where a rule stands on the page of its file."""
    return f"rule-{rule.id}"


def _facts(cause: Cause, parts: tuple[Part, ...]) -> tuple[Block, ...]:
    facts: list[Inline] = [Code(cause.id), " · family ", Link(cause.family, f"families/{cause.family}")]
    again = "running the build again may help" if cause.retryable else "running the build again does not help"
    facts.append(f" · {again}")
    if cause.reviewed:
        facts.append(f" · reviewed {cause.reviewed}")
    blocks: list[Block] = [Paragraph(tuple(facts), "facts")]
    if cause.tags:
        tags = tuple(part for tag in cause.tags for part in (Code(tag), " "))
        blocks.append(Paragraph(("Tags: ", *tags), "facts"))
    if parts:
        links = tuple(inline for part in parts for inline in (" · ", Link(part.title, "", part.anchor)))
        blocks.append(Paragraph(("Below the article: ", *links[1:]), "facts"))
    return tuple(blocks)


def _graph(cause: Cause, catalogue: Catalogue) -> Part | None:
    known = catalogue.knowledge.causes
    behind = [entry for entry in cause.explained_by if entry.cause in known]
    shows_as = catalogue.shows_as.get(cause.id, ())
    if not behind and not shows_as:
        return None
    shares = {other.id: edge_to(other, cause.id) for other in shows_as}
    svg = draw(
        Vertex(cause.title, ""),
        [Vertex(known[entry.cause].title, _href(entry.cause), entry.share) for entry in behind],
        [Vertex(other.title, _href(other.id), shares[other.id].share) for other in shows_as],
    )
    blocks: list[Block] = [Drawing(svg)]
    if behind:
        blocks.append(Paragraph(("What often lies behind it, and the command that settles the question:",)))
        rows = tuple(
            ((Link(known[entry.cause].title, f"causes/{entry.cause}"),), (percent(entry.share),), (Code(entry.check),))
            for entry in behind
        )
        blocks.append(Table(("deeper cause", "how often", "settle it with"), rows))
    if shows_as:
        blocks.append(Paragraph(("What it shows as, where the log does not name it:",)))
        rows = tuple(
            ((cause_link(other),), (f"{percent(shares[other.id].share)} of its cases",), (Code(shares[other.id].check),))
            for other in shows_as
        )
        blocks.append(Table(("symptom", "how often", "settle it with"), rows))
    return Part("What lies behind it, what it looks like", "graph", tuple(blocks))


def _href(cause: str) -> str:
    return f"{cause}.html"


def _neighbours(cause: Cause, catalogue: Catalogue) -> Part | None:
    found = neighbours(cause, catalogue)
    if not found:
        return None
    items: list[tuple[Block, ...]] = []
    for item in found:
        blocks: list[Block] = [Paragraph((cause_link(item.cause), f": {item.why}"), "neighbour")]
        if item.what:
            blocks.append(Paragraph(words(item.what)))
        if item.shows:
            blocks.append(Paragraph((Strong("Its log shows: "), *words(item.shows))))
        if item.line:
            blocks.append(Paragraph((Strong("Such as: "), Code(item.line))))
        if item.settle:
            blocks.append(Paragraph((Strong("Settle it with: "), Code(item.settle))))
        items.append(tuple(blocks))
    lead = Paragraph(("These look alike. Compare what their logs show with yours.",))
    return Part("Easily confused with", "neighbours", (lead, Items(tuple(items), "cards")))


def _rules(cause: Cause, catalogue: Catalogue) -> Part | None:
    rules = catalogue.rules.get(cause.id, ())
    if not rules:
        return None
    order = {"strong": 0, "medium": 1, "weak": 2}
    items = tuple(rule_card(rule, catalogue) for rule in sorted(rules, key=lambda rule: (order[rule.strength], rule.id)))
    count = "One rule knows" if len(rules) == 1 else f"{len(rules)} rules know"
    lead = Paragraph((f"{count} this cause: each with a line that it matches, and what it says of it.",))
    return Part("Rules", "rules", (lead, Items(items, "cards")))


def rule_card(rule: Rule, catalogue: Catalogue) -> tuple[Block, ...]:
    """A rule's sample line, message, id, strength, and a link to where it is written."""
    file = catalogue.files[rule.location.path]
    where = Link(f"patterns/{file}.toml:{rule.location.line}", f"sources/{file}", rule_anchor(rule), code=True)
    strength = f" · {rule.strength}: {STRENGTHS[rule.strength]} · "
    return (
        Literal(sample_line(rule)),
        Paragraph((_message(rule),)),
        Paragraph((Code(rule.id), strength, where), "facts"),
    )


def _message(rule: Rule) -> str:
    """What the rule says of its sample; a capture that the sample does not name keeps its braces."""
    text = rule.message
    for name, value in rule.should_match[0].captures.items():
        text = text.replace(f"{{{name}}}", value)
    return redact(text)


def _examples(cause: Cause, catalogue: Catalogue) -> Part | None:
    excerpts = catalogue.excerpts.get(cause.id, ())
    if not excerpts:
        return None
    blocks = [block for excerpt in excerpts for block in _example(excerpt)]
    lead = Paragraph(("Parts of logs from the corpus, masked; the marked line names the failure.",))
    return Part("Examples", "examples", (lead, *blocks))


def _example(excerpt: Excerpt) -> tuple[Block, ...]:
    how = "written after what the tool prints" if excerpt.constructed else "recorded"
    status = "" if excerpt.exit_status is None else f", exit status {excerpt.exit_status}"
    caption: list[Inline] = [
        Strong(excerpt.tool or "log"),
        f" ({how}{status}), from line {excerpt.first_line} of ",
        Code(excerpt.name),
    ]
    return Paragraph(tuple(caption), "source-of"), Literal(excerpt.text, marked=(excerpt.key,))


def source_page(file: str, text: str, rules: tuple[Rule, ...], catalogue: Catalogue) -> Page:
    """A rule file as it is, cut at its rules, so that each can be linked to."""
    lines = text.splitlines()
    starts = [_start(lines, rule.location.line) for rule in rules]
    blocks: list[Block] = [Literal("\n".join(lines[: starts[0]]).strip("\n"), "toml")] if starts and any(lines[: starts[0]]) else []
    for rule, start, end in zip(rules, starts, [*starts[1:], len(lines)], strict=True):
        cause = catalogue.knowledge.causes.get(rule.cause or "")
        of: tuple[Inline, ...] = (" · ", cause_link(cause)) if cause else (f" · a wrapper line: the log {rule.marks}",)
        blocks += [
            Anchor(rule_anchor(rule)),
            Paragraph((Code(rule.id), *of), "source-of"),
            Literal("\n".join(lines[start:end]).strip("\n"), "toml"),
        ]
    return Page(f"sources/{file}", f"patterns/{file}.toml", blocks=tuple(blocks), indexed=False)


def _start(lines: list[str], line: int) -> int:
    """The index of a rule's first line, its comment included."""
    index = line - 1
    while index > 0 and lines[index - 1].startswith("#"):
        index -= 1
    return index
