"""The site: pages from one knowledge base, text that stays text, a strict build, links that lead somewhere, and a browser on it."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from logkb import paths
from logkb.articles import HEADINGS
from logkb.errors import KnowledgeError, UsageError
from logkb.site_blocks import Code, words
from logkb.site_check import check_site
from logkb.site_graph import Vertex, draw
from tests.conftest import rule_text

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from logkb.site import Site

site = pytest.importorskip("logkb.site")

# The generator's own libraries warn one another.
pytestmark = [
    pytest.mark.filterwarnings(r"ignore:.*Check CHANGES for Sphinx API modifications:DeprecationWarning"),
    pytest.mark.filterwarnings(r"ignore:.*Check CHANGES for Sphinx API modifications:PendingDeprecationWarning"),
]
HOSTILE = "<script>window.owned = 1</script><img src=x onerror=alert(1)> ```{raw} html"
SECRET = "ghp_" + "a1B2" * 9
HOSTILE_BODY = """\
Before <b onclick="x()">bold</b> and {raw}`<i>x</i>` and {{ version }}.

```{raw} html
<script>window.owned = 2</script>
```

```{include} /etc/hostname
```

<div id="evil"><iframe src="https://evil.example.org"></iframe></div>

% a comment of MyST
(evil-target)=

![a picture](https://evil.example.org/x.png) [run](javascript:alert(1)) [file](path:/etc/hostname) [out](../secret.txt)
"""


def article(title: str, *, family: str = "house", explained: str = "", tags: str = "[demo]", shows: str = "It says so.") -> str:
    front = f"---\nfamily: {family}\ntags: {tags}\nretryable: false\n{explained}reviewed: 2026-11-21\nreview_every: 180\n---\n"
    parts = []
    for heading in HEADINGS:
        body = {
            "What the log shows": f"{shows}\n\n```log\ntool: failed alpha, token {SECRET}\nends with exit code 137\n```",
            "Fix": "1. **Do `this` first.** Then look.",
            "Why it happens": "The command ends with status 124 when `timeout` is over.",
        }.get(heading, "- Something.")
        parts.append(f"## {heading}\n\n{body}\n")
    return f"{front}# {title}\n\nThe lead of {title}. More.\n\n" + "\n".join(parts)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small repository: three causes, one of them behind the others, documents, and a recorded log."""
    top = tmp_path_factory.mktemp("repository")
    (top / "patterns" / "host").mkdir(parents=True)
    (top / "docs" / "causes").mkdir(parents=True)
    (top / "docs" / "guide").mkdir()
    (top / "corpus" / "disk-full").mkdir(parents=True)
    rules = [
        rule_text(
            id="tool-failed", cause="disk-full", should_match=[{"line": "tool: failed alpha", "captures": {"what": "alpha"}}]
        ),
        rule_text(id="tool-died", cause="io-error", should_match=[{"line": "tool: failed beta"}]),
        rule_text(id="other-wrapper", cause=None, marks="failed", should_match=[{"line": "tool: failed gamma"}]),
    ]
    (top / "patterns" / "host" / "tool.toml").write_text("# A comment of the file.\n\n" + "\n".join(rules), encoding="utf-8")
    behind = 'explained_by:\n  disk-full: {share: 0.4, check: "df -h /"}\n'
    for name, title, explained in (
        ("disk-full", "The disk is full", ""),
        ("io-error", "Reads fail at the device", behind),
        ("signature", "The signature is wrong", behind),
    ):
        (top / "docs" / "causes" / f"{name}.md").write_text(article(title, explained=explained), encoding="utf-8")
    (top / "docs" / "index.md").write_text(
        "# logkb\n\nThe front page.\n\n- [Guide](guide/use.md#the-end)\n- [Causes](causes/)\n- [One](causes/disk-full.md#fix)\n"
        "- [Rules](../patterns/host/tool.toml) and [a file](../LICENSE)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
        encoding="utf-8",
    )
    (top / "docs" / "guide" / "use.md").write_text(
        "# Use it\n\n<!-- nothing -->\nWords.\n\n## The end\n\n![A plot](../plot.png)\n", encoding="utf-8"
    )
    (top / "docs" / "plot.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (top / "docs" / "accuracy.md").write_text(
        "# Accuracy\n\n| is | was taken for | logs |\n|---|---|---|\n| io-error | signature | 3 |\n", encoding="utf-8"
    )
    (top / "LICENSE").write_text("MIT", encoding="utf-8")
    (top / "corpus" / "disk-full" / "one.log").write_bytes(
        b"line one\nline two\n\x1b[31mtool: failed <b>alpha</b>\x1b[0m Authorization: Bearer abcdefgh12345678\nline four\n"
    )
    (top / "corpus" / "disk-full" / "one.toml").write_text(
        'cause = "disk-full"\ntool = "tool"\ntool_version = "tool 1.2"\nexit_status = 2\nkey_line = 3\n', encoding="utf-8"
    )
    return top


@pytest.fixture
def _rooted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "data_root", lambda: root)


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder whose every text tries to become markup."""
    folder = tmp_path_factory.mktemp("overlay")
    (folder / "patterns").mkdir()
    (folder / "causes").mkdir()
    (folder / "secret.txt").write_text("private", encoding="utf-8")
    line = f"tool: failed {HOSTILE} password=hunter2hunter2"
    rule = rule_text(
        id="evil-rule", cause="evil", message=f"{{what}} {HOSTILE}".replace("{raw}", "{{raw}}"), should_match=[{"line": line}]
    )
    (folder / "patterns" / "evil.toml").write_text(rule, encoding="utf-8")
    text = article(f"Evil {HOSTILE}", tags="['<u>tag</u>']").replace("It says so.", HOSTILE_BODY)
    (folder / "causes" / "evil.md").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def built(root: Path, overlay: Path, cache_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The small repository's site with the hostile overlay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "data_root", lambda: root)
        patch.setenv("LOGKB_CACHE_DIR", str(cache_folder))
        found: Site = site.build_site(tmp_path_factory.mktemp("built") / "site", (overlay,))
        return found


def page(built: Site, name: str) -> str:
    return (built.index.parent / f"{name}.html").read_text(encoding="utf-8")


def text_of(html: str) -> str:
    """What a reader sees of a page's article, white space collapsed."""

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.words: list[str] = []

        def handle_data(self, data: str) -> None:
            self.words.append(data)

    reader = Reader()
    reader.feed(html.partition("<article")[2].partition("</article>")[0])
    return " ".join("".join(reader.words).split())


def test_a_cause_s_page_has_article_graph_neighbours_rules_and_examples(built: Site) -> None:
    text = text_of(page(built, "causes/disk-full"))
    for wanted in (
        *HEADINGS,
        "Easily confused with",
        "Rules",
        "Examples",
        "Reads fail at the device",
        "df -h /",
        "tool 1.2",
        "exit status 2",
    ):
        assert wanted in text, wanted
    assert "patterns/host/tool.toml:3" in text
    assert 'href="../sources/host/tool.html#rule-tool-failed"' in page(built, "causes/disk-full")
    assert "40%" in text
    assert "alpha failed" in text, "the message is filled in from the sample"


def test_measured_confusions_make_neighbours(built: Site) -> None:
    assert "taken for one another in measured logs" in text_of(page(built, "causes/io-error"))
    assert "taken for one another in measured logs" not in text_of(page(built, "causes/disk-full"))


def test_the_indexes_lead_to_the_causes(built: Site) -> None:
    errors = page(built, "indexes/errors")
    assert "tool: failed alpha" in text_of(errors)
    assert 'href="../causes/disk-full.html"' in errors
    assert "tool: failed gamma" not in text_of(errors), "a wrapper line names no cause"
    codes = page(built, "indexes/exit-codes")
    assert {"exit-137", "exit-124"} <= set(re.findall(r'id="([^"]+)"', codes))
    assert "is over" in text_of(codes)
    assert 'href="../sources/host/tool.html"' in page(built, "indexes/tools")
    assert 'href="../causes/io-error.html"' in page(built, "families/house")


def test_documents_are_pages_and_their_links_work(built: Site) -> None:
    front = page(built, "index")
    for link in ("guide/use.html#the-end", "causes/index.html", "causes/disk-full.html#fix", "sources/host/tool.html"):
        assert f'href="{link}"' in front, link
    assert "LICENSE" not in front, "a file that is no page keeps its words and loses its link"
    assert "nothing" not in text_of(page(built, "guide/use")), "comments are not shown"


def test_every_page_passes_the_link_check(built: Site) -> None:
    assert check_site(built.index.parent) == []


def test_text_never_becomes_markup(built: Site) -> None:
    for path in sorted(built.index.parent.rglob("*.html")):
        html = path.read_text(encoding="utf-8")
        for markup in (
            "<script>window",
            "<img src=x",
            "<iframe",
            "<b onclick",
            'id="evil"',
            "<u>tag",
            "<b>alpha",
            '="javascript:',
            '/etc/hostname"',
        ):
            assert markup not in html, (path.name, markup)
    text = text_of(page(built, "causes/evil"))
    for shown in (
        "<script>window.owned = 1</script>",
        "<script>window.owned = 2</script>",
        '<b onclick="x()">',
        "{{ version }}",
        "<u>tag</u>",
    ):
        assert shown in text, shown
    assert not (built.index.parent / "_downloads").exists(), "no file of this machine is published"
    assert "owned = 1" not in re.sub(r'"[^"]*"', "", (built.index.parent / "searchindex.js").read_text(encoding="utf-8"))


def test_secrets_of_logs_and_samples_are_masked(built: Site) -> None:
    for path in built.index.parent.rglob("*.html"):
        if "sources" in path.parts:
            continue  # a rule file is shown as it stands in the repository
        html = path.read_text(encoding="utf-8")
        for secret in (SECRET, "hunter2hunter2", "abcdefgh12345678"):
            assert secret not in html, (path.name, secret)


def test_control_codes_of_a_log_are_gone(built: Site) -> None:
    assert "\x1b" not in page(built, "causes/disk-full")


@pytest.mark.usefixtures("_rooted")
@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("docs/guide/use.md", "# Use it\n\n[gone](nowhere.md)\n", "nowhere.md"),
        ("docs/guide/use.md", "# Use it\n\n[gone](../index.md#no-such-place)\n", "no-such-place"),
        ("docs/guide/use.md", "# Use it\n\n![gone](nowhere.png)\n", "nowhere.png"),
        ("docs/causes/io-error.md", "no front matter", "has no front matter"),
    ],
)
def test_a_dangling_link_fails_the_build(
    name: str, text: str, said: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "repository"
    shutil.copytree(root, copy)
    (copy / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(paths, "data_root", lambda: copy)
    with pytest.raises(KnowledgeError) as failed:
        site.build_site(tmp_path / "site")
    assert said in str(failed.value)
    assert name in str(failed.value), "the message names the file that a person edits"


@pytest.mark.usefixtures("_rooted")
def test_a_folder_with_something_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "precious.html").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="not empty, and no site"):
        site.build_site(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.html"]


@pytest.mark.usefixtures("_rooted")
def test_a_second_build_writes_only_what_changed_and_removes_what_is_gone(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "repository"
    shutil.copytree(root, copy)
    monkeypatch.setattr(paths, "data_root", lambda: copy)
    out, work = tmp_path / "site", tmp_path / "work"
    site.build_site(out, work=work)
    before = (out / "causes" / "disk-full.html").stat().st_mtime_ns
    (copy / "docs" / "causes" / "signature.md").unlink()
    (copy / "docs" / "accuracy.md").unlink()
    (copy / "docs" / "guide" / "use.md").write_text("# Use it\n\nOther words.\n\n## The end\n\nx\n", encoding="utf-8")
    site.build_site(out, work=work)
    assert "Other words." in page_at(out, "guide/use")
    assert not (out / "causes" / "signature.html").exists()
    assert not (out / "accuracy.html").exists()
    assert "The signature is wrong" not in page_at(out, "causes/disk-full")
    assert (out / "causes" / "disk-full.html").stat().st_mtime_ns > before
    again = (out / "causes" / "disk-full.html").stat().st_mtime_ns
    site.build_site(out, work=work)
    assert (out / "causes" / "disk-full.html").stat().st_mtime_ns == again


def test_a_knowledge_base_without_documents_is_a_site_too(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "package"
    shutil.copytree(root / "patterns", copy / "patterns")
    shutil.copytree(root / "docs" / "causes", copy / "docs" / "causes")
    monkeypatch.setattr(paths, "data_root", lambda: copy)
    built = site.build_site(tmp_path / "site")
    assert 'href="causes/index.html"' in built.index.read_text(encoding="utf-8")
    assert "Examples" not in page_at(tmp_path / "site", "causes/disk-full")


def page_at(out: Path, name: str) -> str:
    return (out / f"{name}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ('<a href="gone.html">x</a>', "which is not there"),
        ('<a href="../../outside.html">x</a>', "which is not there"),
        ('<a href="index.html#gone">x</a>', "has no such place"),
        ('<a href="#gone">x</a>', "has no such place"),
        ('<a href="https://">x</a>', "is no address"),
        ('<a href="ftp://example.org">x</a>', "link to a page"),
        ('<script src="https://example.org/x.js"></script>', "from outside"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "from outside"),
        ('<img src="gone.png" alt="x">', "which is not there"),
        ('<img src="icon.svg">', "without a text alternative"),
        ('<p style="background: url(https://example.org/x.png)">x</p>', "from outside"),
        ('<p onclick="x()">x</p>', "inline script"),
        ('<p id="a"></p><p id="a"></p>', "more than once"),
        ("<h1>Second</h1>", "2 first-level headings"),
    ],
)
def test_the_link_check_sees(html: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "icon.svg").write_text("<svg/>", encoding="utf-8")
    (tmp_path / "index.html").write_text(f'<html lang="en"><title>t</title><h1>One</h1>{html}</html>', encoding="utf-8")
    (problem,) = check_site(tmp_path)
    assert said in str(problem)
    assert "index.html:1" in str(problem)


def test_the_link_check_sees_a_page_without_title_language_and_heading(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<html><p>x</p></html>", encoding="utf-8")
    (tmp_path / "x.css").write_text("@import 'https://example.org/x.css';", encoding="utf-8")
    assert len(check_site(tmp_path)) == 4


def test_an_empty_folder_is_no_site(tmp_path: Path) -> None:
    assert "holds no page" in str(check_site(tmp_path)[0])


def test_the_drawing_escapes_its_texts_and_tells_what_it_shows() -> None:
    svg = draw(Vertex("Middle", ""), [Vertex('<script>"a" & b', "x.html", 0.25)], [Vertex("Shown", 'y.html" onload="x', 0.002)])
    assert "<script>" not in svg
    assert 'onload="x' not in svg.replace("&quot;", "")
    assert "&lt;script&gt;&quot;a&quot; &amp; b (25%)" in svg
    assert svg.count("<svg") == svg.count("</svg>") == 2
    assert "(&lt;1%)" in svg


@pytest.mark.parametrize("vertices", [0, 1, 25])
def test_the_drawing_keeps_every_box_inside(vertices: int) -> None:
    svg = draw(Vertex("Middle", ""), [Vertex(f"Title {n} " * 6, "x.html", 0.1) for n in range(vertices)], [])
    for one in svg.split("<svg")[1:]:
        width, height = (float(part) for part in re.search(r'viewBox="0 0 (\d+) (\d+)"', one).groups())  # type: ignore[union-attr]
        boxes = re.findall(r'<rect x="([\d.-]+)" y="([\d.-]+)" width="(\d+)" height="(\d+)"', one)
        assert len(boxes) == vertices + 1
        for x, y, wide, high in boxes:
            assert 0 <= float(x) <= width - float(wide)
            assert 0 <= float(y) <= height - float(high)


@pytest.mark.parametrize(
    ("markdown", "wanted"),
    [
        ("plain", ("plain",)),
        ("say `a*b*` **now**", ("say ", Code("a*b*"), " now")),
        ("see [the page](x.md) and snake_case_name", ("see the page and snake_case_name",)),
        ("", ()),
    ],
)
def test_sentences_become_words_and_code(markdown: str, wanted: tuple[object, ...]) -> None:
    assert words(markdown) == wanted


@pytest.mark.usefixtures("_rooted")
def test_the_command_builds_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from logkb.site_commands import run_site

    assert run_site(tmp_path / "site", (), None, 1) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'site' / 'index.html'}: ")


def test_without_the_extra_the_command_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from logkb import site_commands

    monkeypatch.setattr(site_commands, "NEEDED", ("no_such_generator",))
    with pytest.raises(UsageError, match=r"pip install 'logkb\[site\]'"):
        site_commands.run_site(tmp_path / "site", (), None, 1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser_from_disk_a_search_leads_to_the_cause(scheme: str, built: Site, chromium: Browser) -> None:
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})  # type: ignore[arg-type]
    errors: list[str] = []
    requests: list[str] = []
    try:
        tab = context.new_page()
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        tab.on("request", lambda request: requests.append(request.url))
        tab.goto(built.index.resolve().as_uri())
        tab.get_by_role("searchbox").or_(tab.locator("input[name=q]")).first.fill("device")
        tab.keyboard.press("Enter")
        tab.locator("#search-results").get_by_role("link", name="Reads fail at the device").first.click()
        tab.wait_for_selector("text=The lead of Reads fail at the device")
        box = tab.locator(".cause-graph svg.wide a.vertex").first
        assert box.is_visible()
        box.click()
        tab.wait_for_selector("text=The lead of The disk is full")
        tab.goto((built.index.parent / "search.html").resolve().as_uri() + "?q=evil")
        tab.locator("#search-results a").first.wait_for()
        assert tab.evaluate("window.owned") is None
    finally:
        context.close()
    assert errors == []
    assert all(address.startswith(("file:", "data:")) for address in requests), requests


def test_in_a_browser_no_page_is_wider_than_a_phone(built: Site, chromium: Browser) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740})
    try:
        tab = context.new_page()
        for name in (
            "index",
            "causes/disk-full",
            "causes/evil",
            "indexes/errors",
            "indexes/exit-codes",
            "indexes/tools",
            "families/house",
        ):
            tab.goto((built.index.parent / f"{name}.html").resolve().as_uri())
            assert tab.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
        tab.goto((built.index.parent / "causes" / "io-error.html").resolve().as_uri())
        assert tab.locator(".cause-graph svg.narrow").is_visible()
        assert not tab.locator(".cause-graph svg.wide").is_visible()
    finally:
        context.close()
