"""logkb says why a build failed: ranked root causes, each with a confidence, the lines that prove it, and a fix."""

from __future__ import annotations

# Importing `typing` for the constant of this name would cost as much as a search.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from logkb.analysis import Analyzer as Analyzer
    from logkb.analysis import analyze as analyze
    from logkb.errors import InputError as InputError
    from logkb.errors import KnowledgeError as KnowledgeError
    from logkb.errors import LogkbError as LogkbError
    from logkb.errors import UsageError as UsageError
    from logkb.knowledge import Knowledge as Knowledge
    from logkb.knowledge import load_knowledge as load_knowledge
    from logkb.lookup import Hit as Hit
    from logkb.lookup import SearchResult as SearchResult
    from logkb.lookup import search as search
    from logkb.records import Evidence as Evidence
    from logkb.records import Excerpt as Excerpt
    from logkb.records import Finding as Finding
    from logkb.records import LogFacts as LogFacts
    from logkb.records import Report as Report
    from logkb.records import Retry as Retry
    from logkb.report import dump_json as dump_json
    from logkb.report import to_json as to_json

__version__ = "0.1.0"

# Where each public name lives; imported at first use, so that a door that needs one module does not pay for all of them.
_HOMES = {
    "analysis": ("Analyzer", "analyze"),
    "errors": ("InputError", "KnowledgeError", "LogkbError", "UsageError"),
    "knowledge": ("Knowledge", "load_knowledge"),
    "records": ("Evidence", "Excerpt", "Finding", "LogFacts", "Report", "Retry"),
    "report": ("dump_json", "to_json"),
    "lookup": ("Hit", "SearchResult", "search"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Analyzer",
    "Evidence",
    "Excerpt",
    "Finding",
    "Hit",
    "InputError",
    "Knowledge",
    "KnowledgeError",
    "LogFacts",
    "LogkbError",
    "Report",
    "Retry",
    "SearchResult",
    "UsageError",
    "__version__",
    "analyze",
    "dump_json",
    "load_knowledge",
    "search",
    "to_json",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'logkb' has no attribute '{name}'")
    from importlib import import_module

    value = getattr(import_module(f"logkb.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
