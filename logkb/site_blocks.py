"""The site's generated pages as data: text stays text all the way, so that nothing in it can become markup.

A page is an article's or a document's Markdown, with generated blocks after its lead and below its end. It is staged as one JSON
file; the generator's parser turns each block into a node of its document tree, which escapes whatever it writes.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Code:
    """Words of a log, a rule or a shell, inside a sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Words that stand out."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link to another page of the site, or with an empty `page` to an anchor of the same page."""

    text: str
    page: str
    anchor: str = ""
    code: bool = False


Inline = str | Code | Strong | Link
Inlines = tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph; `look` is a class of the stylesheet."""

    inlines: Inlines
    look: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list; each item is a row of blocks. `look` is a class of the stylesheet."""

    items: tuple[tuple[Block, ...], ...]
    look: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a heading row; a cell is one paragraph."""

    head: tuple[str, ...]
    rows: tuple[tuple[Inlines, ...], ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """Lines as they are. `language` is one that Pygments knows, or "text"; `marked` are lines to stand out, counted from 1."""

    text: str
    language: str = "text"
    marked: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Drawing:
    """An SVG image that our own code has drawn, with every text in it escaped there."""

    svg: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place that links lead to."""

    name: str


@dataclass(frozen=True, slots=True)
class Part:
    """A section with a heading; `anchor` is unique on its page."""

    title: str
    anchor: str
    blocks: tuple[Block, ...]


# Groups of pages in the navigation: the group's caption, and for each page a title of its own ("": the page's) and its name.
Children = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
Block = Paragraph | Items | Table | Literal | Drawing | Anchor | Part


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the site.

    `name` is its path without suffix. `markdown` starts on line `first_line` of the file `source`, which warnings name; without
    Markdown the page opens with `title`. `lead` goes below the first paragraph, `blocks` at the end. `children` are the
    pages below this one in the navigation. `indexed` says that the search finds the page.
    """

    name: str
    title: str
    source: str = ""
    first_line: int = 1
    markdown: str = ""
    lead: tuple[Block, ...] = ()
    blocks: tuple[Block, ...] = ()
    children: Children = ()
    indexed: bool = True


def to_json(page: Page) -> str:
    """The page as JSON; every block and inline names its `kind`."""
    return json.dumps(_plain(page), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        named = {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"kind": type(value).__name__, **named}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def links_of(page: Page) -> Iterator[Link]:
    """Every generated link of a page."""
    yield from _links((*page.lead, *page.blocks))


def _links(value: Sequence[Any]) -> Iterator[Link]:
    for item in value:
        if isinstance(item, Link):
            yield item
        elif isinstance(item, tuple):
            yield from _links(item)
        elif dataclasses.is_dataclass(item):
            yield from _links([getattr(item, field.name) for field in dataclasses.fields(item)])


def words(markdown: str) -> Inlines:
    """A sentence of ours in Markdown as inlines: `code` stays code; emphasis and links become their words."""
    import re

    found: list[Inline] = []
    for index, part in enumerate(re.split(r"(?<!`)`([^`]+)`(?!`)", " ".join(markdown.split()))):
        if index % 2:
            found.append(Code(part))
            continue
        text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", part)
        text = re.sub(r"(?<![\w*])[*_]{1,2}(?=\S)|(?<=\S)[*_]{1,2}(?![\w*])", "", text)
        text = re.sub(r"\\([^\w\s])", r"\1", text)
        if text:
            found.append(text)
    return tuple(found)
