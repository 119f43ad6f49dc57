"""Articles -> HTML. An overlay's article is anybody's text: no raw HTML, no image, links to the web or to other articles only."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from logkb.report import safe

_CODE = re.compile(r"(`+)(.+?)\1", re.S)
_NAME = re.compile(r"(?:\./)?([A-Za-z0-9_-]+)\.md(#[\w-]*)?")


def _allowed(url: str) -> bool:
    return urlsplit(url).scheme in ("http", "https", "") and not url.startswith(("//", "\\"))


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable("image")
    parser.validateLink = _allowed  # type: ignore[method-assign]
    return parser


_PARSER = _parser()


def article_html(markdown: str, *, drop_title: bool = True) -> Markup:
    """An article's Markdown as HTML, its headings with anchors. Raises nothing: what is not Markdown is text."""
    try:
        tokens = _PARSER.parse(safe(markdown))
    except ValueError:
        return Markup("<pre>{}</pre>").format(safe(markdown))
    if drop_title and tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        tokens = tokens[3:]
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and following is not None:
            token.attrSet("id", anchor(following.content))
        for child in token.children or ():
            if child.type == "link_open":
                target = str(child.attrGet("href") or "")
                if found := _NAME.fullmatch(target):
                    child.attrSet("href", f"/causes/{found[1]}{found[2] or ''}")
                elif urlsplit(target).scheme:
                    child.attrSet("rel", "noopener noreferrer")
    # markdown-it escapes all text, and raw HTML is off.
    return Markup(_PARSER.renderer.render(tokens, _PARSER.options, {}))


def anchor(heading: str) -> str:
    """The id of a heading."""
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


def inline_html(text: str) -> Markup:
    """One of our sentences: `code` becomes code, everything else is text."""
    text = safe(text)
    parts, position = [], 0
    for found in _CODE.finditer(text):
        parts += [escape(text[position : found.start()]), Markup("<code>{}</code>").format(found[2].strip())]
        position = found.end()
    return Markup("").join([*parts, escape(text[position:])])
