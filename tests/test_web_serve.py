"""`logkb serve` as a process: it says where it is, warns, stops in good order, and tells what is missing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from logkb.serve_commands import warning
from logkb.serve_settings import ServeSettings

SLOW = b"".join(b"line %d of a log that takes a moment\n" % number for number in range(400_000))


@contextmanager
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server on a free port; yields the process and its address."""
    command = [sys.executable, "-m", "logkb", "serve", "--port", "0"]
    environment = {"TMPDIR": str(tmp_path), "LOGKB_CACHE_DIR": os.environ["LOGKB_CACHE_DIR"], "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if found := re.search(r"http://\S+/", line):
                    yield process, found[0].rstrip("/")
                    break
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_in_good_order_with_a_log_under_way_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    with served(tmp_path) as (process, address):
        answer = httpx.post(f"{address}/api/analyze?wait=false", content=SLOW, timeout=30)
        assert answer.status_code == 202
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    rows = [json.loads(line) for line in said.splitlines()]
    assert {"method": "POST", "path": "/api/analyze", "status": 202} in [
        {name: row.get(name) for name in ("method", "path", "status")} for row in rows
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("host", "reached"),
    [("127.0.0.1", False), ("localhost", False), ("::1", False), ("127.0.0.2", False),
     ("0.0.0.0", True), ("::", True), ("10.0.0.5", True), ("ci.example.org", True), ("", True)],
)  # fmt: skip
def test_another_address_than_loopback_is_warned_about(host: str, reached: bool) -> None:
    said = warning(ServeSettings(host=host))
    assert (said is not None) is reached
    assert said is None or ("no login" in said and "--allowed-host" in said)


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with served(tmp_path) as (_, address):
        port = address.rsplit(":", 1)[1]
        done = subprocess.run(
            [sys.executable, "-m", "logkb", "serve", "--port", port], capture_output=True, text=True, check=False, timeout=60
        )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "name another one with --port" in done.stderr


def test_without_the_extra_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['fastapi'] = None; sys.argv = ['logkb', 'serve']; from logkb.cli import run; sys.exit(run())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr.strip() == "logkb: the web page needs fastapi; install it with: pip install 'logkb[serve]'"


def test_analysing_never_loads_the_web() -> None:
    code = "import sys, logkb.cli; print(sorted({'fastapi', 'starlette', 'uvicorn', 'jinja2', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
