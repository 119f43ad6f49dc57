"""The log and its facts on disk: written together, and checked against each other."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from .errors import Refused
from .lab import CORPUS, tool_version
from .model import PASSING, Recipe
from .redact import FORBIDDEN, redact
from .sandbox import Outcome, plain_lines
from .wrappers import accepted

LARGEST = 1_000_000  # bytes of one log


def find_line(lines: list[str], pattern: str, *, last: bool = False) -> int:
    """Return the number, from 1, of the first (or last) line that matches, or 0."""
    found = re.compile(pattern)
    numbers = [number for number, line in enumerate(lines, 1) if found.search(line)]
    return (numbers[-1] if last else numbers[0]) if numbers else 0


# Lines that repeat a command or a source line: what they hold is not what happened.
_ECHO = re.compile(
    r"^(?:\$ |##\[group\]|\++ |STEP \d|\[\d/\d\] STEP|Step \d|#\d+ \[|> (?:\S+@\S+|node|npm|npx|tsc|webpack|vite|mocha|jest|eslint|\./)|travis_fold|The command |#\d+ ERROR: (?:process|executor)|ERROR: failed to solve: process|\s+(?:raise|throw) )"
)


def spoken(lines: list[str], recipe: Recipe) -> list[str]:
    """Return the lines with the echoed commands left empty."""
    commands = {line.strip() for step in recipe.steps for line in step.splitlines()}
    return ["" if _ECHO.match(line) or line.strip() in commands else line for line in lines]


def verify(recipe: Recipe, outcome: Outcome) -> int:
    """Refuse a log that shows another failure than the recipe promised; return the key line."""
    tail = " | ".join(line for line in plain_lines(outcome.text)[-6:] if line)[-600:]
    if outcome.status not in accepted(recipe):
        wanted = " or ".join(map(str, sorted(accepted(recipe))))
        raise Refused(f"{recipe.name}: exit status {outcome.status}, not {wanted}: {tail}")
    lines = spoken(plain_lines(outcome.text), recipe)
    if not find_line(lines, recipe.signature):
        raise Refused(f"{recipe.name}: the log does not show {recipe.signature!r}: {tail}")
    if recipe.forbid and find_line(lines, recipe.forbid):
        raise Refused(f"{recipe.name}: the log shows {recipe.forbid!r}, which is another failure")
    number = find_line(lines, recipe.key_pattern, last=recipe.last) or find_line(lines, recipe.signature)
    if not number:
        raise Refused(f"{recipe.name}: no key line {recipe.key_pattern!r}: {tail}")
    if len(outcome.text.encode()) > LARGEST:
        raise Refused(f"{recipe.name}: {len(outcome.text)} characters; trim the recipe (head=...)")
    return number


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | date):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def dump(facts: Mapping[str, object]) -> str:
    """Write facts as TOML."""
    return "".join(f"{key} = {_toml(value)}\n" for key, value in facts.items())


def save(recipe: Recipe, outcome: Outcome) -> Path:
    """Verify, redact and write one log with its facts; return the log's path."""
    verify(recipe, outcome)
    text, redacted = redact(outcome.text)
    number = verify(recipe, Outcome(outcome.status, text))  # the redaction left the failure in
    if found := FORBIDDEN.search(text):
        raise Refused(f"{recipe.name}: the log still holds {found[0]!r}")
    command = recipe.dockerfile.strip() or " && ".join(step.strip() for step in recipe.steps)
    facts: dict[str, object] = {
        "cause": recipe.cause, "recipe": recipe.name, "family": recipe.fold, "tool": recipe.tool,
        "tool_version": redact(tool_version(recipe))[0], "wrapper": recipe.wrapper, "command": redact(command)[0],
        "exit_status": outcome.status, "signature": recipe.signature,
    }  # fmt: skip
    if recipe.cause != PASSING:
        facts["key_line"] = number
    facts |= {"recorded": date.today(), "redacted": redacted, "constructed": False}
    return write(recipe.cause, recipe.name, text, facts)


def write(cause: str, name: str, text: str, facts: Mapping[str, object]) -> Path:
    """Put a log and its facts on disk, the facts first so that no log is without."""
    folder = CORPUS / cause
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(dump(facts))
    path = folder / f"{name}.log"
    path.write_text(text, newline="")
    return path


def problems(log: Path) -> list[str]:
    """Check one log on disk against its facts."""
    facts_path = log.with_suffix(".toml")
    if not facts_path.exists():
        return [f"{log}: no facts beside it"]
    facts: dict[str, Any] = tomllib.loads(facts_path.read_text())
    text = log.read_bytes().decode("utf-8", "replace")
    lines = plain_lines(text)
    found = []
    if facts["cause"] != log.parent.name:
        found.append(f"{log}: its facts say {facts['cause']!r}")
    if not find_line(lines, facts["signature"]):
        found.append(f"{log}: no line matches the signature {facts['signature']!r}")
    number = facts.get("key_line", 1)
    if not 1 <= number <= len(lines):
        found.append(f"{log}: key line {number} of {len(lines)}")
    if (facts["exit_status"] == 0) != (facts["cause"] == PASSING):
        found.append(f"{log}: exit status {facts['exit_status']}")
    if facts["constructed"] and not facts.get("reason"):
        found.append(f"{log}: constructed without a reason")
    if len(text) > LARGEST:
        found.append(f"{log}: {len(text)} characters")
    found += [f"{path}: holds {match[0]!r}" for path, body in ((log, text), (facts_path, facts_path.read_text()))
              if (match := FORBIDDEN.search(body))]  # fmt: skip
    return found
