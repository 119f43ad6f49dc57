"""The files for containers and systemd say what the program understands."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from logkb.webhook_settings import GITHUB_SECRET, default_store
from tests.test_docs import ROOT

UNIT = ROOT / "deploy" / "logkb.service"
CONTAINER = ROOT / "deploy" / "Containerfile"
REFERENCE = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")


def options_of_serve() -> set[str]:
    part = re.search(r"^## `logkb serve`$(.*?)^## ", REFERENCE, re.M | re.S)
    assert part
    return set(re.findall(r"`(--[a-z-]+)", part[1]))


def test_the_unit_and_the_container_run_serve_with_options_that_it_has() -> None:
    unit = re.search(r"^ExecStart=(.+)$", UNIT.read_text(), re.M)
    container = re.search(r"^CMD \[(.+)\]$", CONTAINER.read_text(), re.M)
    assert unit
    assert container
    for words in (shlex.split(unit[1])[1:], [word.strip(' "') for word in container[1].split(",")][1:]):
        assert words[0] == "serve"
        assert {word for word in words if word.startswith("--")} <= options_of_serve()
        assert "--webhooks-only" in words


def test_the_unit_keeps_its_state_where_the_program_looks_for_it() -> None:
    text = UNIT.read_text()
    assert "StateDirectory=logkb" in text
    assert default_store({"STATE_DIRECTORY": "/var/lib/logkb"}) == Path("/var/lib/logkb/deliveries.sqlite3")
    assert f"{GITHUB_SECRET}_FILE=%d/github-webhook-secret" in text
    # The workers' bound and the requests' bound must both pass before systemd kills.
    assert int(re.search(r"TimeoutStopSec=(\d+)", text)[1]) > 20 + 10  # type: ignore[index]


def test_the_container_installs_extras_that_exist_and_is_not_root() -> None:
    text = CONTAINER.read_text()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    installed = re.search(r"'\.\[([a-z,]+)\]'", text)
    assert installed
    assert set(installed[1].split(",")) <= set(extras)
    assert re.search(r"^USER 10001:10001$", text, re.M)
    for path in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.M):
        assert all((ROOT / name).exists() for name in path.split())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / "logkb.service"
    # Whether the program is installed there is not the question.
    copy.write_text(UNIT.read_text().replace("/opt/logkb/bin/logkb", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
