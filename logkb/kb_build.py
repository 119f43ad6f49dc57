"""Rules and articles -> the SQLite database of the knowledge base, by sqlite-utils.

The schema is a list of migrations: a new database runs them all, an older one those that it lacks.
"""

from __future__ import annotations

import contextlib
import json
import marshal
import os
import re
import shutil
import sqlite3
import tempfile
import time
import tomllib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from sqlite_utils import Database, Migrations

from logkb import paths
from logkb.articles import Article, load_articles
from logkb.cache import prune
from logkb.kb_schema import HEAD, SCHEMA, TOKENIZE
from logkb.knowledge import article_files, rule_files, without_article
from logkb.literals import required_of
from logkb.records import Cause, Rule
from logkb.rules import load_rule_files
from logkb.search_text import compounds, informative, words

ARTICLE_TEXT = ("title", "tags", "tools", "symptoms", "reasons", "fix", "other", "parts")
RULE_TEXT = ("message", "samples", "parts")
# A file that a killed build left behind is removed after a day.
STALE = 86_400

MIGRATIONS = Migrations("logkb")


@dataclass(frozen=True, slots=True)
class Content:
    """What goes into the tables: each cause with its article, if it has one, and the rules that name a cause."""

    causes: dict[str, tuple[Cause, Article | None]]
    rules: dict[str, Rule]
    shipped: frozenset[str]


@MIGRATIONS()
def tables(db: Database) -> None:
    """Articles, rules, the graph, the words that mean the same."""
    db.table("articles").create(
        {
            "id": int, "cause": str, "title": str, "family": str, "tags": str, "tools": str, "lead": str,
            "symptoms": str, "reasons": str, "fix": str, "other": str, "parts": str, "first_fix": str,
            "retryable": int, "reviewed": str, "path": str,
        },
        pk="id",
    )  # fmt: skip
    db.table("articles").create_index(["cause"], unique=True)
    db.table("articles").create_index(["family"])
    db.table("rules").create(
        {
            "id": int, "rule": str, "cause": str, "tool": str, "strength": str, "message": str, "samples": str, "parts": str,
            "pattern": str, "keywords": str, "required": bytes, "several_lines": int, "plain": int, "path": str, "line": int,
        },
        pk="id", foreign_keys=[("cause", "articles", "cause")],
    )  # fmt: skip
    db.table("rules").create_index(["cause"])
    db.table("explanations").create(
        {"cause": str, "explained_by": str, "share": float, "how_to_tell": str},
        pk=("cause", "explained_by"),
        foreign_keys=[("cause", "articles", "cause")],
    )
    db.table("synonyms").create({"term": str, "means": str}, pk=("term", "means"))
    # A line's candidates are found by the beginnings of the keywords: as fast with a hundred thousand rules as with one.
    db.table("keywords").create({"keyword": str, "head": str, "rules": str}, pk="keyword")
    db.table("keywords").create_index(["head"])
    db.table("meta").create({"key": str, "value": str}, pk="key")


@MIGRATIONS()
def full_text(db: Database) -> None:
    """The indexes over articles and rules, and the words in them, with trigrams for what is misspelt."""
    for table, columns in (("articles", ARTICLE_TEXT), ("rules", RULE_TEXT)):
        db.table(table).enable_fts(columns, tokenize=TOKENIZE)
        db.table(table).optimize()
    _vocabulary(db)


@MIGRATIONS()
def views(db: Database) -> None:
    """For people who browse: the causes with their counts, the families."""
    db.create_view(
        "causes",
        "SELECT articles.cause, title, family, retryable, reviewed, first_fix, count(rules.id) AS rules "
        "FROM articles LEFT JOIN rules ON rules.cause = articles.cause GROUP BY articles.id ORDER BY family, articles.cause",
    )
    db.create_view("families", "SELECT family, count(*) AS causes, sum(rules) AS rules FROM causes GROUP BY family ORDER BY family")


def build(path: str, roots: Sequence[str], facts: str) -> sqlite3.Connection | None:
    """Make the database and rename it into place; None. Where nothing can be written, it comes back made in memory."""
    target = Path(path)
    content = collect(roots)
    temporary = None
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = _beside(target)
        with contextlib.closing(Database(temporary)) as db:
            _fill(db, content, facts)
        temporary.replace(target)
    except (OSError, sqlite3.OperationalError):
        db = Database(sqlite3.connect(":memory:", check_same_thread=False))
        _fill(db, content, facts)
        return db.conn
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    _prune(target)
    return None


def upgrade(path: str) -> bool:
    """Run the migrations that a database lacks on a copy, and rename it into place; False when that fails."""
    target = Path(path)
    temporary = None
    try:
        temporary = _beside(target)
        shutil.copyfile(target, temporary)
        with contextlib.closing(Database(temporary)) as db:
            migrate(db)
        temporary.replace(target)
    except (OSError, sqlite3.Error):
        return False
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return True


def _beside(target: Path) -> Path:
    """An empty private file in the same folder, so that renaming it is atomic."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    return Path(name)


def collect(roots: Sequence[str]) -> Content:
    """Read all rule files and articles; a later folder's entries win. Wrong files are left out, as `logkb check` tells."""
    rules: dict[str, Rule] = {}
    causes: dict[str, tuple[Cause, Article | None]] = {}
    shipped: set[str] = set()
    for index, root in enumerate(map(Path, roots)):
        loaded = load_rule_files(rule_files(root)).rules
        rules.update({rule.id: rule for rule in loaded})
        shipped = shipped | {rule.id for rule in loaded} if index == 0 else shipped - {rule.id for rule in loaded}
        articles, _ = load_articles(article_files(root))
        causes.update({article.cause.id: (article.cause, article) for article in articles})
    for rule in rules.values():
        if rule.cause is not None and rule.cause not in causes:
            causes[rule.cause] = (without_article(rule.cause, rule.location), None)
    return Content(causes, rules, frozenset(shipped))


def _fill(db: Database, content: Content, facts: str) -> None:
    # A build that is cut short leaves a temporary file that nobody opens: no journal is needed.
    db.execute("PRAGMA journal_mode = OFF")
    db.execute("PRAGMA synchronous = OFF")
    MIGRATIONS.apply(db, stop_before="full_text")
    tools: dict[str, set[str]] = {}
    for rule in content.rules.values():
        if rule.cause is not None:
            tools.setdefault(rule.cause, set()).add(rule.location.path.stem)
    db.table("articles").insert_all(
        _article_row(number, cause, article, tools.get(cause.id, set()))
        for number, (cause, article) in enumerate(content.causes.values(), 1)
    )
    named = [rule for rule in content.rules.values() if rule.cause is not None]
    db.table("rules").insert_all(_rule_row(number, rule, rule.id in content.shipped) for number, rule in enumerate(named, 1))
    db.table("explanations").insert_all(
        {"cause": cause.id, "explained_by": entry.cause, "share": entry.share, "how_to_tell": entry.check}
        for cause, _ in content.causes.values()
        for entry in cause.explained_by
    )
    db.table("synonyms").insert_all(_synonyms(), ignore=True)
    write_meta(db, facts, {number: rule.keywords for number, rule in enumerate(named, 1)})
    migrate(db)
    db.execute("ANALYZE")
    db.conn.commit()
    db.vacuum()


def write_meta(db: Database, facts: str, keywords: Mapping[int, Sequence[str]]) -> None:
    """The files that this was built from, and the rules' keywords with the numbers of the rules that have them."""
    owners: dict[str, list[str]] = {}
    for number, literals in keywords.items():
        for keyword in dict.fromkeys(literals):
            owners.setdefault(keyword, []).append(str(number))
    db.table("keywords").insert_all(
        {"keyword": keyword, "head": keyword[:HEAD], "rules": " ".join(numbers)} for keyword, numbers in owners.items()
    )
    db.table("meta").insert({"key": "files", "value": facts})


def migrate(db: Database) -> None:
    """Run the migrations that a database lacks."""
    MIGRATIONS.apply(db)
    db.execute(f"PRAGMA user_version = {SCHEMA}")
    db.conn.commit()


def _article_row(number: int, cause: Cause, article: Article | None, tools: set[str]) -> dict[str, Any]:
    def section(*headings: str) -> str:
        found = (article.section(heading) for heading in headings) if article else ()
        return "\n".join(_plain(part.text) for part in found if part is not None)

    symptoms = section("What the log shows")
    fix = section("Fix")
    return {
        "id": number, "cause": cause.id, "title": cause.title, "family": cause.family,
        "tags": " ".join((*cause.tags, *cause.id.split("-"))), "tools": " ".join(sorted({*tools, cause.family})),
        "lead": _plain(article.lead) if article else "", "symptoms": symptoms,
        "reasons": "\n".join((_plain(article.lead) if article else "", section("Why it happens"))), "fix": fix,
        "other": section("What does not help", "How to confirm", "Prevent"), "parts": _parts(f"{symptoms}\n{fix}"),
        "first_fix": cause.fixes[0] if cause.fixes else "", "retryable": int(cause.retryable), "reviewed": cause.reviewed,
        "path": str(cause.location.path),
    }  # fmt: skip


def _rule_row(number: int, rule: Rule, shipped: bool) -> dict[str, Any]:
    samples = "\n".join(_clean(sample.text) for sample in rule.should_match)
    return {
        "id": number, "rule": rule.id, "cause": rule.cause, "tool": rule.location.path.stem, "strength": rule.strength,
        "message": "".join(literal for literal, *_ in Formatter().parse(rule.message)),
        "samples": samples, "parts": f"{rule.location.path.stem} {_parts(samples)}", "pattern": rule.pattern,
        "keywords": json.dumps(rule.keywords), "required": marshal.dumps(required_of(rule.pattern), 2),
        "several_lines": int(rule.neighbour is not None), "plain": int(shipped and is_plain(rule.pattern)),
        "path": str(rule.location.path), "line": rule.location.line,
    }  # fmt: skip


def is_plain(pattern: str) -> bool:
    """Whether the standard library's `re` reads a pattern as `regex` does: no sets in sets, no fuzzy matches, no \\p."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern, re.ASCII)
    except (re.error, Warning, OverflowError, RecursionError):
        return False
    return not any(sign in pattern for sign in ("{e", "{i", "{s", "{d", "\\L<", "[[:"))


def _parts(text: str) -> str:
    """The parts of the identifiers in a text, so that `module not found` finds `ModuleNotFoundError`."""
    found = {" ".join(parts) for parts in compounds(text)} | {f"{one}" for one in words(text) if one in ("cpp", "csharp", "dotnet")}
    return "\n".join(sorted(found))


def _synonyms() -> Iterator[dict[str, str]]:
    path = paths.PACKAGE / "data" / "synonyms.toml"
    for term, meanings in tomllib.loads(path.read_text(encoding="utf-8"))["means"].items():
        yield from ({"term": " ".join(words(term)), "means": " ".join(words(meaning))} for meaning in meanings)


def _vocabulary(db: Database) -> None:
    """Each word as it is written, with its stem and the number of articles and rules that hold it."""
    columns = [(table, column) for table, names in (("articles", ARTICLE_TEXT), ("rules", RULE_TEXT)) for column in names]
    written = {
        word
        for table, column in columns
        for (text,) in db.execute(f"SELECT {column} FROM {table}").fetchall()
        for line in (text or "").split("\n")
        for word in informative(words(line))
    }
    db.execute(f"CREATE VIRTUAL TABLE temp.stems USING fts5(word, tokenize = '{TOKENIZE}')")
    db.conn.executemany("INSERT INTO temp.stems (word) VALUES (?)", ((word,) for word in sorted(written)))
    db.execute("CREATE VIRTUAL TABLE temp.stem_of USING fts5vocab('temp', 'stems', 'instance')")
    for table in ("articles", "rules"):
        db.execute(f"CREATE VIRTUAL TABLE temp.{table}_terms USING fts5vocab('main', '{table}_fts', 'row')")
    db.table("vocabulary").create({"term": str, "stem": str, "articles": int, "rules": int}, pk="term")
    db.execute(
        "INSERT OR IGNORE INTO vocabulary (term, stem, articles, rules) "
        "SELECT stems.word, stem_of.term, coalesce(a.doc, 0), coalesce(r.doc, 0) FROM temp.stem_of "
        "JOIN temp.stems ON stems.rowid = stem_of.doc "
        "LEFT JOIN temp.articles_terms a ON a.term = stem_of.term LEFT JOIN temp.rules_terms r ON r.term = stem_of.term"
    )
    for name in ("stem_of", "articles_terms", "rules_terms", "stems"):
        db.execute(f"DROP TABLE temp.{name}")
    db.table("vocabulary").enable_fts(["term"], tokenize="trigram")
    db.table("vocabulary").optimize()


def _plain(markdown: str) -> str:
    """The text of Markdown as a reader sees it."""
    from markdown_it import MarkdownIt

    parts = []
    for token in MarkdownIt("commonmark").parse(markdown):
        if token.type == "inline":
            texts = (
                " " if child.type.endswith("break") else child.content for child in token.children or () if child.type != "image"
            )
            parts.append(" ".join("".join(texts).split()))
        elif token.type in ("fence", "code_block"):
            parts.append(token.content)
    return _clean("\n".join(parts))


def _clean(text: str) -> str:
    """Without control characters; \\x02 and \\x03 mark the highlights."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def _prune(target: Path) -> None:
    """Remove what killed builds left behind, and databases of folders that nobody asks for any more."""
    with contextlib.suppress(OSError):
        prune(target)
    for left in target.parent.glob(f".{target.name}.*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE:
                left.unlink()
