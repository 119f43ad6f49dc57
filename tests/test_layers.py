"""The layout shows the data flow: a module imports only from rows below its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "logkb"
# From the doors down to the records; modules of one row may not import each other, except as listed in WITHIN.
ROWS: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli", "quick", "quick_search"),
    ("cli_doors", "cli_site", "cli_search"),
    ("commands",),
    ("kb_commands", "search_evaluation"),
    ("search_commands",),
    ("serve_commands", "comment_commands", "site_commands", "mcp_commands"),
    ("server", "mcp_server"),
    ("mcp_guard",),
    ("mcp_tools",),
    ("mcp_runs", "mcp_logs", "mcp_report"),
    ("mcp_pack", "mcp_paths", "mcp_settings"),
    ("mcp_models",),
    ("web_pages", "web_api", "webhooks"),
    ("web_core", "web_guard"),
    ("web_jobs", "web_view", "web_upload"),
    ("web_store", "web_log", "web_articles"),
    ("web_sections", "web_problems", "web_models"),
    ("worker", "inbox"),
    ("webhook_bot", "metrics", "webhook_events", "webhook_settings"),
    ("bot",),
    ("github", "gitlab", "comments"),
    ("github_client",),
    ("accuracy",),
    ("evaluation", "learning", "doctor", "gaps", "importers"),
    ("documents",),
    ("sarif", "codequality"),
    ("check", "markdown", "annotations", "junit", "text", "scaffold", "training", "stress", "errorformat"),
    ("site",),
    ("site_sphinx", "site_indexes"),
    ("site_pages",),
    ("site_neighbours",),
    ("site_catalogue",),
    ("masking",),
    ("lookup",),
    ("kb_shared", "search_log"),
    ("report", "drafts", "spots"),
    ("analysis",),
    ("ranking", "outcome"),
    ("matcher", "excerpt", "classifier"),
    ("kb", "search_plan", "search_rules"),
    ("kb_build",),
    ("engine", "steps", "log", "knowledge"),
    ("literals",),
    ("bounded",),
    ("source", "rules", "articles", "corpus", "packages"),
    ("spool",),
    ("forge",),
    ("waiting",),
    ("deliveries",),
    ("logging_json",),
    ("redact",),
    ("redact_keys",),
    ("redact_views", "redact_values"),
    (
        "clean",
        "redact_kinds",
        "paths",
        "cache",
        "serve_settings",
        "listening",
        "connections",
        "owners",
        "site_blocks",
        "site_graph",
        "site_check",
    ),
    ("records",),
    ("needs", "places", "search_text", "kb_schema"),
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
