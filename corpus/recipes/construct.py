"""Logs that cannot be produced here: real context, and the words of a service or tool from its own documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from .errors import RecipeError
from .facts import find_line, write
from .lab import CORPUS
from .redact import redact
from .sandbox import plain_lines


@dataclass(frozen=True)
class Constructed:
    """A failure in words that are documented, after the lines of a build that was recorded."""

    name: str
    cause: str
    tool: str
    reason: str
    before: str  # a recorded passing log, whose lines come first
    text: str
    key: str
    exit: int = 1
    keep: int = 60  # lines of context


def _context(stem: str, keep: int) -> str:
    """Return the first lines of a recorded log of a build that passed."""
    path: Path = CORPUS / "passing" / f"{stem}.log"
    if not path.exists():
        raise RecipeError(f"no {path.name}: record it first")
    lines = path.read_bytes().decode("utf-8", "replace").split("\n")
    return "\n".join(line for line in lines[:keep] if "Job succeeded" not in line and "SUCCESS" not in line)


def construct(item: Constructed) -> Path:
    """Write one constructed log and its facts."""
    text, redacted = redact(_context(item.before, item.keep).rstrip("\n") + "\n" + item.text.strip("\n") + "\n")
    number = find_line(plain_lines(text), item.key, last=True)
    if not number:
        raise RecipeError(f"{item.name}: no line matches {item.key!r}")
    facts: dict[str, object] = {
        "cause": item.cause, "recipe": item.name, "family": f"constructed-{item.tool}-{item.cause}", "tool": item.tool, "tool_version": "", "wrapper": "constructed",
        "command": "", "exit_status": item.exit, "signature": item.key, "key_line": number, "recorded": date.today(), "redacted": redacted, "constructed": True, "reason": item.reason,
    }  # fmt: skip
    return write(item.cause, item.name, text, facts)


# Recorded builds whose lines name no cause of their own, even when they are cut short.
_CALM = (
    "ok-gcc-warnings",
    "ok-clang-warnings",
    "ok-configure-no",
    "ok-lint-clean",
    "ok-image-make",
    "ok-pip-root",
    "ok-uv-warnings",
    "ok-npm-deprecated",
    "ok-yarn-warnings",
    "ok-pnpm",
    "ok-apt-debconf",
    "ok-mvn-warnings",
    "ok-tools-missing",
)


def everything() -> Iterator[Constructed]:
    """Give all constructed logs."""
    from .constructed_texts import TEXTS

    contexts = sorted(path.stem for path in (CORPUS / "passing").glob("*.log") if path.stem.startswith(_CALM))
    for number, (cause, tool, reason, key, text) in enumerate(TEXTS):
        fitting = [stem for stem in contexts if tool in stem] or [stem for stem in contexts if "docker" not in stem and "build" not in stem]
        yield Constructed(f"constructed-{cause}-{number}", cause, tool, reason, fitting[number * 7 % len(fitting)], text, key, keep=30 + number * 13 % 90)
