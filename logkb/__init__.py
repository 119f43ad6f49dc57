"""logkb says why a build failed: ranked root causes, each with a confidence, the lines that prove it, and a fix."""

from logkb.analysis import Analyzer, analyze
from logkb.errors import InputError, KnowledgeError, LogkbError, UsageError
from logkb.knowledge import Knowledge, load_knowledge
from logkb.records import Evidence, Excerpt, Finding, LogFacts, Report, Retry
from logkb.report import dump_json, to_json

__version__ = "0.1.0"

__all__ = [
    "Analyzer",
    "Evidence",
    "Excerpt",
    "Finding",
    "InputError",
    "Knowledge",
    "KnowledgeError",
    "LogFacts",
    "LogkbError",
    "Report",
    "Retry",
    "UsageError",
    "__version__",
    "analyze",
    "dump_json",
    "load_knowledge",
    "to_json",
]
