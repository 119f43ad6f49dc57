"""Debian's Chromium, driven headless: the fixture `chromium`, and an application served on a free loopback port."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from logkb.serve_settings import MAX_HEAD

if TYPE_CHECKING:
    from playwright.sync_api import Browser

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Headless, quiet, and without a word to anybody outside.
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


def missing(what: str, reason: str) -> None:
    """Skip, or fail where LOGKB_REQUIRE names `what`: a machine that is meant to have it must not pass by skipping."""
    if what in os.environ.get("LOGKB_REQUIRE", "").replace(",", " ").split():
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a file's tests, with a new and empty profile. `chromium.new_context()` gives a page of one's own.

    It must not outlive them: playwright keeps an event loop running in this thread, where other tests want their own.
    """
    if executable() is None:
        missing("chromium", "no Chromium on this machine: apt-get install chromium")
    if find_spec("playwright") is None:
        missing("chromium", "no playwright: pip install -e .[dev]")
    with launched() as browser:
        yield browser


def executable() -> str | None:
    """Where Chromium is."""
    return next((found for name in EXECUTABLES if (found := shutil.which(name))), None)


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser with a new and empty profile."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable(), args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def serving(app: Any, **options: Any) -> Iterator[str]:
    """Serve an ASGI application from a thread of this process; yields its address, such as `http://127.0.0.1:41234`.

    `options` are uvicorn's own.
    """
    import uvicorn

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=5,
                h11_max_incomplete_event_size=MAX_HEAD,
                **options,
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            for _ in range(1000):
                if server.started or not thread.is_alive():
                    break
                time.sleep(0.02)
            assert server.started, "the server did not start"
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=30)
            assert not thread.is_alive(), "the server did not stop"
