"""The web page in a real browser: what people do with it, and what a hostile log cannot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from logkb.paths import data_root
from logkb.serve_settings import ServeSettings
from logkb.server import create_app
from tests.browser import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LOG = (data_root() / "corpus" / "disk-full" / "full-npm-github.log").read_text(encoding="utf-8")
SHORT = "\n".join([*LOG.splitlines()[:11], *LOG.splitlines()[-200:]]) + "\n"
FULL = "The disk (or Docker's storage) is full"


@pytest.fixture(scope="module")
def address(cache_folder: Path, tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGKB_CACHE_DIR", str(cache_folder))
        with serving(create_app(ServeSettings(history=tmp_path_factory.mktemp("history"), keep_seconds=3600))) as made:
            yield made


@contextmanager
def page_of(chromium: Browser, address: str, **options: Any) -> Iterator[Page]:
    """A page of its own, on which nothing may go wrong: no script error, no breach of the policy, no request outside."""
    context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
    context.set_default_timeout(20_000)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: None if request.url.startswith((address, "data:", "blob:")) else wrong.append(request.url))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.goto(address)
    yield page
    context.close()
    assert wrong == []


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    with page_of(chromium, address) as made:
        yield made


def headline(page: Page) -> str:
    page.wait_for_selector("#headline")
    return page.inner_text("#headline")


def test_a_pasted_log_becomes_a_report(page: Page) -> None:
    page.fill("#text", LOG[-3000:])
    page.click("text=Find out why")
    assert headline(page) == FULL
    assert "almost certain" in page.inner_text(".answer")
    assert page.inner_text(".fix").startswith("Do this first")
    page.wait_for_selector(".ln.proof >> text=ENOSPC")
    page.goto(page.url.split("/reports/")[0])
    assert FULL in page.inner_text("#recent"), "the way back to it"


def test_a_dropped_file_becomes_a_report(page: Page) -> None:
    held = page.evaluate_handle(
        "text => { const held = new DataTransfer(); held.items.add(new File([text], 'dropped.log')); return held; }", LOG[-3000:]
    )
    page.dispatch_event("#drop", "dragenter", {"dataTransfer": held})
    assert "over" in (page.get_attribute("#send", "class") or "")
    page.dispatch_event("#drop", "drop", {"dataTransfer": held})
    assert headline(page) == FULL
    assert "dropped.log" in page.inner_text(".eyebrow")


def test_too_large_and_empty_are_said_without_sending(page: Page) -> None:
    page.click("text=Find out why")
    assert "nothing in it" in page.inner_text("#error")
    page.evaluate("document.getElementById('send').dataset.limit")
    held = page.evaluate_handle(
        "() => { const held = new DataTransfer(); held.items.add(new File([new Uint8Array(101 * 1024 * 1024)], 'huge.log')); return held; }"
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": held})
    assert "this server takes 100.0 MB" in page.inner_text("#error")


def test_search_answers_while_one_types_and_leads_to_the_article(page: Page) -> None:
    page.click("#search")
    page.keyboard.type("no space left on device", delay=2)
    page.wait_for_selector(f"[role=option] >> text={FULL}")
    assert page.get_attribute("#search", "aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#search", "aria-activedescendant") == "result-0"
    page.keyboard.press("Enter")
    page.wait_for_url("**/causes/disk-full")
    assert page.inner_text("h1") == FULL
    page.click("nav >> text=How to confirm")
    assert page.url.endswith("#how-to-confirm")
    assert page.locator("pre .copy").count() > 0


def test_a_hostile_log_stays_text(page: Page) -> None:
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script><a href='javascript:alert(3)'>x</a>"
    codes = "\x1b]0;title\x07\x1b[31mred\x1b[0m \u202ereversed \x00\x9b1m"
    lines = [f"{evil} {codes} {number}" for number in range(300)]
    lines += [f"##[group]Run {evil}", f"E: You don't have enough free space in /var/{evil}{codes}/.", LOG[-3000:]]
    page.set_input_files("#log", {"name": f"{evil[:30]}.log", "mimeType": "text/plain", "buffer": "\n".join(lines).encode()})
    assert headline(page) == FULL
    page.wait_for_selector(".step-head")
    page.fill("#find", "<img")
    page.wait_for_selector(".ln mark")
    assert page.locator("main img, main script, main a[href^=javascript]").count() == 0
    shown = page.inner_text("body")
    assert "<script>alert(2)</script>" in shown
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]", shown)


def test_the_log_is_read_by_keyboard_alone(page: Page) -> None:
    page.focus("#text")
    page.keyboard.insert_text(SHORT)
    page.keyboard.press("Control+Enter")
    assert headline(page) == FULL
    page.wait_for_selector(".step-head")
    page.wait_for_selector("#L10.here")
    page.keyboard.press("n")
    page.wait_for_selector("#L11.here")
    assert page.url.endswith("#L11")
    page.keyboard.press("p")
    page.wait_for_selector("#L10.here")
    page.keyboard.press("p")
    page.wait_for_function("Number(document.querySelector('.here a')?.textContent) > 200")
    page.keyboard.press("f")
    page.wait_for_function("document.querySelectorAll('.ln:not(.step-head)').length === 0")
    assert "proofs" in page.inner_text(".rows")
    page.keyboard.press("f")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.type("v20.20.2")
    page.wait_for_selector("#L5.here mark")
    assert page.inner_text(".count") == "1 of 1"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "lines"
    page.keyboard.press("End")
    page.wait_for_selector("#L211")
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    page.keyboard.press("Escape")
    assert page.locator("#help[open]").count() == 0
    page.keyboard.press("s")
    assert page.evaluate("document.activeElement.id") == "search"


def test_the_whole_start_page_is_reached_by_tab(page: Page) -> None:
    seen = []
    for _ in range(14):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        seen.append(page.evaluate("(document.activeElement.id || document.activeElement.textContent.trim()).slice(0, 30)"))
        ring = "() => { const on = document.activeElement; const box = (on.closest('.drop') ?? on); return getComputedStyle(box).outlineStyle; }"
        assert page.evaluate(ring) != "none", seen[-1]
    assert seen[:7] == ["Skip to the content", "logkb", "Analyse", "Causes", "search", "theme", "?"]
    assert {"log", "text", "Find out why"} <= set(seen)


def test_a_link_leads_to_its_line(page: Page, address: str) -> None:
    page.set_input_files("#log", {"name": "x.log", "mimeType": "text/plain", "buffer": LOG.encode()})
    headline(page)
    url = page.url
    page.goto(f"{address}/")
    page.goto(f"{url}#L2000-L2003")
    page.wait_for_selector("#L2000.picked")
    assert page.locator(".picked").count() == 4
    page.click("#L2001 a")
    assert page.url.endswith("#L2001")
    page.click(".proof a >> text=3045")
    page.wait_for_selector("#L3045.here")


@pytest.mark.parametrize(("scheme", "other"), [("light", "dark"), ("dark", "light")])
def test_the_theme_follows_the_system_until_somebody_chooses(chromium: Browser, address: str, scheme: str, other: str) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    grounds = {"light": "rgb(251, 250, 247)", "dark": "rgb(21, 24, 26)"}
    with page_of(chromium, address, color_scheme=scheme) as page:
        assert page.evaluate(ground) == grounds[scheme]
        page.click("#theme")
        assert page.evaluate(ground) == grounds[other]
        page.reload()
        assert page.evaluate(ground) == grounds[other], "the choice is kept"


def test_without_scripts_a_log_is_pasted_and_read(chromium: Browser, address: str) -> None:
    with page_of(chromium, address, java_script_enabled=False) as page:
        page.fill("#text", LOG[-30_000:])
        page.click("text=Find out why")
        assert headline(page) == FULL
        assert page.locator(".ln.proof").count() > 0
        page.click(".tools >> text=later")
        assert page.locator(".ln").count() > 10
        page.click(".proof a >> nth=0")
        assert "#L" in page.url
        page.fill("#search", "no space left")
        page.press("#search", "Enter")
        page.click(f".hits >> text={FULL}")
        assert page.inner_text("h1") == FULL


def test_a_phone_shows_all_without_scrolling_sideways(chromium: Browser, address: str) -> None:
    with page_of(chromium, address, viewport={"width": 360, "height": 740}) as page:
        page.fill("#text", LOG[-3000:])
        page.click("text=Find out why")
        headline(page)
        for url in (page.url, f"{address}/causes/disk-full", f"{address}/causes", f"{address}/search?q=disk", address):
            page.goto(url)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, url


def test_fifty_megabytes_stay_quick(page: Page, tmp_path: Path) -> None:
    failing = b"E: You don't have enough free space in /var/cache/apt/archives/.\n"
    line = b"2024-05-01T10:00:00Z compiling module number %07d of the whole program\n"
    lines = [line % number for number in range(750_000)]
    lines[600_000] = failing
    path = tmp_path / "big.log"
    path.write_bytes(b"".join(lines) + LOG[-3000:].encode())
    assert path.stat().st_size > 50 * 1024**2
    page.set_input_files("#log", path)
    page.wait_for_selector("#headline", timeout=60_000)
    assert headline(page) == FULL
    # The report does not wait for the masked log; the viewer shows the lines that are ready.
    page.fill("#find", ":1")
    page.wait_for_selector("#L1 >> text=number 0000000")
    page.wait_for_function("document.querySelectorAll('.ln').length < 100")
    assert page.evaluate("document.querySelector('.space').offsetHeight") <= 8_000_000
    top = page.evaluate(
        "() => { const box = document.querySelector('.lines'); box.scrollTop = box.scrollHeight / 2; return box.scrollTop; }"
    )
    assert top > 1_000_000
    page.wait_for_function("Math.abs(Number(document.querySelector('.ln a').textContent) - 375000) < 1000")
