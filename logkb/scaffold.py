"""Drafts of rules and articles: `logkb new rule`, `logkb new article`."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from logkb.articles import HEADINGS
from logkb.clean import clean_line, normalise
from logkb.errors import UsageError
from logkb.rules import IDENTIFIER, MIN_KEYWORD

# What changes from run to run, and the class that stands for it in a draft.
VOLATILE = (
    (re.compile(r"\b[0-9a-f]{12,64}\b"), r"[0-9a-f]+"),
    (re.compile(r"\d+"), r"\d+"),
)


def new_rule(identifier: str, cause: str, line: str, folder: Path) -> Path:
    """Write `folder/patterns/<identifier>.toml` with a rule that matches the line. Raises `UsageError`."""
    _check_name("rule", identifier)
    _check_name("cause", cause)
    text = clean_line(normalise(line.encode()).decode("utf-8", "replace").splitlines()[0] if line.strip() else "").text
    if len(text.strip()) < MIN_KEYWORD:
        raise UsageError(f"a rule needs a line of at least {MIN_KEYWORD} characters; give it with --line 'ERROR: …'")
    rule = "\n".join(
        [
            "# Which program prints this line, and what is worth knowing about it?",
            "[[rule]]",
            f"id = '{identifier}'",
            f"cause = '{cause}'",
            "strength = 'medium'",
            f"keyword = {_toml(keyword_of(text))}",
            f"pattern = {_toml(pattern_of(text))}",
            f"message = {_toml(re.sub(r'[{}]', '', text)[:120])}",
            "fingerprint = []",
            "should_not_match = []",
            "[[rule.should_match]]",
            f"line = {_toml(text)}",
            "",
        ]
    )
    return _write(folder / "patterns" / f"{identifier}.toml", rule)


def new_article(cause: str, title: str, family: str, folder: Path) -> Path:
    """Write `folder/causes/<cause>.md` (`docs/causes/` in a repository of logkb) with every heading. Raises `UsageError`."""
    _check_name("cause", cause)
    _check_name("family", family)
    bodies = {
        "What the log shows": "Which tools print what.\n\n```log\nERROR: the line that the tool prints\n```",
        "Fix": "1. **Do the safe thing first.** How, with the command:\n\n   ```sh\n   command\n   ```",
        "How to confirm": "The build prints this:\n\n```sh\ncommand\n```",
        "References": "- [Title](https://example.org/)",
    }
    parts = [f"## {heading}\n\n{bodies.get(heading, 'Write this part.')}" for heading in HEADINGS]
    front = f"---\nfamily: {family}\ntags: []\nretryable: false\nreviewed: {date.today()}\nreview_every: 180\n---\n"
    text = f"{front}# {title}\n\nWhat it is, in one sentence.\n\n" + "\n\n".join(parts) + "\n"
    place = folder / "docs" / "causes" if (folder / "docs" / "causes").is_dir() else folder / "causes"
    return _write(place / f"{cause}.md", text)


def keyword_of(line: str) -> str:
    """The longest run of the line without anything that changes from run to run."""
    parts = re.split(r"\b[0-9a-f]{12,64}\b|\d+|(?<!\w)/\S+|'[^']*'|\"[^\"]*\"", line)
    best = max((part.strip() for part in parts), key=len, default="")
    return best if len(best) >= MIN_KEYWORD else line.strip()


def pattern_of(line: str) -> str:
    """The line as an anchored pattern, with numbers and digests generalised."""
    pattern = re.escape(line.strip()).replace("\\ ", " ")
    for volatile, stands_for in VOLATILE:
        pattern = volatile.sub(lambda _found, text=stands_for: text, pattern)  # type: ignore[misc]
    return f"^\\s*{pattern}"


def _toml(text: str) -> str:
    if "'" not in text:
        return f"'{text}'"
    return (
        "'''" + text + "'''"
        if "'''" not in text and not text.endswith("'")
        else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )


def _check_name(kind: str, name: str) -> None:
    if not IDENTIFIER.fullmatch(name):
        raise UsageError(f"{kind} '{name}' is not lower-case words joined by '-'; write it like 'disk-full'")


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise UsageError(f"{path}: exists already; edit it, or choose another name") from None
    return path
