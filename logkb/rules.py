"""`patterns/**/*.toml` -> rules. All mistakes are collected, each with file:line; a wrong rule never hides a good one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from typing import Any, get_args

from logkb.errors import Location, Problem
from logkb.records import Mark, Neighbour, Rule, Sample, Strength

IDENTIFIER = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MIN_KEYWORD = 4
MAX_WITHIN = 50
# Nested open repeats are what backtracks exponentially; the engine's timeout catches the rest.
NESTED_REPEAT = re.compile(r"\((?:\?:|\?P<\w+>)?[^()|]*[^()\\|][+*]\)[+*]")
RULE_KEYS = frozenset(
    {
        "id", "cause", "marks", "strength", "keyword", "pattern", "message", "fingerprint", "fix",
        "followed_by", "preceded_by", "should_match", "should_not_match",
    }
)  # fmt: skip
NEIGHBOUR_KEYS = frozenset({"pattern", "keyword", "within"})


@dataclass(frozen=True, slots=True)
class RuleFile:
    """The rules of one file, and what is wrong with the others."""

    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class _Block:
    """One `[[rule]]` table with the lines that it was read from, so that a problem can name its line."""

    path: Path
    table: Mapping[str, Any]
    first_line: int
    lines: list[str]
    problems: list[Problem] = field(default_factory=list)

    def where(self, needle: str) -> Location:
        for offset, line in enumerate(self.lines):
            if line.lstrip().startswith(needle):
                return Location(self.path, self.first_line + offset)
        return Location(self.path, self.first_line)

    def wrong(self, key: str, what: str, mend: str) -> None:
        self.problems.append(Problem(self.where(key), what, mend, str(self.table.get("id", "rule without id"))))

    def text(self, key: str, *, optional: bool = False) -> str:
        value = self.table.get(key)
        if isinstance(value, str) and value:
            return value
        if value is None and optional:
            return ""
        if value is None:
            self.wrong(key, f"'{key}' is missing", f"add {key} = '…'")
        else:
            self.wrong(key, f"'{key}' is not a text", f"write {key} = '…'")
        return ""

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.table.get(key, [])
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.wrong(key, f"'{key}' is not a list of texts", f"write {key} = ['…']")
        return ()


def load_rule_files(paths: Iterable[Path]) -> RuleFile:
    """Read all files, in order. A second rule with an id that exists is a problem, except across folders (the overlay)."""
    rules: list[Rule] = []
    problems: list[Problem] = []
    seen: dict[str, Location] = {}
    for path in paths:
        loaded = load_rule_file(path)
        problems.extend(loaded.problems)
        for rule in loaded.rules:
            if rule.id in seen:
                problems.append(Problem(rule.location, f"the id is taken by {seen[rule.id]}", "choose another id", rule.id))
                continue
            seen[rule.id] = rule.location
            rules.append(rule)
    return RuleFile(tuple(rules), tuple(problems))


def load_rule_file(path: Path) -> RuleFile:
    """Read one TOML file. Never raises for what is in the file: whatever is wrong comes back as problems."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return RuleFile((), (Problem(Location(path), f"cannot be read ({error})", "mend or remove the file"),))
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found.group(1)) if found else text.count("\n") + 1
        mend = "mend the TOML; single quotes keep backslashes as they are"
        return RuleFile((), (Problem(Location(path, line), f"not valid TOML: {error}", mend),))
    problems = [
        Problem(Location(path), f"unknown table '{key}'", "a rule file holds only [[rule]] tables")
        for key in document
        if key != "rule"
    ]
    tables = document.get("rule", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        mend = "write [[rule]] (two brackets) above each rule"
        return RuleFile((), (*problems, Problem(Location(path), "'rule' is not a list of tables", mend)))
    rules = []
    for block in _blocks(path, text, tables):
        rule = _rule(block)
        problems.extend(block.problems)
        if rule is not None and not block.problems:
            rules.append(rule)
    return RuleFile(tuple(rules), tuple(problems))


def _blocks(path: Path, text: str, tables: list[Mapping[str, Any]]) -> list[_Block]:
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if re.match(r"\s*\[\[\s*rule\s*\]\]", line)]
    if len(starts) != len(tables):
        starts = [0] * len(tables)
    ends = [*starts[1:], len(lines)][: len(tables)]
    return [_Block(path, table, start + 1, lines[start:end]) for table, start, end in zip(tables, starts, ends, strict=True)]


def _rule(block: _Block) -> Rule | None:
    table = block.table
    for key in sorted(set(table) - RULE_KEYS):
        block.wrong(key, f"unknown key '{key}'", f"known keys: {', '.join(sorted(RULE_KEYS))}")
    identifier = block.text("id")
    if identifier and not IDENTIFIER.fullmatch(identifier):
        block.wrong("id", f"id '{identifier}' is not lower-case words joined by '-'", "write it like 'pip-no-space'")
    cause, marks = _cause_or_mark(block)
    strength = block.text("strength")
    if strength and strength not in get_args(Strength):
        block.wrong("strength", f"unknown strength '{strength}'", "use 'strong', 'medium' or 'weak'")
    keywords = _keywords(block, table.get("keyword"), "keyword")
    pattern = block.text("pattern")
    groups = _groups(block, "pattern", pattern)
    neighbour = _neighbour(block)
    if neighbour is not None:
        groups |= _groups(block, "followed_by" if neighbour.after else "preceded_by", neighbour.pattern)
    message = block.text("message")
    _placeholders(block, "message", message, groups)
    fix = block.text("fix", optional=True) or None
    _placeholders(block, "fix", fix or "", groups)
    fingerprint = block.texts("fingerprint")
    for name in sorted(set(fingerprint) - groups):
        block.wrong("fingerprint", f"fingerprint names '{name}', which is no capture", "name a (?P<…>) group of the pattern")
    matching = _samples(block)
    rejected = tuple(Sample(text, block.where("should_not_match")) for text in block.texts("should_not_match"))
    if not matching:
        block.wrong("[[rule", "no should_match sample", "add [[rule.should_match]] with a line that the tool prints")
    if block.problems:
        return None
    return Rule(
        id=identifier, cause=cause, marks=marks, strength=strength, keywords=keywords, pattern=pattern,  # type: ignore[arg-type]
        message=message, fingerprint=fingerprint, fix=fix, neighbour=neighbour, should_match=matching,
        should_not_match=rejected, location=Location(block.path, block.first_line),
    )  # fmt: skip


def _cause_or_mark(block: _Block) -> tuple[str | None, Mark | None]:
    cause = block.text("cause", optional=True)
    marks = block.text("marks", optional=True)
    if bool(cause) == bool(marks):
        block.wrong("cause", "needs either 'cause' or 'marks'", "name the cause id, or marks = 'failed' or 'passed'")
        return None, None
    if cause and not IDENTIFIER.fullmatch(cause):
        block.wrong("cause", f"cause '{cause}' is not lower-case words joined by '-'", "use the article's file name")
    if marks and marks not in get_args(Mark):
        block.wrong("marks", f"unknown mark '{marks}'", "use 'failed' or 'passed'")
        return None, None
    return cause or None, marks or None  # type: ignore[return-value]


def _keywords(block: _Block, value: object, key: str) -> tuple[str, ...]:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        block.wrong(key, f"'{key}' is missing or not a text", "name a literal that every matching line holds")
        return ()
    for word in words:
        if len(word) < MIN_KEYWORD:
            block.wrong(key, f"keyword '{word}' is shorter than {MIN_KEYWORD} characters", "use a longer literal")
    return tuple(words)


def _groups(block: _Block, key: str, pattern: str) -> set[str]:
    import regex

    if not pattern:
        return set()
    try:
        compiled = regex.compile(pattern)
    except regex.error as error:
        block.wrong(key, f"the pattern does not compile: {error}", "mend the regular expression")
        return set()
    if compiled.search("") is not None:
        block.wrong(key, "the pattern matches an empty line", "anchor it on words that the tool prints")
    if NESTED_REPEAT.search(pattern):
        block.wrong(key, "a repeat inside a repeat can take exponential time", "repeat a class such as [^ ]+ only once")
    return set(compiled.groupindex)


def _neighbour(block: _Block) -> Neighbour | None:
    if "followed_by" in block.table and "preceded_by" in block.table:
        block.wrong("preceded_by", "both followed_by and preceded_by", "keep one of them")
    for key in ("followed_by", "preceded_by"):
        value = block.table.get(key)
        if value is None:
            continue
        if not isinstance(value, dict) or not isinstance(value.get("pattern"), str) or set(value) - NEIGHBOUR_KEYS:
            block.wrong(key, f"'{key}' is not complete", f"write {key} = {{ pattern = '…', within = 5 }}")
            return None
        within = value.get("within", 5)
        if not isinstance(within, int) or not 1 <= within <= MAX_WITHIN:
            block.wrong(key, f"within = {within} is out of range", f"use 1 to {MAX_WITHIN} lines")
            return None
        return Neighbour(value["pattern"], within, key == "followed_by")
    return None


def _placeholders(block: _Block, key: str, template: str, groups: set[str]) -> None:
    try:
        names = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        block.wrong(key, f"'{key}' is not a valid template ({error})", "write braces only round a capture's name")
        return
    for name in sorted(names - groups):
        block.wrong(key, f"'{key}' names '{{{name}}}', which is no capture", "name a (?P<…>) group of the pattern")


def _samples(block: _Block) -> tuple[Sample, ...]:
    value = block.table.get("should_match", [])
    if not isinstance(value, list):
        block.wrong("should_match", "'should_match' is not a list", "write [[rule.should_match]] with line = '…'")
        return ()
    starts = [
        block.first_line + offset
        for offset, line in enumerate(block.lines)
        if re.match(r"\s*\[\[\s*rule\.should_match\s*\]\]", line)
    ]
    samples = []
    for index, item in enumerate(value):
        location = Location(block.path, starts[index]) if index < len(starts) else block.where("should_match")
        entry = {"line": item} if isinstance(item, str) else item
        captures = entry.get("captures", {}) if isinstance(entry, dict) else None
        if not isinstance(captures, dict) or not isinstance(entry.get("line"), str) or set(entry) - {"line", "captures"}:
            block.wrong(
                "[[rule.should_match", "a sample is not a line with captures", "write line = '…' and captures = { name = '…' }"
            )
            continue
        samples.append(Sample(entry["line"], location, {str(key): str(text) for key, text in captures.items()}))
    return tuple(samples)
