"""Send deliveries to a real `logkb serve` at a fixed rate, while it works on them in front of a fake GitHub, and write what came of it.

The load is an open loop: each delivery has its moment, and its latency counts from that moment, whether or not the one before it was
answered. Beside it the same load goes to a bare ASGI application that answers 202 and does nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import re
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import httpx  # noqa: E402

from tests.fakes.github import TOKEN  # noqa: E402
from tests.webhook_server import SECRET, github_headers  # noqa: E402

HEADING = "## Webhooks"
LOG = "ERROR: No matching distribution found for torch==9.9.9\n##[error]Process completed with exit code 1.\n"
# GitHub's own example of a `workflow_run` payload has 20 KB.
PAYLOAD_BYTES = 20_000
BARE = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load: answers by status, seconds of each, and how long all of it took."""

    statuses: dict[int, int]
    seconds: list[float]
    took: float

    def percentile(self, share: float) -> float:
        """The latency in milliseconds that this share of the deliveries stayed below."""
        ranked = sorted(self.seconds)
        return 1000 * ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def main() -> None:
    """Parse the options, measure, write the section of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=100, help="deliveries a second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--requests", type=int, default=300, help="pull requests that the deliveries are about")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), options)
    for row in rows:
        print(": ".join(row))
    write(options.out, rows, options)


def measure(folder: Path, options: argparse.Namespace) -> list[tuple[str, str]]:
    """Rows of (what, measured)."""
    bodies = [body_of(number, options) for number in range(options.rate * options.seconds)]
    bare = bare_server(folder)
    try:
        peer = asyncio.run(send(bare[1], bodies[: len(bodies) // 4], options.rate))
    finally:
        end(bare[0])
    forge, api = start([sys.executable, "-m", "tests.fakes.github"])
    server: subprocess.Popen[str] | None = None
    try:
        fill(api, options.requests)
        store, port = folder / "deliveries.sqlite3", free_port()
        environment = os.environ | {"LOGKB_GITHUB_WEBHOOK_SECRET": SECRET, "GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": api}
        command = [sys.executable, "-m", "logkb", "serve", "--webhooks-only", "--port", str(port), "--deliveries", str(store)]
        with (folder / "server.log").open("w") as log:
            server = subprocess.Popen(
                [*command, "--webhook-workers", str(options.workers)], env=environment, cwd=ROOT, stdout=log, stderr=log, text=True
            )
        url = f"http://127.0.0.1:{port}"
        wait_until_up(url)
        load = asyncio.run(send(url, bodies, options.rate))
        depth = httpx.get(f"{url}/healthz", timeout=30).json()["queue"]
        drained = drain(url)
        with sqlite3.connect(store) as connection:
            states = dict(connection.execute("SELECT state, count(*) FROM deliveries GROUP BY state").fetchall())
        connection.close()
        asked = len(httpx.get(f"{api}/_fake/requests", timeout=60).json())
        commented = sum(bool(found) for found in httpx.get(f"{api}/_fake/comments", timeout=60).json().values())
    finally:
        if server is not None:
            end(server)
        end(forge)
    sent = len(bodies)
    return [
        ("deliveries sent", f"{sent:,} in {load.took:.1f} s ({sent / load.took:.0f} a second)"),
        ("accepted (202)", f"{load.statuses.get(202, 0):,}; other answers: {sent - load.statuses.get(202, 0)}"),
        ("lost (accepted and not in the store as done)", f"{load.statuses.get(202, 0) - states.get('done', 0)}"),
        (
            "time to the answer, p50 / p99 / longest",
            f"{load.percentile(0.5):.1f} / {load.percentile(0.99):.1f} / {load.percentile(1):.1f} ms",
        ),
        (
            "the same, bare ASGI application",
            f"{peer.percentile(0.5):.1f} / {peer.percentile(0.99):.1f} / {peer.percentile(1):.1f} ms",
        ),
        ("ratio of the medians", f"{load.percentile(0.5) / peer.percentile(0.5):.1f}"),
        (
            "waiting when the load ended",
            f"{depth['deliveries']:,} deliveries for {depth['tasks']} pull requests, worked off in {drained:.1f} s",
        ),
        ("pull requests with a comment", f"{commented} of {options.requests}, with {asked:,} requests to the forge"),
    ]


def body_of(number: int, options: argparse.Namespace) -> bytes:
    """A payload of GitHub's size; no two are the same."""
    pull = 1 + number % options.requests
    payload: dict[str, Any] = {
        "action": "completed",
        "workflow_run": {
            "id": 10_000 + number, "head_sha": f"{pull:040x}", "conclusion": "failure",
            "pull_requests": [{"number": pull, "base": {"repo": {"id": 7}}}],
        },
        "repository": {"id": 7, "full_name": "octo/app"},
    }  # fmt: skip
    payload["padding"] = "x" * (PAYLOAD_BYTES - len(json.dumps(payload)))
    return json.dumps(payload).encode()


def fill(api: str, requests: int) -> None:
    """Put failed pull requests on the fake GitHub."""
    with httpx.Client(base_url=api, timeout=60) as client:
        for number in range(1, requests + 1):
            sha = f"{number:040x}"
            client.post("/_fake/pulls", json={"repository": "octo/app", "number": number, "head_sha": sha})
            jobs = [{"name": "build", "log": LOG}]
            client.post("/_fake/runs", json={"repository": "octo/app", "head_sha": sha, "jobs": jobs, "pull_requests": [number]})


async def send(url: str, bodies: list[bytes], rate: int) -> Load:
    """Send each body at its moment, over as many kept connections as it takes; written by hand, so that the load costs little."""
    statuses: dict[int, int] = {}
    seconds: list[float] = []
    dice = random.Random(1)
    port = int(url.rpartition(":")[2])
    requests = [request_of(body, f"{dice.getrandbits(128):032x}") for body in bodies]
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    begun = time.monotonic() + 0.5

    async def one(index: int) -> None:
        status = 0
        # A kept connection may have been closed by the server a moment ago; a new one has no such excuse.
        while status == 0:
            kept = bool(idle)
            try:
                reader, writer = idle.pop() if kept else await asyncio.open_connection("127.0.0.1", port)
                writer.write(requests[index])
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head, re.I)
                if length is not None:
                    await reader.readexactly(int(length[1]))
                    idle.append((reader, writer))
                status = int(head.split(b" ", 2)[1])
            except (OSError, asyncio.IncompleteReadError):
                if not kept:
                    break
        seconds.append(time.monotonic() - begun - index / rate)
        statuses[status] = statuses.get(status, 0) + 1

    under_way: set[asyncio.Task[None]] = set()
    for index in range(len(bodies)):
        await asyncio.sleep(max(0.0, begun + index / rate - time.monotonic()))
        task = asyncio.create_task(one(index))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    for _, writer in idle:
        writer.close()
    return Load(statuses, seconds, max(time.monotonic() - begun, len(bodies) / rate))


def request_of(body: bytes, identifier: str) -> bytes:
    """A whole HTTP request."""
    headers = {"Host": "localhost", "Content-Length": str(len(body)), **github_headers(body, id=identifier)}
    return (
        b"POST /webhooks/github HTTP/1.1\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
        + b"\r\n"
        + body
    )


def drain(url: str) -> float:
    """Seconds until all is worked off."""
    begun = time.monotonic()
    while httpx.get(f"{url}/healthz", timeout=30).json()["queue"]["tasks"]:
        if time.monotonic() - begun > 120:
            sys.exit("the work did not end; its log is in the temporary folder")
        time.sleep(0.1)
    return time.monotonic() - begun


def bare_server(folder: Path) -> tuple[subprocess.Popen[str], str]:
    (folder / "bare.py").write_text(BARE)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bare:app", "--port", str(port), "--log-level", "error", "--lifespan", "off"]
    process = subprocess.Popen(command, cwd=folder, text=True)
    url = f"http://127.0.0.1:{port}"
    wait_until_up(url)
    return process, url


def start(command: list[str]) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate(timeout=60)


def wait_until_up(url: str) -> None:
    for _ in range(3000):
        try:
            httpx.get(f"{url}/healthz", timeout=5)
            return
        except httpx.TransportError:
            time.sleep(0.02)
    sys.exit(f"{url} did not come up")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def write(path: Path, rows: list[tuple[str, str]], options: argparse.Namespace) -> None:
    """Put the section on the page, in place of the one that is there."""
    page = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n"
    page = re.sub(rf"\n{HEADING}\n.*?(?=\n## |\Z)", "", page, flags=re.S).rstrip() + "\n"
    table = "\n".join(f"| {what} | {measured} |" for what, measured in rows)
    load = statistics.fmean(os.getloadavg()[:2]) if hasattr(os, "getloadavg") else 0.0
    section = (
        f"\n{HEADING}\n\nWritten by `python benchmarks/webhooks.py --rate {options.rate} --seconds {options.seconds}`: an open loop of deliveries of"
        f"\n{PAYLOAD_BYTES:,} bytes to `logkb serve` with {options.workers} workers, which comment through a fake GitHub meanwhile; the load, the server and"
        f"\nthe fake share {os.cpu_count()} cores (mean load {load:.1f}). Latency counts from the moment that each delivery was due.\n"
        f"\n| what | measured |\n|---|---|\n{table}\n\nMachine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
        f" SQLite {sqlite3.sqlite_version}.\n"
    )
    head, mark, tail = page.partition("\n## ")
    path.write_text(f"{head.rstrip()}\n{section}{mark}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
