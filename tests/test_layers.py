"""The layout shows the data flow: a module imports only from rows below its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "logkb"
# From the doors down to the records; modules of one row may not import each other, except as listed in WITHIN.
ROWS: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli", "quick"),
    ("commands",),
    ("accuracy",),
    ("evaluation", "learning", "doctor", "gaps", "importers"),
    ("check", "markdown", "text", "scaffold", "training", "stress", "errorformat"),
    ("report", "drafts"),
    ("analysis",),
    ("ranking", "outcome"),
    ("matcher", "excerpt", "classifier"),
    ("engine", "steps", "log", "knowledge"),
    ("literals",),
    ("source", "clean", "rules", "articles", "corpus", "packages"),
    ("redact", "paths", "cache"),
    ("records",),
    ("errors",),
)
LEVEL = {module: len(ROWS) - index for index, row in enumerate(ROWS) for module in row}


def modules() -> list[str]:
    return sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__")


def imports_of(module: str) -> set[str]:
    tree = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "logkb":
            names = [node.module.split(".")[1]] if "." in node.module else [alias.name for alias in node.names]
            found.update(name for name in names if name in LEVEL)
    return found


def test_every_module_has_its_row() -> None:
    assert set(modules()) == set(LEVEL)


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_downwards(module: str) -> None:
    upwards = {name for name in imports_of(module) if LEVEL[name] >= LEVEL[module]}
    assert not upwards, f"{module} imports {sorted(upwards)}, which do not stand below it"
