"""`logkb site`: the knowledge base and the documents as static pages with a search, which open from disk as they are."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from logkb import __version__, paths
from logkb.errors import KnowledgeError, Location, Problem, UsageError
from logkb.site_blocks import Children, Items, Link, Page, Paragraph, links_of, to_json
from logkb.site_catalogue import Catalogue, read_catalogue
from logkb.site_check import check_site
from logkb.site_indexes import error_page, exit_page, family_pages, tool_page
from logkb.site_pages import cause_page, source_page

ASSETS = paths.PACKAGE / "data" / "site"
IMAGES = frozenset({".png", ".svg", ".jpg", ".jpeg", ".gif", ".webp"})
# Documents of the repository outside docs/ that readers of the site need, and what they are called there.
OUTSIDE = {
    "CONTRIBUTING.md": "project/contributing", "CHANGELOG.md": "project/changelog", "corpus/README.md": "project/corpus",
    "benchmarks/README.md": "project/benchmarks",
}  # fmt: skip
FIND = ("causes/index", "indexes/errors", "indexes/tools", "indexes/exit-codes")
# Where a document's own title is too long, or too short, beside the others.
TITLES = {"reference/cli": "Commands", "reference/json": "JSON report", "accuracy": "Accuracy", "tutorial": "Tutorial"}
MEASURED = ("accuracy", "coverage", "benchmarks")
MARK = ".buildinfo"  # Sphinx leaves it in every folder that it builds


@dataclass(frozen=True, slots=True)
class Site:
    """What was built: the first page, and how many pages there are."""

    index: Path
    pages: int


def build_site(out: Path, overlays: Sequence[Path] = (), *, work: Path | None = None, jobs: int = 1) -> Site:
    """Build the site into the folder `out`, which is made, or must be empty or hold a site.

    `work` keeps what makes the next build quick. Raises `KnowledgeError` with every broken rule, article, link and page, and
    `UsageError` when `out` holds something else or the extra `site` is not installed.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / MARK).is_file())):
        raise UsageError(f"{out}: not empty, and no site; name a new folder")
    with tempfile.TemporaryDirectory(prefix="logkb-site-") as temporary:
        folder = (work or Path(temporary)).resolve()
        catalogue = read_catalogue(overlays)
        pages, files = collect(catalogue)
        problems = [*catalogue.knowledge.problems, *_dangling(pages)]
        if problems:
            raise KnowledgeError(problems)
        _stage(folder / "pages", pages, files)
        warnings = _run_sphinx(folder, out.resolve(), jobs, _shape(pages))
        _remove_stale(out, {f"{page.name}.html" for page in pages})
        problems = [*warnings, *check_site(out)]
        if problems:
            raise KnowledgeError(problems)
    return Site(out / "index.html", len(pages))


def collect(catalogue: Catalogue) -> tuple[list[Page], dict[Path, str]]:
    """All pages, and the names of the repository's files that stand behind them or are images, by their resolved path."""
    files: dict[Path, str] = {}
    for cause in catalogue.causes:
        files[cause.location.path.resolve()] = f"causes/{cause.id}"
    pages = [cause_page(cause, catalogue) for cause in catalogue.causes]
    pages += [*family_pages(catalogue), tool_page(catalogue), exit_page(catalogue), error_page(catalogue)]
    by_file: dict[Path, list[Any]] = {}
    for rules in catalogue.rules.values():
        for rule in rules:
            by_file.setdefault(rule.location.path, []).append(rule)
    for path, name in catalogue.files.items():
        files[path.resolve()] = f"sources/{name}"
        own = tuple(sorted(by_file[path], key=lambda rule: rule.location.line))
        pages.append(source_page(name, path.read_text(encoding="utf-8"), own, catalogue))
    documents = list(_documents(files))
    root = next((page for page in documents if page.name == "index"), Page("index", "logkb: why did this build fail?"))
    rest = [page for page in documents if page.name != "index"]
    pages += [replace(root, lead=_finding(), children=_navigation(rest)), *_with_children(rest)]
    return pages, files


def _documents(files: dict[Path, str]) -> Iterator[Page]:
    """The Markdown documents of the repository; a wheel has none. Notes their files, and the images beside them."""
    root = paths.data_root()
    docs = root / "docs"
    if not (docs / "index.md").is_file():
        return
    named = {root / path: name for path, name in OUTSIDE.items()}
    for path in sorted(docs.rglob("*")):
        inner = path.relative_to(docs)
        if path.suffix == ".md" and inner.parts[0] != "causes":
            named[path] = inner.with_suffix("").as_posix().removesuffix("README") + ("index" if path.stem == "README" else "")
        elif path.suffix.lower() in IMAGES:
            files[path.resolve()] = f"images/{'-'.join(inner.parts)}"
    files.update({path.resolve(): name for path, name in named.items() if path.is_file()})
    files[(docs / "causes").resolve()] = "causes/index"
    files[(root / "README.md").resolve()] = "index"
    for path, name in named.items():
        if path.is_file():
            yield Page(name, path.stem, source=str(path), markdown=path.read_text(encoding="utf-8"))


def _finding() -> tuple[Paragraph | Items, ...]:
    ways = (
        ("by the line that the log shows", "indexes/errors"), ("by tool", "indexes/tools"), ("by exit code", "indexes/exit-codes"),
        ("by family", "causes/index"),
    )  # fmt: skip
    links: list[Any] = ["Find a cause: "]
    for index, (text, page) in enumerate(ways):
        links += [" · " if index else "", Link(text, page)]
    return (Paragraph((*links, ", or search with the field at the side."), "finding"),)


def _navigation(documents: Sequence[Page]) -> Children:
    names = [page.name for page in documents]
    groups = {
        "Find a cause": FIND,
        "Learn": tuple(name for name in names if name == "tutorial" or name.startswith("guide/")),
        "Reference": tuple(name for name in names if name.startswith("reference/")),
        "Measured": tuple(name for name in MEASURED if name in names),
    }
    shown = {name for group in groups.values() for name in group}
    groups["Inside"] = tuple(name for name in names if name not in shown and not re.fullmatch(r"decisions/(?!index).*", name))
    return tuple(
        (caption, tuple((TITLES.get(name, ""), name) for name in sorted(group, key=_order)))
        for caption, group in groups.items()
        if group
    )


def _order(name: str) -> tuple[bool, int, str]:
    return name not in ("tutorial", "design"), FIND.index(name) if name in FIND else 0, name


def _with_children(documents: Sequence[Page]) -> Iterator[Page]:
    for page in documents:
        if page.name == "decisions/index":
            below = tuple(("", other.name) for other in documents if other.name.startswith("decisions/") and other is not page)
            yield replace(page, children=(("", below),))
        else:
            yield page


def _dangling(pages: Sequence[Page]) -> Iterator[Problem]:
    names = {page.name for page in pages}
    for page in pages:
        for link in links_of(page):
            if link.page and link.page not in names:
                where = Location(Path(page.source or page.name))
                yield Problem(where, f"links to '{link.page}', which is no page", "correct the cause that it names")


def _stage(folder: Path, pages: Sequence[Page], files: dict[Path, str]) -> None:
    """Write each page as JSON, only where it changed, so that the generator reads only those again; remove the others."""
    from logkb.site_sphinx import MANIFEST, SUFFIX

    images = {path: name for path, name in files.items() if name.startswith("images/")}
    manifest = {
        "pages": {str(path): name for path, name in files.items() if path not in images},
        "images": {str(path): name for path, name in images.items()},
    }
    wanted = {folder / f"{page.name}{SUFFIX}": to_json(page).encode() for page in pages}
    wanted |= {folder / name: path.read_bytes() for path, name in images.items()}
    wanted[folder / MANIFEST] = json.dumps(manifest, indent=0).encode()
    for path, data in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != data:
            path.write_bytes(data)
    for path in folder.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()


def _run_sphinx(folder: Path, out: Path, jobs: int, navigation: str) -> list[Problem]:
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    stream = io.StringIO()
    with patch_docutils(), docutils_namespace():
        try:
            app = Sphinx(
                folder / "pages", None, out, folder / "doctrees", "html", confoverrides=_settings(navigation), status=None,
                warning=stream, parallel=jobs,
            )  # fmt: skip
            app.build()
        except SphinxError as error:
            raise KnowledgeError([Problem(Location(out), f"the generator failed: {error}", "mend what it names")]) from error
    return [_problem(line) for line in stream.getvalue().splitlines() if line.strip()]


def _shape(pages: Sequence[Page]) -> str:
    """A digest of the navigation: which pages it names, and their titles."""
    children = [page.children for page in pages if page.children]
    named = {name for groups in children for _, group in groups for _, name in group}
    titles = sorted((page.name, page.title, page.markdown.partition("\n")[0]) for page in pages if page.name in named)
    return hashlib.sha256(repr((children, titles)).encode()).hexdigest()


def _problem(line: str) -> Problem:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", line)
    found = re.match(r"(?P<path>[^:]+):(?P<line>\d+): (?:WARNING|ERROR|CRITICAL): (?P<what>.*)", plain)
    if found is None:
        return Problem(Location(Path("site")), plain.strip(), "mend the page that it names")
    return Problem(Location(Path(found["path"]), int(found["line"])), found["what"], "mend the page")


def _settings(navigation: str) -> dict[str, Any]:
    from logkb.site_sphinx import DISABLED

    code = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(paths.PACKAGE.glob("site*.py")))).hexdigest()
    icon = str(ASSETS / "static" / "icon.svg")
    return {
        "project": "logkb", "version": __version__, "release": __version__, "language": "en", "root_doc": "index",
        "extensions": ["myst_parser", "logkb.site_sphinx"], "logkb_code": code, "logkb_navigation": navigation,
        "nitpicky": True, "smartquotes": False,
        "myst_disable_syntax": list(DISABLED), "myst_heading_anchors": 6,
        "html_theme": "furo", "html_title": "logkb", "html_favicon": icon, "html_logo": icon,
        "html_static_path": [str(ASSETS / "static")], "templates_path": [str(ASSETS / "templates")],
        "html_css_files": ["logkb.css"], "html_js_files": ["from-disk.js"],
        "html_use_index": False, "html_domain_indices": False, "html_copy_source": False, "html_show_sourcelink": False,
        "html_show_copyright": False, "html_last_updated_fmt": None,
    }  # fmt: skip


def _remove_stale(out: Path, wanted: set[str]) -> None:
    """Remove the pages of an earlier build that this one does not have."""
    for path in out.rglob("*.html"):
        inner = path.relative_to(out)
        if inner.parts[0] != "_static" and inner.as_posix() not in wanted | {"search.html"}:
            path.unlink()
