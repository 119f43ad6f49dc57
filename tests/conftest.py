"""Shared set-up: no test touches the user's own cache or overlay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from logkb.knowledge import Knowledge, load_knowledge
from logkb.matcher import Matcher
from logkb.rules import load_rule_file
from tests.browser import chromium  # noqa: F401  a fixture


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the whole session, so that the rules compile once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGKB_CACHE_DIR", str(cache_folder))


@pytest.fixture(scope="session")
def shipped(cache_folder: Path) -> Knowledge:
    """The shipped knowledge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGKB_CACHE_DIR", str(cache_folder))
        return load_knowledge()


RuleMaker = Callable[..., Matcher]


def rule_text(**keys: object) -> str:
    """A rule in TOML; keys override the defaults, None removes one."""
    rule: dict[str, object] = {
        "id": "tool-failed",
        "cause": "disk-full",
        "strength": "strong",
        "keyword": "tool: failed",
        "pattern": r"^tool: failed (?P<what>\S+)",
        "message": "{what} failed",
        "fingerprint": ["what"],
        "should_match": [{"line": "tool: failed alpha", "captures": {"what": "alpha"}}],
        "should_not_match": ["tool: worked alpha"],
    } | keys
    lines = ["[[rule]]"]
    samples = rule.pop("should_match")
    lines += [f"{key} = {_toml(value)}" for key, value in rule.items() if value is not None]
    for sample in samples if isinstance(samples, list) else []:
        lines += ["[[rule.should_match]]", *(f"{key} = {_toml(value)}" for key, value in sample.items())]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    import json

    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value)


@pytest.fixture
def matcher_of(tmp_path: Path) -> RuleMaker:
    """Build a matcher from rules given as keyword dictionaries."""

    def build(*rules: dict[str, object], engine: str = "auto") -> Matcher:
        path = tmp_path / "rules.toml"
        path.write_text("\n".join(rule_text(**rule) for rule in rules), encoding="utf-8")
        loaded = load_rule_file(path)
        assert loaded.problems == ()
        return Matcher(loaded.rules, engine=engine)

    return build
