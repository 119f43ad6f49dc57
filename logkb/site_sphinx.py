"""The Sphinx extension that reads staged pages: Markdown through MyST without its power, generated blocks as document nodes.

Whoever writes an article of an overlay must not be able to run a directive, write HTML, or publish a file of this machine. So the
renderer knows no directives and roles, HTML is shown as text, and a link leads to a page of the site, to the web, or nowhere.
"""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from markdown_it.tree import SyntaxTreeNode
from myst_parser.mdit_to_docutils.base import token_line
from myst_parser.mdit_to_docutils.sphinx_ import SphinxRenderer
from myst_parser.parsers.mdit import create_md_parser
from myst_parser.parsers.sphinx_ import MystParser
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound
from sphinx import addnodes
from sphinx.util import logging

from logkb.redact import redact
from logkb.report import safe

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LOGGER = logging.getLogger(__name__)
SUFFIX = ".page"
MANIFEST = "manifest.json"
# MyST's own syntax; what is left is CommonMark with tables.
DISABLED = ("front_matter", "myst_line_comment", "myst_block_break", "myst_target", "myst_role", "footnote_def", "footnote_ref")
SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
OUTSIDE = frozenset({"http", "https", "mailto"})
COMMENT = re.compile(r"<!--.*?-->", re.S)


class PageRenderer(SphinxRenderer):
    """CommonMark and tables -> nodes; every link is resolved against the manifest of staged pages."""

    def render_fence(self, token: SyntaxTreeNode) -> None:
        """Code. A log is masked; `{directive}` is a language that nobody knows, so it is plain text."""
        language = token.info.split()[0] if token.info.split() else "text"
        text = safe(redact(token.content)) if language == "log" else token.content
        self.current_node.append(literal(text.rstrip("\n"), language))

    def render_directive(self, token: SyntaxTreeNode, *_: Any, **__: Any) -> None:
        """There are no directives."""
        self.render_fence(token)

    def render_html_inline(self, token: SyntaxTreeNode) -> None:
        """HTML is text; a comment is nothing."""
        self.current_node.append(nodes.Text(COMMENT.sub("", token.content)))

    def render_html_block(self, token: SyntaxTreeNode) -> None:
        """HTML is text; a comment is nothing."""
        text = COMMENT.sub("", token.content).strip()
        if text:
            self.current_node.append(nodes.paragraph("", text))

    def render_link(self, token: SyntaxTreeNode) -> None:
        """A link to a page, to the web, or to an anchor; a file that the site does not hold keeps its words without a link."""
        href = str(token.attrGet("href") or "")
        scheme = SCHEME.match(href)
        if href.startswith("#"):
            self.render_link_anchor(token, href)
        elif scheme and scheme[1].lower() in OUTSIDE:
            self.render_link_url(token)
        elif scheme or href.startswith("//"):
            self.render_children(token)
        else:
            self._render_relative(token, self.md.normalizeLinkText(href))

    def _render_relative(self, token: SyntaxTreeNode, href: str) -> None:
        path, _, anchor = href.partition("#")
        target = (Path(self.document["source"]).parent / path).resolve()
        page = self.sphinx_env.logkb_manifest["pages"].get(str(target))  # type: ignore[attr-defined]
        if page is not None:
            wrap = addnodes.pending_xref(
                refdomain="doc", reftarget=page, reftargetid=anchor or None, refdoc=self.sphinx_env.docname, reftype="myst",
                refexplicit=True,
            )  # fmt: skip
            self._process_wrap_node(wrap, token, True, ["xref", "myst"], href)
            return
        if not target.exists():
            self._missing(token, f"the link to '{href}' leads nowhere")
        self.render_children(token)

    def render_image(self, token: SyntaxTreeNode) -> None:
        """A staged image, else its description: no page loads anything from outside."""
        address = str(token.attrGet("src") or "")
        words = self.renderInlineAsText(token.children or [])
        target = (Path(self.document["source"]).parent / self.md.normalizeLinkText(address)).resolve()
        staged = self.sphinx_env.logkb_manifest["images"].get(str(target))  # type: ignore[attr-defined]
        if staged is not None:
            self.current_node.append(nodes.image("", uri=f"/{staged}", alt=words))
            return
        scheme = SCHEME.match(address)
        if scheme and scheme[1].lower() in OUTSIDE:
            self.current_node.append(nodes.reference("", words or address, refuri=address))
            return
        self._missing(token, f"there is no image '{address}'")
        self.current_node.append(nodes.Text(words))

    def _missing(self, token: SyntaxTreeNode, what: str) -> None:
        LOGGER.warning(what, location=f"{self.document['source']}:{token_line(token, 1)}")


class PageParser(MystParser):
    """Reads one staged page."""

    supported = ("logkb",)  # type: ignore[misc]

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Fill `document` from the page's JSON."""
        page = json.loads(inputstring)
        environment = document.settings.env
        metadata = environment.metadata[environment.docname]
        metadata["orphan"] = "yes"
        if not page["indexed"]:
            metadata["nosearch"] = "yes"
        document["source"] = page["source"] or document["source"]
        markdown = create_md_parser(environment.myst_config, PageRenderer)
        markdown.options["document"] = document
        markdown.render("\n" * (page["first_line"] - 1) + page["markdown"])
        top = next(document.findall(nodes.section), None)
        if top is None:
            top = nodes.section("", nodes.title("", page["title"]), ids=["top"], names=["top"])
            document += top
        make = _Maker(environment.docname, document)
        lead = [node for block in page["lead"] for node in make.block(block)]
        place = next((index for index, node in enumerate(top) if isinstance(node, nodes.paragraph)), 0)
        for node in reversed(lead):
            top.insert(place + 1, node)
        for block in page["blocks"]:
            top += make.block(block)
        for caption, children in page["children"]:
            top += _navigation(environment.docname, caption, children)


class _Maker:
    """Blocks -> nodes of one document. Text goes into `nodes.Text`, which every writer escapes; only drawings are raw."""

    def __init__(self, docname: str, document: nodes.document) -> None:
        self.folder = posixpath.dirname(docname) or "."
        self.document = document

    def block(self, block: dict[str, Any]) -> list[nodes.Node]:
        found: list[nodes.Node] = getattr(self, f"_{block['kind'].lower()}")(block)
        return found

    def _paragraph(self, block: dict[str, Any]) -> list[nodes.Node]:
        return [nodes.paragraph("", "", *self._inlines(block["inlines"]), classes=block["look"].split())]

    def _items(self, block: dict[str, Any]) -> list[nodes.Node]:
        rows = [nodes.list_item("", *(node for part in item for node in self.block(part))) for item in block["items"]]
        return [nodes.bullet_list("", *rows, classes=block["look"].split())]

    def _table(self, block: dict[str, Any]) -> list[nodes.Node]:
        group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in block["head"]), cols=len(block["head"]))
        group += nodes.thead("", self._row([[title] for title in block["head"]]))
        group += nodes.tbody("", *(self._row(row) for row in block["rows"]))
        return [nodes.table("", group, classes=["colwidths-auto"])]

    def _row(self, cells: list[Any]) -> nodes.row:
        return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *self._inlines(cell))) for cell in cells))

    def _literal(self, block: dict[str, Any]) -> list[nodes.Node]:
        return [literal(safe(block["text"]), block["language"], block["marked"])]

    def _drawing(self, block: dict[str, Any]) -> list[nodes.Node]:
        return [nodes.raw("", block["svg"], format="html")]

    def _anchor(self, block: dict[str, Any]) -> list[nodes.Node]:
        return [nodes.target("", "", ids=[block["name"]])]

    def _part(self, block: dict[str, Any]) -> list[nodes.Node]:
        anchor = block["anchor"]
        while anchor in self.document.ids:
            anchor += "-2"
        part = nodes.section("", nodes.title("", safe(block["title"])), ids=[anchor], names=[anchor])
        self.document.ids[anchor] = part
        for inner in block["blocks"]:
            part += self.block(inner)
        return [part]

    def _inlines(self, inlines: list[Any]) -> list[nodes.Node]:
        return [self._inline(item) for item in inlines]

    def _inline(self, item: Any) -> nodes.Node:
        if isinstance(item, str):
            return nodes.Text(safe(item))
        text = safe(item["text"])
        if item["kind"] == "Code":
            return nodes.literal("", text)
        if item["kind"] == "Strong":
            return nodes.strong("", text)
        address = posixpath.relpath(f"{item['page']}.html", self.folder) if item["page"] else ""
        address += f"#{item['anchor']}" if item["anchor"] else ""
        return nodes.reference("", "", (nodes.literal if item["code"] else nodes.inline)("", text), internal=True, refuri=address)


def literal(text: str, language: str, marked: list[int] | None = None) -> nodes.literal_block:
    """A block of code; a language that Pygments does not know is plain text."""
    try:
        get_lexer_by_name(language)
    except ClassNotFound:
        language = "text"
    arguments = {"hl_lines": marked} if marked else {}
    return nodes.literal_block(text, text, language=language, force=True, highlight_args=arguments, classes=[])


def _navigation(docname: str, caption: str, children: list[tuple[str, str]]) -> nodes.Node:
    tree = addnodes.toctree(
        "", parent=docname, entries=[(title or None, name) for title, name in children],
        includefiles=[name for _, name in children], maxdepth=-1,
        caption=caption or None, glob=False, hidden=True, includehidden=False, numbered=0, titlesonly=True, rawentries=[],
        rawcaption=caption,
    )  # fmt: skip
    return nodes.compound("", tree, classes=["toctree-wrapper"])


def _load_manifest(app: Sphinx) -> None:
    app.env.logkb_manifest = json.loads((Path(app.srcdir) / MANIFEST).read_text(encoding="utf-8"))  # type: ignore[attr-defined]


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx. Another `logkb_code` (a digest of our code) makes it read every page again; another `logkb_navigation`,
    which stands beside every page, makes it write them again.
    """
    app.add_source_suffix(SUFFIX, "logkb")
    app.add_source_parser(PageParser)
    app.add_config_value("logkb_code", "", "env", types=(str,))
    app.add_config_value("logkb_navigation", "", "html", types=(str,))
    app.connect("builder-inited", _load_manifest)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
