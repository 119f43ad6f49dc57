"""`docs/causes/*.md` -> causes and their articles. Front matter by PyYAML, the body by markdown-it; all mistakes collected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from logkb.errors import Location, Problem
from logkb.records import Cause, Explanation

HEADINGS = (
    "What the log shows",
    "Why it happens",
    "Fix",
    "What does not help",
    "How to confirm",
    "Prevent",
    "References",
)
REQUIRED = ("family", "tags", "retryable", "reviewed", "review_every")
# What a step may warn of, as `> **Warning: deletes data.** …`.
DANGERS = ("deletes data", "weakens security")
MAX_FIXES = 4
MAX_FIX = 160


@dataclass(frozen=True, slots=True)
class Section:
    """One `##` part of an article: its Markdown, and the line that it starts on."""

    heading: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Article:
    """A cause's page: its head, the lead below the title, its sections, and the log of "What the log shows"."""

    cause: Cause
    lead: str
    sections: tuple[Section, ...]
    example: str
    example_line: int
    markdown: str

    def section(self, heading: str) -> Section | None:
        """The section with this heading, or None."""
        return next((section for section in self.sections if section.heading == heading), None)


@dataclass(frozen=True, slots=True)
class ArticleFile:
    """What one file gave: an article, or the reasons why not."""

    article: Article | None
    problems: tuple[Problem, ...]


def load_articles(paths: Iterable[Path]) -> tuple[tuple[Article, ...], tuple[Problem, ...]]:
    """Read all files, in order; every problem of every file comes back."""
    loaded = [load_article(path) for path in paths]
    articles = tuple(item.article for item in loaded if item.article is not None)
    return articles, tuple(problem for item in loaded for problem in item.problems)


def load_article(path: Path) -> ArticleFile:
    """Read one article. The cause's id is the file's name without `.md`."""
    problems: list[Problem] = []

    def wrong(line: int, what: str, mend: str) -> None:
        problems.append(Problem(Location(path, line), what, mend, path.stem))

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        wrong(1, f"cannot be read ({error})", "mend or remove the file")
        return ArticleFile(None, tuple(problems))
    head, body, body_line = _split(text)
    if head is None:
        wrong(1, "has no front matter", "start the file with ---, the keys, and --- again")
        return ArticleFile(None, tuple(problems))
    front = _front_matter(head, wrong)
    title, lead, sections = _sections(body, body_line)
    if not title:
        wrong(body_line, "has no title", "write '# Title' below the front matter")
    _check_headings(sections, wrong)
    example, example_line = _example(sections, wrong)
    if front is None:
        return ArticleFile(None, tuple(problems))
    explanations = _explanations(path.stem, front, wrong)
    _check_front(front, wrong)
    fix = next((section for section in sections if section.heading == "Fix"), None)
    fixes = _first_sentences(fix.text) if fix else ()
    if fix and not fixes:
        wrong(fix.line, "'Fix' has no numbered steps", "write '1. **First sentence.** details'")
    confirm = next((section for section in sections if section.heading == "How to confirm"), None)
    if problems:
        return ArticleFile(None, tuple(problems))
    cause = Cause(
        id=path.stem, title=title, family=str(front["family"]), tags=tuple(str(tag) for tag in front["tags"]),
        retryable=front["retryable"], explained_by=explanations, fixes=fixes[:MAX_FIXES],
        confirm=_confirmation(confirm.text) if confirm else "", reviewed=str(front["reviewed"]),
        review_every=front["review_every"], location=Location(path),
    )  # fmt: skip
    return ArticleFile(Article(cause, lead, sections, example, example_line, body), ())


def _split(text: str) -> tuple[str | None, str, int]:
    found = re.match(r"---\n(.*?)^---\n", text, re.S | re.M)
    if found is None:
        return None, text, 1
    return found[1], text[found.end() :], text[: found.end()].count("\n") + 1


def _front_matter(head: str, wrong: Any) -> Mapping[str, Any] | None:
    import yaml

    try:
        front = yaml.safe_load(head)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        wrong((mark.line + 2) if mark else 1, f"the front matter is not valid YAML ({getattr(error, 'problem', error)})", "mend it")
        return None
    if not isinstance(front, dict):
        wrong(1, "the front matter is not a list of keys", "write 'key: value' lines")
        return None
    missing = [key for key in REQUIRED if key not in front]
    for key in missing:
        wrong(1, f"the front matter lacks '{key}'", f"add '{key}:'")
    for key in sorted(set(front) - {*REQUIRED, "explained_by"}):
        wrong(1, f"the front matter has an unknown key '{key}'", f"known keys: {', '.join((*REQUIRED, 'explained_by'))}")
    return None if missing else front


def _check_front(front: Mapping[str, Any], wrong: Any) -> None:
    if not isinstance(front["family"], str) or not front["family"]:
        wrong(1, "'family' is not a word", "write the family that the article belongs to")
    if not isinstance(front["tags"], list) or not all(isinstance(tag, str) for tag in front["tags"]):
        wrong(1, "'tags' is not a list of words", "write tags: [one, two]")
    if not isinstance(front["retryable"], bool):
        wrong(1, "'retryable' is neither true nor false", "write retryable: false")
    if not isinstance(front["reviewed"], date):
        wrong(1, "'reviewed' is not a date", "write it as 2026-11-21")
    if not isinstance(front["review_every"], int) or isinstance(front["review_every"], bool) or front["review_every"] < 1:
        wrong(1, "'review_every' is not a number of days", "write review_every: 180")


def _explanations(identifier: str, front: Mapping[str, Any], wrong: Any) -> tuple[Explanation, ...]:
    value = front.get("explained_by") or {}
    if not isinstance(value, dict):
        wrong(1, "'explained_by' is not a list of causes", 'write explained_by:\n  disk-full: {share: 0.6, check: "df -h"}')
        return ()
    found = []
    for cause, entry in value.items():
        share = entry.get("share") if isinstance(entry, dict) else None
        check = entry.get("check") if isinstance(entry, dict) else None
        if not isinstance(share, int | float) or not 0 < share < 1 or not isinstance(check, str) or not check:
            wrong(1, f"explained_by '{cause}' lacks a share between 0 and 1 or a check", 'write {share: 0.6, check: "df -h"}')
            continue
        if cause == identifier:
            wrong(1, "explained_by names the article itself", "remove it")
            continue
        found.append(Explanation(str(cause), float(share), check))
    if sum(item.share for item in found) >= 1:
        wrong(1, "the shares of explained_by add up to 1 or more", "leave room for the cause itself")
    return tuple(sorted(found, key=lambda item: -item.share))


def _sections(body: str, body_line: int) -> tuple[str, str, tuple[Section, ...]]:
    from markdown_it import MarkdownIt

    lines = body.splitlines(keepends=True)
    tokens = MarkdownIt("commonmark").parse(body)
    heads: list[tuple[int, int, int, str]] = []
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.tag in ("h1", "h2") and token.map and token.level == 0:
            heads.append((token.map[0], token.map[1], int(token.tag[1]), inline.content.strip()))
    title, lead, sections = "", "", []
    for index, (start, stop, level, name) in enumerate(heads):
        end = heads[index + 1][0] if index + 1 < len(heads) else len(lines)
        text = "".join(lines[stop:end]).strip("\n")
        if level == 1 and not title:
            title, lead = name, text.strip()
        else:
            sections.append(Section(name, text, body_line + start))
    return title, lead, tuple(sections)


def _check_headings(sections: tuple[Section, ...], wrong: Any) -> None:
    names = tuple(section.heading for section in sections)
    if names == HEADINGS:
        for section in sections:
            if not section.text.strip():
                wrong(section.line, f"'{section.heading}' is empty", "fill it")
        return
    for name in HEADINGS:
        if name not in names:
            wrong(1, f"the heading '## {name}' is missing", f"add it; the order is: {', '.join(HEADINGS)}")
    for section in sections:
        if section.heading not in HEADINGS:
            wrong(section.line, f"unknown heading '{section.heading}'", f"the headings are: {', '.join(HEADINGS)}")
    if sorted(names) == sorted(HEADINGS):
        wrong(sections[0].line, "the headings are out of order", f"the order is: {', '.join(HEADINGS)}")


def _example(sections: tuple[Section, ...], wrong: Any) -> tuple[str, int]:
    from markdown_it import MarkdownIt

    shown = next((section for section in sections if section.heading == "What the log shows"), None)
    if shown is None:
        return "", 0
    for token in MarkdownIt("commonmark").parse(shown.text):
        if token.type == "fence" and token.info.strip() == "log":
            return token.content, shown.line + 1 + (token.map[0] if token.map else 0)
    wrong(shown.line, "'What the log shows' has no ```log block", "add the lines that the tool prints; they are a test")
    return "", 0


def _first_sentences(text: str) -> tuple[str, ...]:
    """The lead of each step; what its warning says comes with it, because reports show the lead alone."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").parse(text)
    found = []
    for index, token in enumerate(tokens):
        if token.type == "list_item_open" and token.level == 1 and token.markup in (".", ")"):
            end = next(place for place, item in enumerate(tokens) if place > index and item.level == 1 and item.nesting < 0)
            paragraphs = [item.content for item in tokens[index:end] if item.type == "inline"]
            if paragraphs:
                dangers = [danger for danger in DANGERS if any(f"**Warning: {danger}" in text for text in paragraphs)]
                found.append(first_sentence(paragraphs[0]) + (f" ({' and '.join(dangers)})" if dangers else ""))
    return tuple(found)


def first_sentence(markdown: str) -> str:
    """The bold lead of a paragraph, else its first sentence, without emphasis marks; inline code keeps its backticks."""
    text = " ".join(markdown.split())
    # Neither asterisks nor stops count inside code, and no sentence ends inside brackets.
    masked = re.sub(r"`[^`]*`", lambda code: "x" * len(code[0]), text)
    lead = re.match(r"\*\*(.+?)\*\*", masked)
    if lead:
        text = text[lead.start(1) : lead.end(1)]
    else:
        masked = re.sub(r"\([^()]*\)", lambda aside: "x" * len(aside[0]), masked)
        stop = re.search(r"[.:;](?:\s|$)", masked)
        text = text[: stop.start()] if stop else text
    for mark in (r"(?<!\w)[*_]{1,2}([^*_`]+)[*_]{1,2}(?!\w)", r"\[([^\]]+)\]\([^)]*\)"):
        text = re.sub(rf"(`[^`]*`)|{mark}", lambda found: found[1] or found[2], text)
    text = text.rstrip(".:; ")
    return text if len(text) <= MAX_FIX else _cut(text)


def _cut(text: str) -> str:
    text = text[: MAX_FIX - 1]
    # Half a command is worse than none.
    if text.count("`") % 2:
        text = text[: text.rindex("`")]
    return text.rstrip() + "…"


def _confirmation(text: str) -> str:
    """The first sentence with the first command; a sentence below its command continues it ("`mvn verify` prints …")."""
    from markdown_it import MarkdownIt

    sentence = command = ""
    command_first = False
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "inline" and not sentence:
            sentence = first_sentence(token.content)
        if token.type == "fence" and not command:
            lines = [line for line in token.content.splitlines() if line.strip() and not line.lstrip().startswith("#")]
            command = lines[0].strip() if lines else ""
            command_first = not sentence
    if command and sentence and command_first:
        return f"`{command}` {sentence}"
    if command and "`" not in sentence:
        sentence = f"{sentence}: `{command}`" if sentence else f"`{command}`"
    return sentence
