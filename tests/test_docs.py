"""The documents are true: what is generated is current, links lead somewhere, the README's commands are there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_the_command_reference_is_generated_from_the_code(tmp_path: Path) -> None:
    out = tmp_path / "cli.md"
    command = [sys.executable, "-m", "typer", "logkb.cli", "utils", "docs", "--name", "logkb", "--output", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert (ROOT / "docs" / "reference" / "cli.md").read_text() == out.read_text(), "run scripts/docs"


def test_every_command_has_help_and_an_example() -> None:
    text = (ROOT / "docs" / "reference" / "cli.md").read_text()
    parts = re.split(r"^#+ `(logkb [^`]+)`$", text, flags=re.M)
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        assert "Example: " in body or "COMMAND [ARGS]" in body, name


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_to_files(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target) and not target.startswith("#"):
            assert (path.parent / target.split("#")[0]).exists(), f"{path.name} links to {target}"


def test_the_readme_opens_with_two_commands_that_the_ci_uses() -> None:
    text = (ROOT / "README.md").read_text()
    blocks = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", text, re.M | re.S)
    assert len(blocks[0].strip().splitlines()) == 1
    assert blocks[1].strip() == "scripts/check"


def test_the_readme_s_report_is_what_logkb_prints() -> None:
    text = (ROOT / "README.md").read_text()
    command = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)[0].strip().split("logkb analyze ")[1]
    shown = re.search(r"^```text\n(.*?)^```", text, re.M | re.S)
    assert shown
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-m", "logkb", "analyze", command],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == shown[1]
