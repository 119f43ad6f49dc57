"""The web page's server over HTTP: uploads of every kind, the JSON API, what is refused, what stays masked."""

from __future__ import annotations

import gzip
import html
import io
import json
import logging
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from logkb import analyze, to_json
from logkb.analysis import Analyzer
from logkb.report import safe
from logkb.serve_settings import ServeSettings
from logkb.server import create_app
from logkb.web_guard import HEADERS
from logkb.web_log import MAX_SHOWN
from tests.browser import serving

TOKEN = "gh" + "p_" + "A1b2C3d4" * 4 + "e5F6"
LOG = b"#5 [2/3] RUN apt-get update\n#5 0.3 E: You don't have enough free space in /var/cache/apt/archives/.\n#5 ERROR: exit code: 100\n"
MULTIPART = {"content-type": "multipart/form-data; boundary=b"}


@contextmanager
def client_of(settings: ServeSettings) -> Iterator[httpx.Client]:
    with serving(create_app(settings)) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def client(cache_folder: Path) -> Iterator[httpx.Client]:
    """A server with small limits; each test sends what it needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGKB_CACHE_DIR", str(cache_folder))
        with client_of(ServeSettings(limit_bytes=300_000, expanded_bytes=3_000_000, idle_seconds=0.5)) as made:
            yield made


def kept(client: httpx.Client, data: bytes, name: str = "build.log") -> str:
    """Send a log and wait until all of it can be read; returns the report's id."""
    answer = client.post("/api/analyze", params={"wait": "false", "name": name}, content=data)
    assert answer.status_code == 202, answer.text
    job = f"/api/jobs/{answer.json()['id']}"
    for _ in range(2000):
        if client.get(job).json()["state"] == "done" and client.get(f"{report_of(answer)}/lines").json()["complete"]:
            return str(answer.json()["id"])
        time.sleep(0.01)
    raise AssertionError(client.get(job).text)


def report_of(answer: httpx.Response) -> str:
    return f"/api/reports/{answer.json()['id']}"


def form(*parts: tuple[str, str, bytes]) -> bytes:
    """A form's body: (field, file name or '', contents)."""
    rows = []
    for field, filename, contents in parts:
        name = f'; filename="{filename}"' if filename else ""
        rows.append(b'--b\r\ncontent-disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (field.encode(), name.encode(), contents))
    return b"".join(rows) + b"--b--\r\n"


def test_the_report_is_the_command_line_s(client: httpx.Client) -> None:
    answer = client.post("/api/analyze", params={"name": "build.log"}, content=LOG)
    assert answer.status_code == 200
    assert answer.json() == to_json(analyze(LOG, name="build.log"))


@pytest.mark.parametrize(
    ("headers", "body", "name"),
    [
        ({}, LOG, "pasted log"),
        ({"content-type": "application/x-www-form-urlencoded"}, LOG, "pasted log"),
        ({"content-type": "text/plain"}, gzip.compress(LOG), "pasted log"),
        (MULTIPART, form(("log", "a/b/build.log", LOG)), "build.log"),
        (MULTIPART, form(("log", "", b""), ("text", "", LOG)), "pasted log"),
        (MULTIPART, form(("text", "", b"pasted"), ("log", "C:\\x\\build.log", LOG)), "build.log"),
        (MULTIPART, form(("log", "evil\x1b[2J.log", LOG)), "evil�[2J.log"),
    ],
)
def test_a_log_may_come_as_a_body_or_in_a_form(client: httpx.Client, headers: dict[str, str], body: bytes, name: str) -> None:
    report = client.post("/api/analyze", headers=headers, content=body).json()
    assert report["findings"][0]["cause"] == "disk-full"
    assert report["source"] == name
    assert report["log"]["lines"] == 3


@pytest.mark.parametrize(
    ("headers", "body", "status", "words"),
    [
        ({}, b"x" * 300_001, 413, "larger than this server takes (300,000 bytes)"),
        (MULTIPART, form(("log", "x", b"x" * 300_001)), 413, "larger than this server takes"),
        ({}, gzip.compress(b"line\n" * 1_000_000), 413, "unpacks to more than"),
        ({}, b"PK\x03\x04 not an archive", 422, "damaged zip archive"),
        (MULTIPART, form(("log", "x", LOG), ("other", "x", b"x")), 400, "a field 'other'"),
        (MULTIPART, form(), 400, "no log"),
        (MULTIPART, form(("log", "one.log", LOG), ("log", "two.log", LOG)), 400, "One log at a time"),
        (MULTIPART, form(("log", "x", b"x"))[:-9], 400, "ends before"),
        (MULTIPART, b"--c\r\n", 400, "cannot be read"),
        ({"content-type": "multipart/form-data"}, LOG, 400, "no boundary"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence(
    client: httpx.Client, headers: dict[str, str], body: bytes, status: int, words: str
) -> None:
    answer = client.post("/api/analyze", headers=headers, content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert words in problem["detail"]
    page = client.post("/analyze", headers=headers | {"accept": "text/html"}, content=body)
    assert page.status_code == status
    assert words in html.unescape(page.text)
    assert client.post("/api/analyze", content=LOG).status_code == 200, "the server lives"


@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 5000, bytes(range(256)) * 50, "é".encode("utf-16"), b"\xff\xfe", b"\x1f\x8b\x08", b"\n" * 9]
)
def test_odd_bytes_are_a_log_like_any_other(client: httpx.Client, data: bytes) -> None:
    report, expected = client.post("/api/analyze", params={"name": "x"}, content=data).json(), to_json(analyze(data, name="x"))
    for document in (report, expected):
        document["excerpt"] = safe(document["excerpt"]["text"]) if document["excerpt"] else None
    assert report == expected
    identifier = kept(client, data)
    assert client.get(f"/reports/{identifier}").status_code == 200


def test_too_much_is_refused_before_it_has_all_come(client: httpx.Client) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 40_000_000:
            sent += 65536
            yield b"x" * 65536

    answer = client.post("/api/analyze", content=endless())
    assert answer.status_code == 413
    assert "compress it" in answer.json()["detail"].lower()


def test_a_slow_client_is_told_and_holds_nobody_up(client: httpx.Client) -> None:
    host, port = client.base_url.host, client.base_url.port
    with socket.create_connection((host, port or 0), timeout=20) as slow, socket.create_connection((host, port or 0)) as silent:
        silent.send(b"POST /api/analyze HTTP/1.1\r\nHo")
        slow.send(f"POST /api/analyze HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\nbegin".encode())
        assert client.post("/api/analyze", content=LOG).status_code == 200
        assert b"408 Request Timeout" in slow.recv(4096)


def test_while_too_many_logs_wait_to_be_masked_a_report_comes_without_its_log() -> None:
    with client_of(ServeSettings(queue=0)) as client:
        identifier = kept(client, b"line\n" * 500_000 + LOG)
        assert client.get(f"/api/reports/{identifier}").json()["findings"][0]["cause"] == "disk-full"
        assert client.get(f"/api/reports/{identifier}/lines").json()["lines"] == []
        assert "The log of this report was not kept." in client.get(f"/reports/{identifier}").text


def test_an_archive_of_many_logs_is_one_report_with_each_member_as_a_step(client: httpx.Client) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("build/1_Set up.txt", "all is well\n")
        archive.writestr("build/2_Install.txt", LOG)
    identifier = kept(client, packed.getvalue(), "logs.zip")
    report = client.get(f"/api/reports/{identifier}").json()
    assert report == to_json(analyze(packed.getvalue(), name="logs.zip"))
    assert [step["name"] for step in client.get(f"/api/reports/{identifier}/steps").json()["steps"]][:2] == [
        "build/1_Set up.txt", "build/2_Install.txt",
    ]  # fmt: skip


def test_secrets_are_masked_everywhere_and_cannot_be_guessed(client: httpx.Client) -> None:
    data = LOG + f"push with {TOKEN}\n".encode() * 2 + f"remote: https://me:{TOKEN}@example.org/ denied\n".encode()
    identifier = kept(client, data, f"{TOKEN}.log")
    api = f"/api/reports/{identifier}"
    texts = [client.get(url).text for url in (api, f"{api}/lines", f"/reports/{identifier}", f"/reports/{identifier}.md")]
    assert all(TOKEN not in text for text in texts)
    assert "push with &lt;github-token:1&gt;" in texts[2]
    assert client.get(f"{api}/find", params={"q": TOKEN[:20]}).json() == {"lines": [], "more": False}
    assert TOKEN not in client.post("/api/analyze", params={"name": TOKEN}, content=data).text


def test_any_page_of_the_log_can_be_had(client: httpx.Client) -> None:
    lines = [f"line {number} \x1b[31mred\x1b[0m" for number in range(1, 1301)]
    lines[699] = "x" * (MAX_SHOWN + 10)
    api = f"/api/reports/{kept(client, chr(10).join(lines).encode())}/lines"
    for start, count in ((1, 3), (255, 4), (256, 1), (1298, 50), (1301, 5), (5000, 5)):
        page = client.get(api, params={"start": start, "count": count}).json()
        assert [line["number"] for line in page["lines"]] == list(range(start, min(start + count, 1301)))
        assert (page["total"], page["ready"], page["complete"]) == (1300, 1300, True)
    assert client.get(api, params={"start": 7, "count": 1}).json()["lines"] == [{"number": 7, "text": "line 7 red", "cut": False}]
    long = client.get(api, params={"start": 700, "count": 1}).json()["lines"][0]
    assert (len(long["text"]), long["cut"]) == (MAX_SHOWN, True)


def test_words_are_found_in_the_log_whatever_their_case(client: httpx.Client) -> None:
    data = b"".join(b"Needle\n" if number in (1, 2, 30_000) else b"hay hay\n" for number in range(1, 30_001))
    api = f"/api/reports/{kept(client, data)}/find"
    assert client.get(api, params={"q": "nEEdle"}).json() == {"lines": [1, 2, 30_000], "more": False}
    assert client.get(api, params={"q": "hay"}).json()["more"] is True
    assert client.get(api, params={"q": ".*"}).json()["lines"] == []


def test_without_scripts_the_form_leads_to_a_whole_report(client: httpx.Client) -> None:
    sent = client.post("/analyze", headers=MULTIPART | {"accept": "text/html"}, content=form(("log", "", b""), ("text", "", LOG)))
    assert sent.status_code == 303
    page = client.get(sent.headers["location"]).text
    assert "The disk (or Docker&#39;s storage) is full" in page
    assert 'class="ln proof" id="L2"' in page
    assert "Do this first" in page
    nothing = client.post(
        "/analyze", headers=MULTIPART | {"accept": "text/html"}, content=form(("log", "", b""), ("text", "", b""))
    )
    assert nothing.status_code == 400
    assert "choose a file" in nothing.text


def test_a_report_that_takes_time_shows_a_page_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    analyse = Analyzer.analyze

    def late(self: Analyzer, *given: object, **named: object) -> object:
        assert go.wait(30)
        return analyse(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Analyzer, "analyze", late)
    with client_of(ServeSettings(workers=1, queue=1)) as client:
        jobs = [client.post("/api/analyze", params={"wait": "false"}, content=LOG).json() for _ in range(2)]
        page = client.get(f"/reports/{jobs[0]['id']}")
        assert '<meta http-equiv="refresh"' in page.text
        assert client.get(f"/api/reports/{jobs[0]['id']}").status_code == 404
        full = client.post("/api/analyze", content=LOG)
        assert (full.status_code, full.headers["retry-after"]) == (503, "5")
        assert "try again" in full.json()["detail"]
        go.set()
        for job in jobs:
            while client.get(f"/api/jobs/{job['id']}").json()["state"] != "done":
                time.sleep(0.02)
        assert client.get(f"/api/reports/{jobs[1]['id']}").json()["findings"][0]["cause"] == "disk-full"


def test_a_mistake_in_our_own_code_is_one_answer_and_not_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Analyzer, "analyze", lambda *given, **named: 1 / 0)
    with client_of(ServeSettings()) as client:
        assert client.post("/api/analyze", content=LOG).status_code == 500
        job = client.post("/api/analyze", params={"wait": "false"}, content=LOG).json()
        while (state := client.get(f"/api/jobs/{job['id']}").json())["state"] != "failed":
            time.sleep(0.02)
        assert state["error"]
        assert client.get(f"/reports/{job['id']}", headers={"accept": "text/html"}).status_code == 500
        assert client.get("/").status_code == 200
    assert any(
        record.__dict__["fields"].get("error") == "ZeroDivisionError" for record in caplog.records if "fields" in record.__dict__
    )


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:1", 200), ("127.0.0.1", 200), ("[::1]:8765", 200), ("10.1.2.3", 200), ("evil.example.org", 421), ("", 421),
     ("localhost.example.org", 421), ("127.0.0.1.example.org", 421), ("ci.example.org", 200), ("CI.example.org:8080", 200), ("[", 421)],
)  # fmt: skip
def test_only_names_of_our_own_are_answered(host: str, status: int) -> None:
    from logkb.web_guard import Guard

    guard = Guard(None, ServeSettings(allowed_hosts=("ci.example.org",)))  # type: ignore[arg-type]
    assert guard._known(host) is (status == 200)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "{own}"}, 200),
        ({"origin": "{own}", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "http://evil.example.org"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"origin": ""}, 403),
        ({"origin": "{own}", "sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"host": "evil.example.org"}, 421),
    ],
)
def test_another_site_cannot_send_logs(client: httpx.Client, headers: dict[str, str], status: int) -> None:
    own = f"http://{client.base_url.netloc.decode()}"
    sent = {name: value.replace("{own}", own) for name, value in headers.items()}
    for url in ("/api/analyze", "/analyze"):
        answer = client.post(url, headers=sent, content=LOG)
        assert answer.status_code == (303 if status == 200 and url == "/analyze" else status)


@pytest.mark.parametrize(
    "url",
    [
        "/",
        "/causes",
        "/causes/disk-full",
        "/search?q=x",
        "/nothing",
        "/static/page.css",
        "/static/none",
        "/api/causes",
        "/api/openapi.json",
    ],
)
def test_every_answer_carries_the_policy(client: httpx.Client, url: str) -> None:
    answer = client.get(url)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in HEADERS["content-security-policy"]


class Page(HTMLParser):
    """Collects what the policy forbids, and what a reader without eyes needs."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.fields: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.wrong += [f"{tag} {name}" for name in values if name.startswith("on") or name == "style"]
        if tag == "style" or (tag == "script" and not (values.get("src") or "").startswith("/static/")):
            self.wrong.append(f"inline {tag}")
        if tag in ("img", "iframe", "link", "script") and "//" in str(values.get("src") or values.get("href")):
            self.wrong.append(f"outside {tag}")
        if tag == "label" and values.get("for"):
            self.labels.add(str(values["for"]))
        if tag in ("input", "textarea", "select") and values.get("type") != "hidden":
            self.fields.append((tag, values))
        if values.get("id"):
            self.ids.append(str(values["id"]))
        if tag in ("h1", "main", "header"):
            self.headings.append(tag)


def test_pages_hold_nothing_inline_and_every_field_has_a_label(client: httpx.Client) -> None:
    urls = ["/", "/causes", "/causes/disk-full", "/search?q=no+space+left", "/nothing", f"/reports/{kept(client, LOG)}"]
    for url in urls:
        page = Page()
        page.feed(client.get(url, headers={"accept": "text/html"}).text)
        assert page.wrong == [], url
        assert len(page.ids) == len(set(page.ids)), url
        assert all(field.get("id") in page.labels or "aria-label" in field for _, field in page.fields), url
        assert page.headings == ["header", "main", "h1"], url


def test_hostile_text_stays_text(client: httpx.Client) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} \u202egnp.exe & ' \""
    data = f"{hostile}\nE: You don't have enough free space in /var/{hostile}\n".encode()
    identifier = kept(client, data, f"{hostile}.log")
    for url in (f"/reports/{identifier}", f"/search?q={hostile}"):
        page = Page()
        text = client.get(url, headers={"accept": "text/html"}).text
        page.feed(text)
        assert page.wrong == []
        assert "<script>alert" not in text
        assert "{{ 7*7 }}" in text
        assert "\u202e" not in text
    assert client.get(f"/causes/{hostile}").status_code == 404


def test_an_overlay_s_article_cannot_bring_markup_or_scripts(tmp_path: Path) -> None:
    body = "".join(
        f"## {heading}\n1. **Do it.** <script>alert(1)</script> [a](javascript:alert(1)) [b](data:text/html,x) ![c](http://example.org/c.png)"
        f" [d](//evil.example.org) [e](https://example.org/e) [f](disk-full.md#fix)\n\n```log\n<b>bold</b>\n```\n\n"
        for heading in (
            "What the log shows",
            "Why it happens",
            "Fix",
            "What does not help",
            "How to confirm",
            "Prevent",
            "References",
        )
    )
    head = "---\nfamily: house\ntags: [x]\nretryable: false\nreviewed: 2026-01-01\nreview_every: 90\n---\n"
    (tmp_path / "causes").mkdir()
    (tmp_path / "causes" / "own-cause.md").write_text(f"{head}# <i>Own</i> cause\n\nLead.\n\n{body}", encoding="utf-8")
    with client_of(ServeSettings(overlays=(tmp_path,))) as client:
        text = client.get("/causes/own-cause").text
        page = Page()
        page.feed(text)
        assert page.wrong == []
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "<b>bold" not in text
        links = [part.split('"')[0] for part in text.split('href="')[1:]]
        assert not [link for link in links if link.startswith(("javascript", "data", "//"))]
        assert "https://example.org/e" in links
        assert "/causes/disk-full#fix" in links


def test_search_answers_in_json_and_as_a_page(client: httpx.Client) -> None:
    found = client.get("/api/search", params={"q": "no space left on device", "limit": 3}).json()
    assert found["hits"][0]["cause"] == "disk-full"
    assert len(found["hits"]) <= 3
    assert 'href="/causes/disk-full"' in client.get("/search", params={"q": "no space left on device"}).text
    assert client.get("/search", params={"q": "no space", "family": "<x>"}).status_code == 200
    assert client.get("/api/search", params={"q": "a" * 10_001}).status_code == 422


def test_a_cause_names_what_it_hides_and_what_hides_it(client: httpx.Client) -> None:
    cause = client.get("/api/causes/apt-signature-invalid").json()
    assert {item["cause"] for item in cause["explained_by"]} >= {"disk-full"}
    assert "## Fix" in cause["markdown"]
    page = client.get("/causes/disk-full").text
    assert 'href="/causes/apt-signature-invalid"' in page
    ids = [item["id"] for item in client.get("/api/causes").json()["causes"]]
    assert len(ids) == len(set(ids)) > 100


def test_with_a_history_a_link_outlives_the_server(tmp_path: Path) -> None:
    settings = ServeSettings(history=tmp_path / "history", keep_seconds=3600)
    with client_of(settings) as client:
        identifier = kept(client, LOG)
        assert "Copy the link" in client.get(f"/reports/{identifier}").text
    with client_of(settings) as client:
        assert client.get(f"/api/reports/{identifier}").json()["findings"][0]["cause"] == "disk-full"
        assert len(client.get(f"/api/reports/{identifier}/lines").json()["lines"]) == 3
        assert client.get(f"/api/jobs/{identifier}").json()["state"] == "done"
    files = [path for path in (tmp_path / "history").rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"report.json", "report.md", "warnings.json", "log.txt", "log.idx", "log.json"}


def test_without_a_history_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with client_of(ServeSettings()) as client:
        identifier = kept(client, LOG)
        assert "Copy the link" not in client.get(f"/reports/{identifier}").text
        assert [path.name for path in tmp_path.rglob("upload-*")] == []
        client.post("/api/analyze", content=LOG)
        assert len(list(tmp_path.rglob("report.json"))) == 1, "an answer that nobody comes back for is not kept"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("identifier", ["x" * 22, "../../etc/passwd", "..%2f..%2fetc", "%00", "a", "x" * 23])
def test_an_id_leads_nowhere_else(client: httpx.Client, identifier: str) -> None:
    for url in (
        "/reports/{}",
        "/reports/{}.md",
        "/api/reports/{}",
        "/api/reports/{}/lines",
        "/api/reports/{}/find?q=a",
        "/api/jobs/{}",
    ):
        assert client.get(url.format(identifier), headers={"accept": "text/html"}).status_code in (404, 422)


def test_a_request_is_one_line_without_query_or_id(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "logkb.serve")
    identifier = kept(client, LOG, "private.log")
    client.get("/search", params={"q": "private words"})
    client.get(f"/reports/{identifier}")
    rows = [record.__dict__["fields"] for record in caplog.records if record.name == "logkb.serve"]
    assert {"/api/analyze", "/search", "/reports/{id}"} <= {row["path"] for row in rows}
    assert all(set(row) == {"method", "path", "status", "ms", "bytes"} for row in rows)
    assert "private" not in json.dumps(rows)
    assert identifier not in json.dumps(rows)


def test_a_rule_s_own_fix_is_shown_as_the_command_that_it_is(client: httpx.Client) -> None:
    log = b'error: failed to select a version for the requirement `corelib = "^0.9"`\nerror: process completed with exit code 101\n'
    identifier = kept(client, log)
    fix = client.get(f"/api/reports/{identifier}").json()["findings"][0]["fixes"][0]
    assert fix == "`cargo tree -i corelib`"
    assert "<p><code>cargo tree -i corelib</code></p>" in client.get(f"/reports/{identifier}").text


def test_a_log_that_nobody_knows_says_so_and_shows_its_end(client: httpx.Client) -> None:
    page = client.get(
        f"/reports/{kept(client, b'frobnicator exploded' + chr(10).encode() + b'##[error]Process completed with exit code 7.')}"
    ).text
    assert "No known cause" in page
    assert "<pre>frobnicator exploded" in page
