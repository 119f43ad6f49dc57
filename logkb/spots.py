"""Where in the sources a finding points: the file and line that the log names, as a path inside the repository."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from logkb.records import Evidence, Finding

# Where CI systems check a repository out, up to and with the slash behind it.
_CHECKOUTS = (
    r"/(?:home|Users)/runner/(?:_)?work/[^/]+/[^/]+/",
    r"/__w/[^/]+/[^/]+/",
    r"/github/workspace/",
    r"[A-Za-z]:/a/[^/]+/[^/]+/",
    r"[A-Za-z]:/actions-runner/_work/[^/]+/[^/]+/",
    r"/builds/[^/]+/[^/]+/",
    r"/(?:home|var/lib)/jenkins/(?:agent/)?workspace/[^/]+/",
    r"/var/lib/buildkite-agent/builds/[^/]+/[^/]+/[^/]+/",
    r"/home/circleci/project/",
    r"/home/travis/build/[^/]+/[^/]+/",
    r"/home/vsts/work/\d+/s/",
    r"/drone/src/",
    r"/woodpecker/src/[^/]+/[^/]+/[^/]+/",
)
_NAME = r"(?:[A-Za-z]:)?[^\s:()\[\]{}<>\"'`,;|*?=#]{1,240}"
_FILE = rf"{_NAME}\.[A-Za-z][A-Za-z0-9_+-]{{0,11}}|(?:{_NAME}/)?(?:Dockerfile|Makefile|Jenkinsfile|Containerfile|CMakeLists\.txt)"
_NAMED = (
    rf"File \"(?P<file>{_FILE})\", line (?P<line>\d{{1,7}})",
    rf"(?<![\w./\\-])(?P<file>{_FILE})(?::(?P<line>\d{{1,7}})(?::(?P<column>\d{{1,5}}))?(?![\w.])|\((?P<line2>\d{{1,7}})(?:,\s?(?P<column2>\d{{1,5}}))?\))",
)
# Captures of the rules that hold a file's path; they are spelt so throughout `patterns/`.
_CAPTURES = ("file", "path")
# Below these no file is the repository's own.
_FOREIGN = re.compile(r"(?:^|/)(?:node_modules|site-packages|dist-packages|vendor/bundle|\.cargo/registry|\.venv|\.tox)/")
# db.example.org:5432 is a host and its port.
_HOST = re.compile(r"[\w.-]+\.(?:com|org|net|io|dev|local|localdomain|internal|lan|cloud|svc)")
MAX_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the repository: a relative path with `/`, and a line and column from 1, if the log tells them."""

    path: str
    line: int | None = None
    column: int | None = None


def spot_of(finding: Finding, roots: Sequence[str] = ()) -> Spot | None:
    """The first place in the repository that the finding's evidence names; `roots` are further folders of check-outs."""
    found = [spot for item in finding.evidence for spot in _spots(item, roots)]
    return next((spot for spot in found if spot.line), found[0] if found else None)


def _spots(item: Evidence, roots: Sequence[str]) -> Iterator[Spot]:
    text = item.text[:MAX_TEXT]
    for pattern in _NAMED:
        for match in re.finditer(pattern, text):
            groups = match.groupdict()
            path = inside(groups["file"], roots)
            if path:
                column = groups.get("column") or groups.get("column2")
                line = int(groups["line"] or groups["line2"])
                yield Spot(path, line or None, int(column) if column and int(column) else None)
    yield from _captured(item.captures, roots)


def _captured(captures: Mapping[str, str], roots: Sequence[str]) -> Iterator[Spot]:
    line = captures.get("line", "")
    for name in _CAPTURES:
        value = captures.get(name, "")
        if re.fullmatch(_FILE, value):
            path = inside(value, roots)
            if path:
                yield Spot(path, int(line) if re.fullmatch(r"[1-9]\d{0,6}", line) else None)


def inside(path: str, roots: Sequence[str] = ()) -> str | None:
    """A path of the log as a path inside the repository, or None when it lies elsewhere."""
    path = path.replace("\\", "/").removeprefix("file://")
    for root in roots:
        folder = root.replace("\\", "/").rstrip("/") + "/"
        if len(folder) > 1 and path.startswith(folder):
            path = path[len(folder) :]
    for checkout in _CHECKOUTS:
        if found := re.match(checkout, path):
            path = path[found.end() :]
            break
    path = re.sub(r"^(?:\./)+", "", path)
    parts = path.split("/")
    if not path or path[0] in "/~-$%" or ":" in parts[0] or ".." in parts or "" in parts or _FOREIGN.search(path):
        return None
    if _HOST.fullmatch(path):
        return None
    return path
