"""All that the site shows, read once: causes and articles, rules with samples, excerpts of the corpus, measured confusions."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from logkb import paths
from logkb.articles import Article, load_articles
from logkb.clean import normalise
from logkb.knowledge import Knowledge, article_files, load_knowledge, rule_files
from logkb.records import Cause, Rule
from logkb.redact import redact
from logkb.rules import load_rule_files

BEFORE, AFTER = 4, 3  # lines shown round an excerpt's key line
MAX_LINE = 240
EXAMPLES = 3
VERSION = re.compile(r"(?!ERROR|usage)(?=.*\d)\w[\w .,:+~()/-]{0,60}", re.I)
CONFUSED = re.compile(r"^\| ([a-z0-9-]+) \| ([a-z0-9-]+) \| (\d+) \|$", re.M)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The lines round the one that names the failure in a recorded log: cleaned, masked, `key` counted from 1 within them."""

    name: str
    tool: str
    exit_status: int | None
    first_line: int
    key: int
    text: str
    constructed: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the pages are written from. `rules` are by cause ("": the wrapper lines); `files` maps a rule file to its short name.

    `confused` says how often a log of one cause was taken for the other when logkb was last measured.
    """

    knowledge: Knowledge
    articles: Mapping[str, Article]
    rules: Mapping[str, tuple[Rule, ...]]
    files: Mapping[Path, str]
    shows_as: Mapping[str, tuple[Cause, ...]]
    excerpts: Mapping[str, tuple[Excerpt, ...]]
    confused: Mapping[tuple[str, str], int]

    @property
    def causes(self) -> list[Cause]:
        """All causes, by title."""
        return sorted(self.knowledge.causes.values(), key=lambda cause: (cause.title.lower(), cause.id))


def read_catalogue(overlays: Sequence[Path] = (), *, use_cache: bool = True) -> Catalogue:
    """Read the shipped knowledge and the overlays. What is broken is left out and named in `knowledge.problems`."""
    knowledge = load_knowledge(overlays, use_cache=use_cache)
    root = paths.data_root()
    rules: dict[str, list[Rule]] = defaultdict(list)
    files: dict[Path, str] = {}
    current = {rule.id: rule.location for rule in knowledge.rules}
    for folder in (root, *overlays):
        for rule in load_rule_files(rule_files(folder)).rules:
            if current.get(rule.id) == rule.location:
                rules[rule.cause or ""].append(rule)
                short = rule.location.path.relative_to(folder / "patterns").with_suffix("").as_posix()
                files[rule.location.path] = short if folder == root else f"own/{short}"
    articles, _ = load_articles(path for folder in (root, *overlays) for path in article_files(folder))
    shows_as: dict[str, list[Cause]] = defaultdict(list)
    for cause in knowledge.causes.values():
        for entry in cause.explained_by:
            shows_as[entry.cause].append(cause)
    return Catalogue(
        knowledge=knowledge,
        articles={article.cause.id: article for article in articles},
        rules={cause: tuple(found) for cause, found in rules.items()},
        files=files,
        shows_as={cause: tuple(sorted(found, key=lambda item: item.title)) for cause, found in shows_as.items()},
        excerpts={cause: _excerpts(root / "corpus" / cause) for cause in knowledge.causes},
        confused=_confusions(root / "docs" / "accuracy.md"),
    )


def sample_line(rule: Rule) -> str:
    """The line of the rule's first sample that its pattern matches (a sample may hold neighbouring lines), masked."""
    lines = rule.should_match[0].text.splitlines() or [""]
    found = lines[0]
    if len(lines) > 1:
        import regex

        pattern = regex.compile(rule.pattern)
        found = next((line for line in lines if pattern.search(line, timeout=1)), found)
    return redact(normalise(found.encode()).decode(errors="replace")).strip()


def _excerpts(folder: Path) -> tuple[Excerpt, ...]:
    """At most three excerpts of different tools, recorded ones before constructed ones."""
    found: list[tuple[bool, str, Path, dict[str, object]]] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            facts = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError):
            continue
        if isinstance(facts.get("key_line"), int):
            found.append((bool(facts.get("constructed")), path.stem, path, facts))
    chosen: dict[str, Excerpt] = {}
    for _, _, path, facts in sorted(found, key=lambda item: item[:2]):
        tool = str(facts.get("tool", ""))
        if tool in chosen:
            continue
        excerpt = _excerpt(path.with_suffix(".log"), facts)
        if excerpt is not None:
            chosen[tool] = excerpt
        if len(chosen) == EXAMPLES:
            break
    return tuple(chosen.values())


def _excerpt(log: Path, facts: Mapping[str, object]) -> Excerpt | None:
    key = facts["key_line"]
    assert isinstance(key, int)
    first = max(1, key - BEFORE)
    try:
        with log.open("rb") as stream:
            raw = list(islice(stream, first - 1, key + AFTER))
    except OSError:
        return None
    if len(raw) <= key - first:
        return None
    text = redact(normalise(b"".join(raw)).decode(errors="replace"))
    lines = [line if len(line) <= MAX_LINE else line[: MAX_LINE - 1] + "…" for line in text.rstrip("\n").split("\n")]
    status = facts.get("exit_status")
    return Excerpt(
        name=f"corpus/{log.parent.name}/{log.name}",
        tool=_tool(str(facts.get("tool") or ""), str(facts.get("tool_version") or "")),
        exit_status=status if isinstance(status, int) else None,
        first_line=first,
        key=key - first + 1,
        text="\n".join(lines),
        constructed=bool(facts.get("constructed")),
    )


def _tool(name: str, version: str) -> str:
    """What a reader recognises; a recorded version that is no version (a usage text, an error) is left out."""
    if not VERSION.fullmatch(version):
        return name
    return version if name.lower() in version.lower() else f"{name} {version}".strip()


def _confusions(page: Path) -> dict[tuple[str, str], int]:
    """The table of confusions in the accuracy page, which `logkb evaluate --write` makes."""
    try:
        text = page.read_text(encoding="utf-8")
    except OSError:
        return {}
    return {(one, other): int(count) for one, other, count in CONFUSED.findall(text)}
