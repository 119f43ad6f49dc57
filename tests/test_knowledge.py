"""Knowledge is loaded once, kept compiled, and a user's folder wins."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from logkb.analysis import Analyzer
from logkb.errors import UsageError
from logkb.knowledge import Knowledge, load_knowledge
from tests.conftest import rule_text

HEADINGS = ("Why it happens", "What does not help", "How to confirm", "Prevent", "References")
ARTICLE = (
    "---\nfamily: house\ntags: [licence]\nretryable: false\nreviewed: 2026-11-21\nreview_every: 90\n---\n# No licence\n\nLead.\n\n"
    "## What the log shows\n\n```log\nmytool: no licence found\nmake: *** [all] Error 1\n```\n\n## Why it happens\n\nText.\n\n"
    "## Fix\n\n1. **Ask for a licence.** Then wait.\n\n## What does not help\n\nText.\n\n## How to confirm\n\nIt prints `ok`.\n\n"
    "## Prevent\n\nText.\n\n## References\n\n- none\n"
)


def overlay(folder: Path, **rule: object) -> Path:
    made = {"id": "mytool-no-licence", "cause": "licence-missing", "keyword": "no licence found", "pattern": "^mytool: no licence found",
            "message": "no licence", "fingerprint": [], "should_match": [{"line": "mytool: no licence found"}], **rule}  # fmt: skip
    (folder / "patterns").mkdir(parents=True)
    (folder / "causes").mkdir()
    (folder / "patterns" / "house.toml").write_text(rule_text(**made))
    (folder / "causes" / "licence-missing.md").write_text(ARTICLE)
    return folder


def test_a_house_rule_and_its_article_join_the_shipped_ones(tmp_path: Path) -> None:
    report = Analyzer(load_knowledge([overlay(tmp_path / "kb")])).analyze(b"mytool: no licence found\nmake: *** [all] Error 1\n")
    assert [finding.cause for finding in report.findings] == ["licence-missing"]
    assert report.findings[0].title == "No licence"
    assert report.findings[0].fixes == ("Ask for a licence",)


def test_a_house_rule_of_the_same_id_wins(tmp_path: Path, shipped: Knowledge) -> None:
    replaced = shipped.rules[0].id
    knowledge = load_knowledge([overlay(tmp_path / "kb", id=replaced)])
    assert [rule.cause for rule in knowledge.rules if rule.id == replaced] == ["licence-missing"]


def test_a_broken_house_rule_is_named_and_stops_nothing(tmp_path: Path) -> None:
    knowledge = load_knowledge([overlay(tmp_path / "kb", pattern="(")])
    assert any("does not compile" in str(problem) for problem in knowledge.problems)
    assert Analyzer(knowledge).analyze(b"Finished: FAILURE\n").outcome == "failed"


def test_a_rule_for_a_cause_without_article_still_works_and_is_named(tmp_path: Path) -> None:
    folder = overlay(tmp_path / "kb")
    (folder / "causes" / "licence-missing.md").unlink()
    knowledge = load_knowledge([folder])
    assert any("has no article; logkb new article licence-missing --title" in str(problem) for problem in knowledge.problems)
    assert Analyzer(knowledge).analyze(b"mytool: no licence found\n").findings[0].cause == "licence-missing"


def test_the_compiled_knowledge_equals_the_parsed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGKB_CACHE_DIR", str(tmp_path / "cache"))
    parsed, stored = load_knowledge(), load_knowledge()
    assert list(parsed.rules) == list(stored.rules)
    assert parsed.causes == stored.causes
    (path,) = (tmp_path / "cache").glob("knowledge-*.bin")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_damaged_cache_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGKB_CACHE_DIR", str(tmp_path))
    parsed = load_knowledge()
    (path,) = tmp_path.glob("knowledge-*.bin")
    path.write_bytes(path.read_bytes()[:-5] + b"{{{{{")
    assert list(load_knowledge().rules) == list(parsed.rules)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    folder = overlay(tmp_path / "kb")
    load_knowledge([folder])
    path = folder / "patterns" / "house.toml"
    path.write_text(path.read_text().replace('message = "no licence"', 'message = "changed"'))
    assert any(rule.message == "changed" for rule in load_knowledge([folder]).rules)


def test_an_unknown_cause_gets_a_suggestion(shipped: Knowledge) -> None:
    with pytest.raises(UsageError, match="unknown cause 'apt-signature', did you mean apt-signature-invalid"):
        shipped.article("apt-signature")
