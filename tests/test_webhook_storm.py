"""A thousand deliveries over HTTP to a real server that is killed again and again, in front of a GitHub in a bad mood.

`LOGKB_STORM=small` runs a fifth of it. `LOGKB_STORM_SEED` chooses another course of the same storm.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from logkb.analysis import Analyzer
from logkb.knowledge import Knowledge
from tests.fakes.github import BOT, TOKEN
from tests.webhook_server import SECRET, github_headers

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")

Kind = Literal["failed", "passed", "unknown", "expired", "fork", "mended", "forged"]
LOGS = {
    "python-no-matching-distribution": (
        "ERROR: Could not find a version that satisfies the requirement torch==9.9.9 (from versions: 2.0.0, 2.0.1)\n"
        "ERROR: No matching distribution found for torch==9.9.9\n"
    ),
    "disk-full": "cp: error writing '/work/out/app.bin': No space left on device\n",
}
END = "##[error]Process completed with exit code 1.\n"
# Seconds within which everything must have been worked after the last kill; a quiet machine needs a few.
PATIENCE = 240.0


@dataclass(frozen=True, slots=True)
class Size:
    """How large a storm is. Every third delivery is sent twice; `forged` come on top."""

    deliveries: int
    requests: int
    forged: int
    kills: int


SIZES = {"small": Size(200, 30, 20, 4), "full": Size(1000, 150, 100, 20)}


@dataclass(slots=True)
class Pull:
    """A pull request of the storm, and how it stands at the end."""

    repository: str
    number: int
    kind: Kind
    cause: str = ""
    sha: str = ""
    run: int = 0


@dataclass(slots=True)
class Storm:
    """The pull requests, the deliveries in the order that they are sent, and those that nobody signed."""

    pulls: list[Pull]
    deliveries: list[tuple[str, str, bytes]] = field(default_factory=list)
    forged: list[tuple[str, str, bytes]] = field(default_factory=list)


@pytest.fixture(autouse=True)
def _compiled(shipped: Knowledge) -> None:
    """Compile the rules once, as a server that was killed before has done, so that the kills hit work and not the compiler."""
    Analyzer(shipped).analyze(LOGS["disk-full"].encode())


def of_kind(index: int) -> Kind:
    kinds: tuple[Kind, ...] = (
        "failed", "failed", "fork", "failed", "passed", "failed", "mended", "fork", "failed", "unknown", "failed", "expired", "failed", "forged",
    )  # fmt: skip
    return kinds[index % len(kinds)]


def set_up(forge: httpx.Client, size: Size, dice: random.Random) -> Storm:
    """Put pull requests with their runs on the fake GitHub, and write the deliveries that it would send."""
    pulls = []
    for index in range(size.requests):
        cause = dice.choice(sorted(LOGS))
        pull = Pull(f"octo/app{index % 10}", 1 + index // 10, of_kind(index), cause, f"{dice.getrandbits(160):040x}")
        branch = f"topic-{pull.number}"
        home = f"guest{index}/app" if pull.kind == "fork" else pull.repository
        forge.post(
            "/_fake/pulls",
            json={
                "repository": pull.repository,
                "number": pull.number,
                "head_sha": pull.sha,
                "branch": branch,
                "head_repository": home,
            },
        )
        add_run(forge, pull, branch, home)
        pulls.append(pull)
    storm = Storm(pulls)
    genuine = [pull for pull in pulls if pull.kind != "forged"]
    for index in range(size.deliveries):
        storm.deliveries.append(delivery(genuine[index % len(genuine)], index, dice))
    dice.shuffle(storm.deliveries)
    fakes = [pull for pull in pulls if pull.kind == "forged"]
    storm.forged = [delivery(fakes[index % len(fakes)], 10_000 + index, dice) for index in range(size.forged)]
    return storm


def add_run(forge: httpx.Client, pull: Pull, branch: str, home: str) -> None:
    good, mends = pull.kind == "passed", pull.kind == "mended"
    text = "hello\n" if pull.kind == "unknown" else LOGS[pull.cause]
    job: dict[str, Any] = {
        "name": "build",
        "log": "all fine\n" if good else text + END,
        "conclusion": "success" if good else "failure",
    }
    if pull.kind == "expired":
        job["log"] = None
    jobs = [job, {"name": "lint", "log": "fine\n", "conclusion": "success"}]
    if pull.number % 5 == 0:
        jobs += [{"name": f"matrix {number}", "log": "fine\n", "conclusion": "success"} for number in range(110)]
    given = {
        "repository": pull.repository, "head_sha": pull.sha, "branch": branch, "head_repository": home,
        "pull_requests": [] if home != pull.repository else [pull.number],
    }  # fmt: skip
    pull.run = forge.post("/_fake/runs", json=given | {"jobs": jobs}).json()["id"]
    if mends:
        passed = [{"name": "build", "log": "fine\n", "conclusion": "success"}]
        forge.post("/_fake/runs", json=given | {"jobs": passed})


def delivery(pull: Pull, number: int, dice: random.Random) -> tuple[str, str, bytes]:
    """Id, event and body of one delivery; every body is another, as GitHub's are."""
    event = dice.choice(["workflow_run", "workflow_run", "workflow_job", "check_run"])
    listed = [] if pull.kind == "fork" else [{"number": pull.number, "base": {"repo": {"id": 7}}}]
    thing: dict[str, Any] = {"id": pull.run, "head_sha": pull.sha, "conclusion": "success" if pull.kind == "passed" else "failure"}
    if event == "workflow_job":
        thing |= {"id": number, "run_id": pull.run}
    else:
        thing["pull_requests"] = listed
    payload = {"action": "completed", event: thing | {"number": number}, "repository": {"id": 7, "full_name": pull.repository}}
    return f"{dice.getrandbits(128):032x}", event, json.dumps(payload).encode()


class Server:
    """`logkb serve` as a process of its own, that is killed and started again."""

    def __init__(self, folder: Path, api: str, *, options: tuple[str, ...] = ("--webhooks-only",)) -> None:
        self.store, self._log = folder / "deliveries.sqlite3", folder / "server.log"
        self.port, self._options = free_port(), options
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = os.environ | {
            "LOGKB_GITHUB_WEBHOOK_SECRET": SECRET, "GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": api, "LOGKB_WEBHOOK_SETTLE": "0.2",
            "LOGKB_WEBHOOK_FIRST_PAUSE": "0.3", "LOGKB_CACHE_DIR": os.environ["LOGKB_CACHE_DIR"],
        }  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            sys.executable, "-m", "logkb", "serve", "--port", str(self.port), "--webhook-workers", "4",
            "--deliveries", str(self.store), *self._options,
        ]  # fmt: skip
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)

    def up(self, patience: float = 60.0) -> None:
        """Wait until it answers."""
        end = time.monotonic() + patience
        while True:
            try:
                if httpx.get(f"{self.url}/healthz", timeout=5.0).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert self._process is not None
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < end, self._log.read_text()
            time.sleep(0.02)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> int:
        assert self._process is not None
        self._process.send_signal(how)
        return self._process.wait(60)

    def rows(self) -> list[tuple[str, str]]:
        """Id and state of every stored delivery."""
        with sqlite3.connect(self.store, timeout=20) as connection:
            found = connection.execute("SELECT id, state FROM deliveries").fetchall()
        connection.close()
        return found

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def bad_github(seed: int) -> Iterator[httpx.Client]:
    """The fake GitHub in a process of its own, and a client for its controls."""
    command = [sys.executable, "-m", "tests.storm_forge", "--seed", str(seed)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    try:
        with httpx.Client(base_url=url, timeout=60.0) as client:
            yield client
    finally:
        process.kill()
        process.communicate(timeout=60)


class Sender:
    """Sends a delivery until it gets a 2xx, with the same id, as someone at GitHub's redelivery button would."""

    def __init__(self, servers: list[Server]) -> None:
        self._servers = servers
        self._clients = [
            httpx.Client(base_url=server.url, timeout=20.0, limits=httpx.Limits(max_keepalive_connections=0)) for server in servers
        ]
        self.answers: Counter[str] = Counter()
        self.tries = 0
        self._lock = threading.Lock()

    def send(self, identifier: str, event: str, body: bytes, *, at: int = 0, secret: str = SECRET) -> int:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with self._lock:
                self.tries += 1
            try:
                answer = self._clients[at].post(
                    "/webhooks/github", content=body, headers=github_headers(body, id=identifier, event=event, secret=secret)
                )
            except httpx.TransportError:
                time.sleep(0.1)
                continue
            if answer.status_code != 503:
                with self._lock:
                    self.answers[answer.json().get("status", str(answer.status_code))] += 1
                return answer.status_code
            time.sleep(0.1)
        raise AssertionError("a delivery was never accepted")

    def close(self) -> None:
        for client in self._clients:
            client.close()


def wait_for_a_bad_moment(forge: httpx.Client, moments: random.Random) -> None:
    """Some time, or until the forge was asked so many times more: between any two requests of a task."""
    if moments.random() < 0.5:
        time.sleep(moments.uniform(0.0, 1.0))
        return
    enough = forge.get("/_fake/count").json()["requests"] + moments.randint(1, 60)
    end = time.monotonic() + 3.0
    while forge.get("/_fake/count").json()["requests"] < enough and time.monotonic() < end:
        time.sleep(0.005)


def until_worked(server: Server) -> None:
    end = time.monotonic() + PATIENCE
    while httpx.get(f"{server.url}/healthz", timeout=20.0).json()["queue"]["tasks"]:
        assert time.monotonic() < end, "the work did not end in time"
        time.sleep(0.1)


def posts(forge: httpx.Client) -> Counter[str]:
    """How many comments were created on each pull request, deleted ones included; and deletions under 'deleted'."""
    made: Counter[str] = Counter()
    for request in forge.get("/_fake/requests").json():
        if request["method"] == "POST" and request["path"].endswith("/comments"):
            _, _, owner, name, _, number, _ = request["path"].split("/")
            made[f"{owner}/{name}#{number}"] += 1
        elif request["method"] == "DELETE":
            made["deleted"] += 1
    return made


def check(forge: httpx.Client, storm: Storm) -> None:
    """Every genuine failure has exactly one comment, and nothing else has any."""
    comments: dict[str, list[dict[str, str]]] = forge.get("/_fake/comments").json()
    wrong = []
    for pull in storm.pulls:
        ours = [item["body"] for item in comments[f"{pull.repository}#{pull.number}"] if item["login"] == BOT]
        if pull.kind in ("failed", "fork"):
            right = len(ours) == 1 and pull.cause in ours[0]
        else:
            right = not ours
        if not right:
            wrong.append((pull.repository, pull.number, pull.kind, len(ours)))
    assert not wrong
    # Not even for a moment were there two: a comment that had to be deleted again would have been mailed to people.
    made = posts(forge)
    assert made.pop("deleted", 0) == 0


def test_a_storm_with_kills_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    size = SIZES[os.environ.get("LOGKB_STORM") or "full"]
    seed = int(os.environ.get("LOGKB_STORM_SEED", "1"))
    dice = random.Random(seed)
    started = time.monotonic()
    with bad_github(seed) as forge:
        storm = set_up(forge, size, dice)
        server = Server(tmp_path, str(forge.base_url).rstrip("/"))
        sender = Sender([server])
        server.start()
        try:
            server.up()
            kills, moments = 0, random.Random(seed)

            def killing() -> None:
                nonlocal kills
                while kills < size.kills:
                    server.up()
                    wait_for_a_bad_moment(forge, moments)
                    server.kill()
                    kills += 1
                    server.start()

            killer = threading.Thread(target=killing, daemon=True)
            killer.start()
            rows = storm.deliveries + storm.deliveries[::3]
            dice.shuffle(rows)
            with ThreadPoolExecutor(16) as pool:
                jobs = [pool.submit(sender.send, *row) for row in rows]
                forged = [pool.submit(sender.send, *row, secret="a secret that this server never had") for row in storm.forged]
                assert {job.result() for job in jobs} <= {200, 202}
                assert {job.result() for job in forged} == {401}
            killer.join(PATIENCE)
            assert kills == size.kills
            server.up()
            until_worked(server)
            stored = dict(server.rows())
            # An id that got a 2xx is there, and worked; no forged one is.
            assert Counter(stored.values()) == {"done": size.deliveries}
            assert set(stored) == {identifier for identifier, _, _ in storm.deliveries}
            check(forge, storm)
            touched = {request["path"] for request in forge.get("/_fake/requests").json()}
            for pull in storm.pulls:
                if pull.kind == "forged":
                    home = f"/repos/{pull.repository}"
                    assert (
                        not {f"{home}/pulls/{pull.number}", f"{home}/actions/runs/{pull.run}", f"{home}/commits/{pull.sha}/pulls"}
                        & touched
                    )
            wrong = forge.post("/_fake/calm").json()["went_wrong"]
            print(
                f"{len(rows)} sent in {sender.tries} tries, {size.forged} forged, {kills} kills, {len(touched)} addresses asked,"
                f" {wrong} answers spoilt, answers {dict(sender.answers)}: {time.monotonic() - started:.1f} s"
            )
        finally:
            sender.close()
            server.end()


def test_two_servers_on_one_store_share_the_work_and_outlive_each_other(tmp_path: Path) -> None:
    dice = random.Random(5)
    with bad_github(5) as forge:
        forge.post("/_fake/calm")
        storm = set_up(forge, Size(60, 14, 0, 0), dice)
        servers = [Server(tmp_path, str(forge.base_url).rstrip("/")) for _ in range(2)]
        sender = Sender(servers)
        for server in servers:
            server.start()
        try:
            for server in servers:
                server.up()
            with ThreadPoolExecutor(8) as pool:
                # Each delivery goes to both of them.
                jobs = [pool.submit(sender.send, *row, at=at) for row in storm.deliveries[:40] for at in (0, 1)]
                assert {job.result() for job in jobs} == {200, 202}
            servers[0].kill()
            for row in storm.deliveries[40:]:
                sender.send(*row, at=1)
            until_worked(servers[1])
            assert sender.answers["accepted"] == 60
            assert Counter(state for _, state in servers[1].rows()) == {"done": 60}
            check(forge, storm)
            assert set(posts(forge).values()) == {1}
            # A stop that is asked for ends by itself, with nothing left.
            assert servers[1].kill(signal.SIGTERM) in (0, -signal.SIGTERM, 128 + signal.SIGTERM)
            said = servers[1].log()
            assert any(row.get("message") == "stopped" and row["work left"] is False for row in said)
            assert all(TOKEN not in json.dumps(row) and SECRET not in json.dumps(row) for row in said)
        finally:
            sender.close()
            for server in servers:
                server.end()


def test_the_pages_and_the_webhooks_can_share_a_server(tmp_path: Path) -> None:
    server = Server(tmp_path, "http://127.0.0.1:9", options=())
    body, named = b'{"zen": "x"}', {"Host": "logkb.example.org"}
    server.start()
    try:
        server.up()
        with httpx.Client(base_url=server.url, timeout=20.0) as client:
            ping = client.post("/webhooks/github", content=body, headers=github_headers(body, event="ping") | named)
            assert ping.json() == {"status": "pong"}
            assert client.get("/", headers=named).status_code == 421, "the pages still answer to known names only"
            assert client.get("/").status_code == 200
            assert "webhooks" not in client.get("/api/openapi.json").text
    finally:
        server.end()


@pytest.mark.parametrize(
    ("environment", "options", "says"),
    [
        ({}, ["--webhooks-only"], "no secret for webhooks; set LOGKB_GITHUB_WEBHOOK_SECRET"),
        ({"LOGKB_GITHUB_WEBHOOK_SECRET": "short"}, [], "can be guessed"),
        ({"LOGKB_GITHUB_WEBHOOK_SECRET": SECRET}, [], "set GITHUB_TOKEN or LOGKB_GITHUB_APP_ID"),
        (
            {"LOGKB_GITHUB_WEBHOOK_SECRET": SECRET, "GITHUB_TOKEN": "x"},
            ["--deliveries", "/dev/null/d.sqlite3"],
            "cannot be kept here",
        ),
    ],
)
def test_a_server_that_cannot_work_says_why_in_one_line(environment: dict[str, str], options: list[str], says: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "GITLAB_", "GH_"))}
    done = subprocess.run(
        [sys.executable, "-m", "logkb", "serve", "--port", "0", *options],
        cwd=ROOT, env=clean | environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert SECRET not in done.stderr
