"""`corpus/<cause>/<name>.log` + `.toml` -> labelled examples; any folder with a manifest in the development set's form, too."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from logkb.errors import Location, Problem, UsageError

PASSING = "passing"


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled log. `cause` is None for a build that passed; `accept` are other fair answers.

    `group` is what must never be split between training and testing: the recipe's family and tool, or the project.
    `key_lines` (first, last; raw numbers) is where the failure is named, if known. `wrapper` is the CI system or builder.
    """

    path: Path
    cause: str | None
    accept: tuple[str, ...]
    group: str
    project: str
    wrapper: str
    key_lines: tuple[int, int] | None
    constructed: bool


def read_corpus(root: Path) -> tuple[tuple[Example, ...], tuple[Problem, ...]]:
    """The examples below a corpus folder, sorted by path, and what is wrong with the others."""
    examples: list[Example] = []
    problems: list[Problem] = []
    for path in sorted(root.glob("*/*.log")):
        facts_path = path.with_suffix(".toml")
        try:
            facts = tomllib.loads(facts_path.read_text(encoding="utf-8"))
            cause = str(facts["cause"])
            key = facts.get("key_line")
        except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
            problems.append(
                Problem(Location(facts_path), f"cannot be read ({error})", "write cause = '…' and the other facts", path.stem)
            )
            continue
        if cause != path.parent.name:
            mend = "move the log, or correct the cause"
            problems.append(Problem(Location(facts_path), f"says '{cause}' in the folder '{path.parent.name}'", mend, path.stem))
            continue
        family = str(facts.get("family", path.stem))
        examples.append(
            Example(
                path=path,
                cause=None if cause == PASSING else cause,
                accept=tuple(facts.get("accept", ())),
                group=f"{family}/{facts.get('tool', '')}",
                project=family,
                wrapper=str(facts.get("wrapper", "")),
                key_lines=(key, key) if isinstance(key, int) else None,
                constructed=bool(facts.get("constructed", False)),
            )
        )
    return tuple(examples), tuple(problems)


def read_manifest(manifest: Path, root: Path) -> tuple[Example, ...]:
    """The labelled and the passed logs of a manifest: one JSON object a line with path, status, cause, accept, key_line, project.

    Raises `UsageError` when a line is not that.
    """
    return tuple(_manifest_rows(manifest, root))


def _manifest_rows(manifest: Path, root: Path) -> Iterator[Example]:
    for number, line in enumerate(manifest.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            path, status, cause = root / row["path"], row["status"], row.get("cause")
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{manifest}:{number}: not a manifest's line ({error}); write path, status and cause") from None
        if status == "passed" or cause:
            project = row.get("project") or row["path"]
            accept = tuple(row.get("accept") or ())
            yield Example(path, cause, accept, project, project, "", _key_lines(row.get("key_line")), constructed=False)


def _key_lines(value: object) -> tuple[int, int] | None:
    if isinstance(value, int):
        return value, value
    if isinstance(value, list) and value:
        return int(value[0]), int(value[-1])
    if isinstance(value, str) and value:
        first, _, last = value.partition("-")
        return int(first), int(last or first)
    return None
