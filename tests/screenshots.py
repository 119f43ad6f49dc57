"""The pictures of the docs: the web page as Chromium shows it, with a log of the corpus. Run by `scripts/screenshots`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from logkb.paths import data_root
from logkb.server import ServeSettings, create_app
from tests.browser import launched, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

LOG = data_root() / "corpus" / "apt-signature-invalid" / "seccomp-0-github.log"
DESK: ViewportSize = {"width": 1360, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 844}


def main() -> None:
    """Write the pictures into the folder named on the command line."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as history, launched() as browser:
        app = create_app(ServeSettings(history=Path(history), keep_seconds=3600))
        with serving(app) as address:
            for name in ("light", "dark", "phone"):
                context = browser.new_context(
                    color_scheme="dark" if name == "dark" else "light",
                    viewport=PHONE if name == "phone" else DESK,
                    locale="en-GB",
                    timezone_id="UTC",
                )
                page = context.new_page()
                page.goto(address)
                if name == "light":
                    page.fill("#search", "no space left on devic")
                    page.wait_for_selector("[role=option]")
                    page.screenshot(path=folder / "serve-search.png")
                page.set_input_files("#log", LOG)
                page.wait_for_url("**/reports/*")
                ready(page)
                page.screenshot(path=folder / f"serve-report-{name}.png")
                if name == "dark":
                    page.goto(f"{address}/causes/disk-full")
                    page.screenshot(path=folder / "serve-article.png")
                context.close()


def ready(page: Page) -> None:
    """Wait until the log beside the report is there, with its steps."""
    page.wait_for_selector(".ln.proof span:not(:empty)")
    page.wait_for_selector(".tools button:has-text('Fold steps')")


if __name__ == "__main__":
    main()
