"""A rule as TOML that a person will review, and the proof that it loads and matches its samples."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from logkb.matcher import Matcher
from logkb.rules import load_rule_file
from logkb.source import Source

MAX_ID = 60
MAX_COMMENT = 300


@dataclass(frozen=True, slots=True)
class Found:
    """A pattern of somebody else's, or the reason why it cannot be used."""

    name: str
    pattern: str
    before: tuple[str, int] | None = None
    refused: str = ""
    comments: tuple[str, ...] = ()
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule to be; `preceded_by` is the pattern of an earlier line and within how many lines it stands."""

    id: str
    cause: str
    keywords: tuple[str, ...]
    pattern: str
    message: str
    samples: tuple[str, ...]
    fingerprint: tuple[str, ...] = ()
    preceded_by: tuple[str, int] | None = None
    comments: tuple[str, ...] = ()

    def toml(self) -> str:
        """The `[[rule]]` table. Texts from elsewhere are quoted so that none can become a key or a table."""
        keyword = toml_text(self.keywords[0]) if len(self.keywords) == 1 else _list(self.keywords)
        lines = [
            *(f"# {one_line(comment)}" for comment in self.comments),
            "[[rule]]",
            f"id = {toml_text(self.id)}",
            f"cause = {toml_text(self.cause)}",
            "strength = 'medium'",
            f"keyword = {keyword}",
            f"pattern = {toml_text(self.pattern)}",
            f"message = {toml_text(self.message)}",
            f"fingerprint = {_list(self.fingerprint)}",
        ]
        if self.preceded_by:
            pattern, within = self.preceded_by
            lines.append(f"preceded_by = {{ pattern = {toml_text(pattern)}, within = {within} }}")
        lines.append("should_not_match = []")
        for sample in self.samples:
            lines += ["[[rule.should_match]]", f"line = {toml_text(sample)}"]
        return "\n".join(lines) + "\n"

    def mistake(self) -> str:
        """Why the rule cannot be used as it stands; empty when it loads and matches all its samples."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "draft.toml"
            path.write_text(self.toml(), encoding="utf-8", errors="replace")
            loaded = load_rule_file(path)
        if loaded.problems:
            return "; ".join(problem.what for problem in loaded.problems)
        matcher = Matcher(loaded.rules, engine="aho-corasick")
        for sample in self.samples:
            if not matcher.scan(Source.from_bytes(sample.encode(errors="replace"))).matches:
                return f"the pattern does not match {sample[:80]!r}"
        return ""


def _list(texts: Sequence[str]) -> str:
    return "[" + ", ".join(toml_text(text) for text in texts) + "]"


def toml_text(text: str) -> str:
    """A text as TOML: literal, so that backslashes stay readable, where TOML allows it."""
    if "'" not in text and text.isprintable():
        return f"'{text}'"
    # JSON's escapes are TOML's, except that TOML wants DEL escaped too.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def one_line(text: str) -> str:
    """A text from elsewhere as (part of) one line: no control characters, of bounded length."""
    flat = re.sub(r"[^\S ]+|[^\x20-\x7e\xa1-\ud7ff\ue000-\uffff]", " ", text)
    return flat if len(flat) <= MAX_COMMENT else flat[: MAX_COMMENT - 1] + "…"


def slug(text: str, fallback: str = "unnamed") -> str:
    """Lower-case words joined by '-', as ids are written."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return "-".join(words)[:MAX_ID].strip("-") or fallback


def template(text: str) -> str:
    """A text as a message template that names no capture."""
    return re.sub(r"[{}]", "", one_line(text))[:120].strip() or "the tool failed"
