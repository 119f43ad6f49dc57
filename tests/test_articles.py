"""Articles: one head, fixed headings, and mistakes named with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from logkb.articles import first_sentence, load_article
from tests.test_knowledge import ARTICLE


def load(folder: Path, text: str) -> list[str]:
    path = folder / "licence-missing.md"
    path.write_text(text, encoding="utf-8")
    return [str(problem).replace(str(path), "a.md") for problem in load_article(path).problems]


def test_a_good_article_loads_whole(tmp_path: Path) -> None:
    (tmp_path / "licence-missing.md").write_text(
        ARTICLE.replace("tags:", 'explained_by:\n  disk-full: {share: 0.3, check: "df -h"}\ntags:')
    )
    loaded = load_article(tmp_path / "licence-missing.md")
    assert loaded.problems == ()
    assert loaded.article is not None
    cause = loaded.article.cause
    assert (cause.id, cause.title, cause.family, cause.retryable) == ("licence-missing", "No licence", "house", False)
    assert [(item.cause, item.share, item.check) for item in cause.explained_by] == [("disk-full", 0.3, "df -h")]
    assert cause.fixes == ("Ask for a licence",)
    assert cause.confirm == "It prints `ok`"
    assert loaded.article.example.startswith("mytool: no licence found\n")


def test_what_a_step_warns_of_comes_with_its_first_sentence(tmp_path: Path) -> None:
    path = tmp_path / "licence-missing.md"
    warning = (
        "1. **Free space.** Now.\n\n   > **Warning: deletes data.** All of it.\n2. **Wait.**\n3. **Ask for a licence.** Then wait."
    )
    path.write_text(ARTICLE.replace("1. **Ask for a licence.** Then wait.", warning))
    article = load_article(path).article
    assert article is not None
    assert article.cause.fixes == ("Free space (deletes data)", "Wait", "Ask for a licence")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("---\nfamily", "family", "a.md:1: licence-missing: has no front matter; start the file with ---"),
        ("family: house\n", "", "the front matter lacks 'family'; add 'family:'"),
        ("family: house", "family: [", "a.md:4: licence-missing: the front matter is not valid YAML"),
        ("family: house", "family: house\ncolour: red", "unknown key 'colour'"),
        ("retryable: false", "retryable: no idea", "'retryable' is neither true nor false; write retryable: false"),
        ("reviewed: 2026-11-21", "reviewed: soon", "'reviewed' is not a date; write it as 2026-11-21"),
        ("review_every: 90", "review_every: often", "'review_every' is not a number of days"),
        ("tags: [licence]", "tags: licence", "'tags' is not a list of words"),
        ("tags:", "explained_by:\n  disk-full: 0.5\ntags:", "explained_by 'disk-full' lacks a share between 0 and 1 or a check"),
        ("tags:", "explained_by:\n  x: {share: 0.5, check: a}\n  y: {share: 0.5, check: a}\ntags:", "add up to 1 or more"),
        ("tags:", "explained_by:\n  licence-missing: {share: 0.5, check: a}\ntags:", "explained_by names the article itself"),
        ("# No licence\n", "", "has no title; write '# Title'"),
        ("## Prevent", "## Prevention", "the heading '## Prevent' is missing"),
        ("## Prevent", "## Prevention", "unknown heading 'Prevention'"),
        ("## Prevent\n\nText.", "## Prevent", "'Prevent' is empty; fill it"),
        ("```log", "```text", "'What the log shows' has no ```log block"),
        ("1. **Ask for a licence.** Then wait.", "Ask.", "'Fix' has no numbered steps"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_mend(tmp_path: Path, old: str, new: str, message: str) -> None:
    found = load(tmp_path, ARTICLE.replace(old, new, 1))
    assert any(message in problem for problem in found), found


def test_headings_out_of_order_are_named(tmp_path: Path) -> None:
    swapped = ARTICLE.replace("## Prevent", "## X").replace("## How to confirm", "## Prevent").replace("## X", "## How to confirm")
    assert any("out of order" in problem for problem in load(tmp_path, swapped))


@pytest.mark.parametrize(
    ("markdown", "sentence"),
    [
        ("**Free space.** Then go on.", "Free space"),
        ("Run `a.b: c` first. Then the rest.", "Run `a.b: c` first"),
        ("See [the page](https://example.org): it helps", "See the page"),
        ("Use *this* one", "Use this one"),
        ("Keep snake_case_names", "Keep snake_case_names"),
        ("**Hide it: `sed 's#//[^@]*@#//***@#'`.** Then go on.", "Hide it: `sed 's#//[^@]*@#//***@#'`"),
        ("It prints nothing (`-diff` is new; before, use git). Go on.", "It prints nothing (`-diff` is new; before, use git)"),
        ("See [`a`](https://example.org), not `[b](c)`", "See `a`, not `[b](c)`"),
        ("word " * 30 + "`a long command with many options`", "word " * 29 + "word…"),
    ],
)
def test_the_first_sentence_of_a_step_stands_alone(markdown: str, sentence: str) -> None:
    assert first_sentence(markdown) == sentence


@pytest.mark.parametrize(
    ("section", "confirm"),
    [
        ("```sh\nmake test\n```\nprints `ok` and no warning. Always.", "`make test` prints `ok` and no warning"),
        ("The step passes.\n\n```sh\nmake test\n```\n", "The step passes: `make test`"),
        ("`make test` prints ok.\n\n```sh\nmake more\n```\n", "`make test` prints ok"),
        ("```sh\nmake test\n```\n", "`make test`"),
    ],
)
def test_the_confirmation_names_its_command(tmp_path: Path, section: str, confirm: str) -> None:
    path = tmp_path / "licence-missing.md"
    head, rest = ARTICLE.split("## How to confirm\n")
    path.write_text(f"{head}## How to confirm\n{section}\n\n## Prevent\n{rest.split('## Prevent')[1].lstrip()}")
    article = load_article(path).article
    assert article is not None
    assert article.cause.confirm == confirm
