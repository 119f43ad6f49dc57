"""The knowledge base's file: built once, migrated, replaced when it is stale or damaged, shared by processes, open to other tools."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from logkb import kb, kb_build, knowledge, paths, places
from logkb.cache import KEPT
from logkb.kb_schema import SCHEMA
from logkb.kb_shared import CHECK_EVERY, shared_kb
from logkb.lookup import search, search_once

ARTICLE = """---
family: house
tags: [frobnicator]
retryable: false
reviewed: 2026-11-21
review_every: 180
---
# The frobnicator is missing

It is not there.

## What the log shows

It says so.

```log
frob: no frobnicator
```

## Why it happens

Nobody installed it.

## Fix

1. **Install it: `frob install`.** Then build again.

## What does not help

Waiting.

## How to confirm

`frob --version` prints a version.

## Prevent

- Install it in the image.

## References

- [frob](https://example.org/)
"""
RULE = r"""[[rule]]
id = 'frob-missing'
cause = 'frobnicator-missing'
strength = 'strong'
keyword = 'no frobnicator'
pattern = '^frob: no (?P<what>frobnicator)$'
message = 'there is no {what}'
fingerprint = ['what']
[[rule.should_match]]
line = 'frob: no frobnicator'
captures = { what = 'frobnicator' }
"""


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A knowledge of one rule and one article in place of the shipped one, and a cache of its own."""
    root = tmp_path / "root"
    (root / "docs" / "causes").mkdir(parents=True)
    (root / "patterns" / "house").mkdir(parents=True)
    (root / "docs" / "causes" / "frobnicator-missing.md").write_text(ARTICLE)
    (root / "patterns" / "house" / "frob.toml").write_text(RULE)
    monkeypatch.setattr(places, "data_root", lambda: str(root))
    monkeypatch.setenv("LOGKB_CACHE_DIR", str(tmp_path / "cache"))
    return root


def path() -> Path:
    return Path(kb.kb_path())


def ask(sql: str, overlays: Sequence[Path] = ()) -> list[Any]:
    with closing(kb.open_kb(overlays)) as base:
        return base.execute(sql).fetchall()


def test_the_database_is_private_and_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kb.open_kb().close()
    assert path().stat().st_mode & 0o777 == 0o600
    assert path().parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path().parent.iterdir()] == [path().name]
    monkeypatch.setattr(kb, "build_kb", lambda *_: pytest.fail("built again"))
    kb.open_kb().close()


def test_rules_and_articles_are_in_it() -> None:
    assert ask("SELECT cause, rules, first_fix FROM causes") == [("frobnicator-missing", 1, "Install it: `frob install`")]
    assert ask("SELECT family, causes FROM families") == [("house", 1)]
    assert ask("SELECT rule, message, samples FROM rules") == [("frob-missing", "there is no ", "frob: no frobnicator")]


def test_a_new_article_is_found_and_a_removed_one_is_not(small: Path) -> None:
    assert search_once("frobnicator").hits[0].cause == "frobnicator-missing"
    other = ARTICLE.replace("frobnicator", "widgetiser").replace("# The frob", "# The widget")
    (small / "docs" / "causes" / "widget.md").write_text(other)
    assert search_once("widgetiser").hits[0].cause == "widget"
    (small / "docs" / "causes" / "widget.md").unlink()
    assert not search_once("widgetiser").exact


def test_an_edited_article_is_read_again(small: Path) -> None:
    search_once("frobnicator")
    article = small / "docs" / "causes" / "frobnicator-missing.md"
    article.write_text(ARTICLE.replace("Waiting.", "Watching paint dry."))
    assert search_once("paint").exact


def test_a_wrong_rule_or_article_is_left_out_and_the_others_are_found(small: Path) -> None:
    (small / "docs" / "causes" / "broken.md").write_text("no front matter")
    (small / "patterns" / "house" / "broken.toml").write_text("[[rule]\n")
    assert search_once("frob: no frobnicator").hits[0].matched == "rule"


def test_the_user_s_rule_wins_over_the_shipped_one(small: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "patterns").mkdir(parents=True)
    (own / "patterns" / "frob.toml").write_text(RULE.replace("'frobnicator-missing'", "'frob-licence'"))
    hit = search_once("frob: no frobnicator", [own]).hits[0]
    assert (hit.cause, hit.title, hit.matched) == ("frob-licence", "Frob licence", "rule")
    assert search_once("frob: no frobnicator").hits[0].cause == "frobnicator-missing"
    assert kb.kb_path([own]) != kb.kb_path()


def test_a_user_s_pattern_that_would_run_for_ever_ends(tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "patterns").mkdir(parents=True)
    slow = RULE.replace("^frob: no (?P<what>frobnicator)$", "^frob: no (?:(?:f|r|[a-z])(?:o|[a-z])?)*(?P<what>!)$")
    slow = slow.replace("line = 'frob: no frobnicator'", "line = 'frob: no frobnicator!'").replace(
        "{ what = 'frobnicator' }", "{ what = '!' }"
    )
    (own / "patterns" / "frob.toml").write_text(slow)
    # The standard library's engine has no timeout: only reviewed, shipped patterns run on it.
    assert ask("SELECT rule, plain FROM rules", [own]) == [("frob-missing", 0)]
    assert ask("SELECT rule, plain FROM rules") == [("frob-missing", 1)]
    assert search_once("frob: no frobnicator!", [own]).hits[0].matched == "rule"
    assert search_once("frob: no frobnicator" + "ro" * 60, [own]).hits[0].matched == "text"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda raw: b"", id="empty"),
        pytest.param(lambda raw: b"not a database at all", id="text"),
        pytest.param(lambda raw: raw[: len(raw) // 2], id="half"),
        pytest.param(lambda raw: raw[:4096], id="one page"),
        pytest.param(lambda raw: raw[:100] + bytes(len(raw) - 100), id="zeros"),
        pytest.param(lambda raw: raw[:8192] + b"\xff" * (len(raw) - 8192), id="rubbish behind the first pages"),
    ],
)
def test_a_damaged_file_is_noticed_and_built_anew(damage: object) -> None:
    kb.open_kb().close()
    raw = path().read_bytes()
    path().write_bytes(damage(raw))  # type: ignore[operator]
    assert search_once("frobnicator").hits[0].cause == "frobnicator-missing"
    assert ask("PRAGMA integrity_check") == [("ok",)]


def test_a_file_that_others_may_write_is_not_trusted() -> None:
    kb.open_kb().close()
    forged = sqlite3.connect(path())
    forged.execute("UPDATE articles SET title = 'forged'")
    forged.commit()
    forged.close()
    path().chmod(0o666)
    assert search_once("frobnicator").hits[0].title == "The frobnicator is missing"
    assert path().stat().st_mode & 0o777 == 0o600


def test_an_older_schema_is_migrated_and_gives_the_same_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    kb.open_kb().close()
    schema = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    newest = ask(schema)
    old = sqlite3.connect(path())
    for view in ("families", "causes"):
        old.execute(f"DROP VIEW {view}")
    old.execute("DELETE FROM _sqlite_migrations WHERE name = 'views'")
    old.execute(f"PRAGMA user_version = {SCHEMA - 1}")
    old.commit()
    old.close()
    monkeypatch.setattr(kb, "build_kb", lambda *_: pytest.fail("built instead of migrated"))
    assert ask("PRAGMA user_version") == [(SCHEMA,)]
    assert ask(schema) == newest


def test_a_first_schema_gets_its_indexes_and_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    kb.open_kb().close()
    old = sqlite3.connect(path())
    for name in ("families", "causes"):
        old.execute(f"DROP VIEW {name}")
    for name in ("articles_fts", "rules_fts", "vocabulary_fts", "vocabulary"):
        old.execute(f"DROP TABLE {name}")
    old.execute("DELETE FROM _sqlite_migrations WHERE name IN ('views', 'full_text')")
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    monkeypatch.setattr(kb, "build_kb", lambda *_: pytest.fail("built instead of migrated"))
    assert search_once("frobnicatr").hits[0].cause == "frobnicator-missing"


def test_a_schema_of_a_newer_logkb_is_replaced() -> None:
    kb.open_kb().close()
    newer = sqlite3.connect(path())
    newer.execute(f"PRAGMA user_version = {SCHEMA + 5}")
    newer.commit()
    newer.close()
    assert ask("PRAGMA user_version") == [(SCHEMA,)]


def test_the_schema_s_number_is_that_of_its_migrations() -> None:
    assert ask("SELECT count(*) FROM _sqlite_migrations") == [(SCHEMA,)]


def test_who_reads_while_it_is_replaced_reads_on() -> None:
    base = kb.open_kb()
    before = base.execute("SELECT cause FROM articles").fetchall()
    kb.build_kb().close()
    path().unlink()
    assert base.execute("SELECT cause FROM articles").fetchall() == before
    base.close()


def test_a_cache_that_cannot_be_written_costs_time_and_not_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LOGKB_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert search_once("frobnicator").hits[0].cause == "frobnicator-missing"


def test_what_killed_builds_left_is_removed_after_a_day() -> None:
    kb.open_kb().close()
    left, fresh = (path().parent / f".{path().name}.{name}" for name in ("old", "new"))
    for one in (left, fresh):
        one.write_text("")
    os.utime(left, (time.time() - 2 * kb_build.STALE,) * 2)
    kb.build_kb().close()
    assert not left.exists()
    assert fresh.exists()


def test_databases_of_many_folders_do_not_pile_up(tmp_path: Path) -> None:
    for number in range(KEPT + 3):
        (tmp_path / f"own{number}").mkdir()
        kb.open_kb([tmp_path / f"own{number}"]).close()
    assert len(list(path().parent.glob("kb-*.sqlite"))) == KEPT


def test_a_thread_s_connection_is_kept_and_follows_the_files(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = shared_kb()
    assert shared_kb() is first
    (small / "docs" / "causes" / "frobnicator-missing.md").write_text(ARTICLE.replace("Waiting.", "Watching paint dry."))
    clock = time.monotonic() + 2 * CHECK_EVERY
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    assert shared_kb() is not first
    assert search("paint").exact


WORKER = """
import random, sys
from pathlib import Path
from logkb import kb, places
from logkb.lookup import search_once
root = sys.argv[1]
places.data_root = lambda: root
article = Path(root) / "docs" / "causes" / "frobnicator-missing.md"
pick = random.Random(int(sys.argv[2]))
for turn in range(12):
    what = pick.choice(["read", "read", "read", "build", "touch", "damage"])
    if what == "build":
        kb.build_kb().close()
    elif what == "touch":
        article.touch()
    elif what == "damage":
        spoiled = Path(kb.kb_path() + f".{sys.argv[2]}")
        spoiled.write_bytes(b"SQLite format 3\\0" + bytes(5000))
        spoiled.replace(kb.kb_path())
    else:
        hits = search_once("frobnicator").hits
        assert hits[0].cause == "frobnicator-missing", hits
"""


def test_processes_that_read_build_and_damage_it_at_once_all_get_answers(small: Path) -> None:
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(small), str(number)], stderr=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    said = [worker.communicate(timeout=120)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 4, "\n".join(said)
    assert search_once("frobnicator").exact


def test_both_listings_of_the_files_agree(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("LOGKB_CACHE_DIR", str(tmp_path))
    root = paths.data_root()
    assert places.rule_files(str(root)) == sorted(map(str, knowledge.rule_files(root)))
    assert places.article_files(str(root)) == sorted(map(str, knowledge.article_files(root)))


@pytest.mark.parametrize("name", ["plain", "with space", "per%cent", "quest?ion", "ha#sh", "ünï"])
def test_the_cache_may_lie_in_an_oddly_named_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("LOGKB_CACHE_DIR", str(tmp_path / name))
    kb.open_kb().close()
    assert ask("SELECT count(*) FROM articles") == [(1,)]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "logkb", *arguments], capture_output=True, text=True, check=False)


def test_the_commands_build_tell_the_path_and_the_facts() -> None:
    wrote = run("kb", "build")
    assert wrote.returncode == 0, wrote.stderr
    told = run("kb", "path").stdout.strip()
    assert told in wrote.stdout
    facts = dict(line.split("\t", 1) for line in run("kb", "info").stdout.splitlines())
    assert facts["path"] == told
    assert facts["checked"] == "sound"
    assert facts["schema"].startswith(f"{SCHEMA} ")
    assert int(facts["articles"].replace(",", "")) > 100


def test_info_tells_damage_that_a_search_may_not_meet(capsys: pytest.CaptureFixture[str]) -> None:
    from logkb.kb_commands import run_info

    kb.open_kb().close()
    spoiled = sqlite3.connect(path())
    page = spoiled.execute("SELECT max(id) FROM articles_fts_data").fetchone()[0]
    spoiled.execute("UPDATE articles_fts_data SET block = zeroblob(length(block)) WHERE id = ?", (page,))
    spoiled.commit()
    spoiled.close()
    assert run_info(None) == 1
    assert "logkb kb build" in capsys.readouterr().out


def test_datasette_opens_it_as_it_is() -> None:
    pytest.importorskip("datasette")
    kb.open_kb().close()
    copy = path().parent / "kb.db"
    shutil.copyfile(path(), copy)
    command = [sys.executable, "-m", "datasette", str(copy), "--get"]
    for page, word in (
        ("/kb/causes.json?_shape=array", "frobnicator-missing"),
        ("/kb/articles.json?_search=frobnicator&_shape=array", "frobnicator-missing"),
        ("/kb/rules.json?_search=frob&_shape=array", "frob-missing"),
    ):
        done = subprocess.run([*command, page], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert word in done.stdout


DATABASE = Path(__file__).parent.parent / "docs" / "reference" / "database.md"


def test_the_documented_columns_are_those_of_the_tables() -> None:
    parts = re.split(r"^### `(\w+)`$", DATABASE.read_text(encoding="utf-8").partition("\n## Views")[0], flags=re.M)
    documented = {table: re.findall(r"^\| `(\w+)` \|", text, re.M) for table, text in zip(parts[1::2], parts[2::2], strict=True)}
    tables = [
        name
        for (name,) in ask("SELECT name FROM sqlite_master WHERE type = 'table'")
        if "_fts" not in name and not name.startswith(("sqlite_", "_sqlite"))
    ]
    assert sorted(documented) == sorted(tables)
    for table, columns in documented.items():
        assert columns == [row[1] for row in ask(f"PRAGMA table_info({table})")], table


def test_the_documented_queries_run() -> None:
    queries = re.findall(r"^```sql\n(.*?)^```", DATABASE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(queries) >= 4
    for query in queries:
        ask(query)
