"""Walk a built site as a browser would: every link, anchor and asset leads somewhere inside the folder, every page is whole."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from logkb.errors import Location, Problem

# What a page loads by itself, as against what a reader may follow.
LOADED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "object": "data",
    "embed": "src",
}
HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?", re.I)
STYLE_URL = re.compile(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)", re.I)


@dataclass(slots=True)
class _Facts:
    """What the checks need to know of one page."""

    ids: Counter[str] = field(default_factory=Counter)
    links: list[tuple[int, str]] = field(default_factory=list)
    loads: list[tuple[int, str]] = field(default_factory=list)
    handlers: list[tuple[int, str]] = field(default_factory=list)
    headings: int = 0
    language: str = ""
    title: str = ""
    unnamed: list[int] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.facts = _Facts()
        self.in_title = False
        self.in_svg = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        line = self.getpos()[0]
        facts = self.facts
        if "id" in values:
            facts.ids[values["id"]] += 1
        if tag == "html":
            facts.language = values.get("lang", "")
        elif tag == "h1":
            facts.headings += 1
        elif tag == "title" and not self.in_svg:
            self.in_title = True
        elif tag == "svg":
            self.in_svg += 1
        elif tag == "a" and "href" in values:
            facts.links.append((line, values["href"]))
        elif tag == "use" and "href" in values:
            facts.links.append((line, values["href"]))
        elif tag == "link" and values.get("rel") in ("stylesheet", "icon", "preload", "modulepreload", "manifest"):
            facts.loads.append((line, values.get("href", "")))
        elif tag == "link" and "href" in values:
            facts.links.append((line, values["href"]))
        if tag in LOADED and LOADED[tag] in values:
            facts.loads.append((line, values[LOADED[tag]]))
        if "srcset" in values:
            facts.loads += [(line, part.split()[0]) for part in values["srcset"].split(",") if part.strip()]
        if "style" in values:
            facts.loads += [(line, address) for address in _addresses(values["style"])]
        if tag == "img" and "alt" not in values:
            facts.unnamed.append(line)
        facts.handlers += [(line, name) for name in values if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self.in_title = False
        elif tag == "svg":
            self.in_svg -= 1

    def handle_data(self, data: str) -> None:
        if self.in_title:
            self.facts.title += data


def check_site(folder: Path) -> list[Problem]:
    """All that is wrong with a built site, by page. External links are only checked for their form."""
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    pages = {name: _read(path) for name, path in files.items() if name.endswith(".html") and not name.startswith("_static/")}
    if not pages:
        return [Problem(Location(folder), "holds no page", "build the site first")]
    walk = _Walk(folder, files, pages)
    problems = [problem for name, facts in pages.items() for problem in walk.page(name, facts)]
    for name, path in files.items():
        if name.endswith(".css"):
            for address in _addresses(path.read_text(encoding="utf-8", errors="replace")):
                problems += walk.loaded(name, 1, address)
    return problems


def _read(path: Path) -> _Facts:
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    return reader.facts


def _addresses(style: str) -> list[str]:
    return [one or other for one, other in STYLE_URL.findall(style)]


@dataclass(frozen=True, slots=True)
class _Walk:
    """The files and pages of one site, by their path inside it."""

    folder: Path
    files: Mapping[str, Path]
    pages: Mapping[str, _Facts]

    def wrong(self, name: str, line: int, what: str, mend: str) -> Problem:
        return Problem(Location(self.folder / name, line), what, mend)

    def page(self, name: str, facts: _Facts) -> Iterator[Problem]:
        if not facts.title.strip():
            yield self.wrong(name, 1, "has no title", "give the page a heading")
        if not facts.language:
            yield self.wrong(name, 1, "does not say its language", "set lang on <html>")
        if facts.headings != 1:
            yield self.wrong(name, 1, f"has {facts.headings} first-level headings", "keep one '# Title'")
        for anchor in sorted(anchor for anchor, count in facts.ids.items() if count > 1):
            yield self.wrong(name, 1, f"has the id '{anchor}' more than once", "rename one of them")
        for line in facts.unnamed:
            yield self.wrong(name, line, "has an image without a text alternative", "describe it: ![what it shows](file)")
        for line, handler in facts.handlers:
            yield self.wrong(name, line, f"has the inline script {handler}", "remove it")
        for line, address in facts.loads:
            yield from self.loaded(name, line, address)
        for line, address in facts.links:
            yield from self.link(name, line, address)

    def loaded(self, name: str, line: int, address: str) -> Iterator[Problem]:
        """What a page or a style sheet loads by itself must lie in the site."""
        parts = urlsplit(address)
        if parts.scheme == "data" or not (parts.scheme or parts.netloc or parts.path):
            return
        if parts.scheme or parts.netloc:
            yield self.wrong(name, line, f"loads '{address}' from outside", "put the file into the site")
        elif self.inside(name, parts.path) not in self.files:
            yield self.wrong(name, line, f"loads '{address}', which is not there", "put the file into the site")

    def link(self, name: str, line: int, address: str) -> Iterator[Problem]:
        """A link to a page and its anchor, or an address of the right form."""
        parts = urlsplit(address)
        if parts.scheme in ("http", "https"):
            if not HOST.fullmatch(parts.netloc):
                yield self.wrong(name, line, f"'{address}' is no address", "correct it")
            return
        if parts.scheme == "mailto":
            return
        if parts.scheme or parts.netloc:
            yield self.wrong(name, line, f"links to '{address}'", "link to a page, or to http and https")
            return
        target = self.inside(name, parts.path) if parts.path else name
        if target not in self.files:
            yield self.wrong(name, line, f"links to '{address}', which is not there", "correct the link")
        elif parts.fragment and target in self.pages and unquote(parts.fragment) not in self.pages[target].ids:
            yield self.wrong(name, line, f"links to '{address}': the page has no such place", "correct the anchor")

    @staticmethod
    def inside(name: str, path: str) -> str:
        """The path inside the site that a link on `name` leads to; it starts with `..` when it leaves the site."""
        return posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(path)))
