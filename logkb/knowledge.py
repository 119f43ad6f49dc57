"""Rules + causes + articles, loaded once: the shipped folder, then the user's, whose entries win.

Parsing TOML and Markdown costs more than a scan, so what an analysis needs is kept compiled in the user's cache,
keyed by the size and time of every file.
"""

from __future__ import annotations

import marshal
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from logkb import paths
from logkb.cache import read_private, short_name, write_private
from logkb.errors import Location, Problem, UsageError
from logkb.records import Cause, Explanation, Neighbour, Rule

if TYPE_CHECKING:
    from logkb.articles import Article

# Part of the cache's key: raise it when the records change.
FORMAT = "9"


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything that an analysis needs. `problems` are the mistakes that kept a rule or an article out."""

    rules: Sequence[Rule]
    causes: dict[str, Cause]
    problems: tuple[Problem, ...]
    cache: Path | None
    model: Path | None = None

    def article(self, cause: str) -> Article:
        """The article of a cause, read from its file. Raises `UsageError` for a cause that does not exist."""
        from logkb.articles import load_article

        known = self.causes.get(cause)
        if known is None:
            raise UsageError(f"unknown cause '{cause}'{suggestion(cause, self.causes)}; `logkb causes` lists them")
        article = load_article(known.location.path).article
        if article is None:
            raise UsageError(f"{known.location.path}: the article cannot be read; run `logkb check` to see why")
        return article


class StoredRules(Sequence[Rule]):
    """The rules of the compiled knowledge; each becomes a record when it is first asked for, since a log asks for few.

    `identity` stands for the keywords of all of them: whatever is derived from these can be kept under it.
    """

    def __init__(self, rows: list[bytes], identity: bytes) -> None:
        self._rows = rows
        self._made: dict[int, Rule] = {}
        self.identity = identity

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Rule: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Rule]: ...
    def __getitem__(self, index: int | slice) -> Rule | Sequence[Rule]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self._rows)))]
        if index not in self._made:
            self._made[index] = _rule(marshal.loads(self._rows[index]))
        return self._made[index]


def suggestion(word: str, known: Sequence[str] | dict[str, Any]) -> str:
    """ ", did you mean …?" for a word that is close to a known one, else nothing."""
    import difflib

    close = difflib.get_close_matches(word, list(known), n=3, cutoff=0.5)
    close += [name for name in known if word in name and name not in close][: 3 - len(close)]
    return f", did you mean {' or '.join(close)}?" if close else ""


def load_knowledge(overlays: Sequence[Path] = (), *, use_cache: bool = True) -> Knowledge:
    """Load the shipped knowledge and the overlays, in order; a later rule or article replaces one of the same id.

    Never raises for what is in the files: a wrong rule or article is left out and named in `problems`.
    """
    roots = [paths.data_root(), *overlays]
    cache = paths.cache_dir() if use_cache else None
    files = [(rule_files(root), article_files(root)) for root in roots]
    key = _key(files)
    model = model_of(overlays)
    path = None if cache is None else cache / f"knowledge-{short_name(key)}.bin"
    if path is not None:
        stored = read_private(path, key)
        if stored is not None:
            return Knowledge(*_unpack(marshal.loads(stored)), cache, model)
    rules, causes, problems = _compile(files)
    if path is not None:
        write_private(path, key, marshal.dumps(_pack(rules, causes, problems)))
    return Knowledge(rules, causes, problems, cache, model)


def model_of(overlays: Sequence[Path]) -> Path | None:
    """The classifier to use: the last overlay's own `model.bin`, else the shipped one; None when there is none."""
    candidates = [*(folder / "model.bin" for folder in reversed(overlays)), paths.model_file()]
    return next((path for path in candidates if path.is_file()), None)


def rule_files(root: Path) -> list[Path]:
    """The rule files below a root, sorted."""
    found: list[str] = []
    folders = [str(root / "patterns")]
    # `Path.rglob` takes ten times as long, on every run.
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir():
                        if entry.name != "data":
                            folders.append(entry.path)
                    elif entry.name.endswith(".toml"):
                        found.append(entry.path)
        except OSError:
            continue
    return [Path(path) for path in sorted(found)]


def article_files(root: Path) -> list[Path]:
    """The articles below a root, sorted: `docs/causes/*.md`, or `causes/*.md` in an overlay."""
    return sorted([*(root / "docs" / "causes").glob("*.md"), *(root / "causes").glob("*.md")])


def _key(files: Sequence[tuple[list[Path], list[Path]]]) -> bytes:
    facts = []
    for path in (path for pair in files for part in pair for path in part):
        try:
            found = path.stat()
        except OSError:
            continue
        facts.append((str(path), found.st_size, found.st_mtime_ns))
    return repr((FORMAT, facts)).encode()


def _compile(
    files: Sequence[tuple[list[Path], list[Path]]],
) -> tuple[tuple[Rule, ...], dict[str, Cause], tuple[Problem, ...]]:
    from logkb.articles import load_articles
    from logkb.literals import required_of
    from logkb.rules import load_rule_files

    rules: dict[str, Rule] = {}
    causes: dict[str, Cause] = {}
    problems: list[Problem] = []
    for rule_paths, article_paths in files:
        loaded = load_rule_files(rule_paths)
        rules.update(
            {
                rule.id: replace(rule, should_match=(), should_not_match=(), required=required_of(rule.pattern))
                for rule in loaded.rules
            }
        )
        articles, wrong = load_articles(article_paths)
        causes.update({article.cause.id: article.cause for article in articles})
        problems += [*loaded.problems, *wrong]
    for rule in rules.values():
        if rule.cause is not None and rule.cause not in causes:
            mend = f"logkb new article {rule.cause} --title '…' drafts it; or correct the cause{suggestion(rule.cause, causes)}"
            problems.append(Problem(rule.location, f"cause '{rule.cause}' has no article", mend, rule.id))
            causes[rule.cause] = without_article(rule.cause, rule.location)
    return tuple(rules.values()), causes, tuple(problems)


def without_article(identifier: str, location: Location) -> Cause:
    """A cause that nobody has written an article for yet."""
    title = identifier.replace("-", " ").capitalize()
    return Cause(identifier, title, "other", (), False, (), (), "", "", 0, location)


def _pack(rules: tuple[Rule, ...], causes: dict[str, Cause], problems: tuple[Problem, ...]) -> dict[str, Any]:
    return {
        "identity": short_name(marshal.dumps([rule.keywords for rule in rules], 2)).encode(),
        "rules": [marshal.dumps(_plain(asdict(rule))) for rule in rules],
        "causes": _plain([asdict(cause) for cause in causes.values()]),
        "problems": _plain([asdict(problem) for problem in problems]),
    }


def _plain(value: Any) -> Any:
    """Paths as text, tuples as lists: what `marshal` keeps."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _unpack(data: dict[str, Any]) -> tuple[Sequence[Rule], dict[str, Cause], tuple[Problem, ...]]:
    rules = StoredRules(data["rules"], data["identity"])
    causes = {
        raw["id"]: Cause(
            **{
                **raw,
                "tags": tuple(raw["tags"]),
                "fixes": tuple(raw["fixes"]),
                "explained_by": tuple(Explanation(**entry) for entry in raw["explained_by"]),
                "location": _location(raw["location"]),
            }
        )
        for raw in data["causes"]
    }
    problems = tuple(Problem(**{**raw, "location": _location(raw["location"])}) for raw in data["problems"])
    return rules, causes, problems


def _rule(raw: dict[str, Any]) -> Rule:
    return Rule(
        **{
            **raw,
            "keywords": tuple(raw["keywords"]),
            "fingerprint": tuple(raw["fingerprint"]),
            "neighbour": Neighbour(**raw["neighbour"]) if raw["neighbour"] else None,
            "required": _tupled(raw["required"]),
            "should_match": (),
            "should_not_match": (),
            "location": _location(raw["location"]),
        }
    )


def _tupled(need: Any) -> Any:
    return need if isinstance(need, str) else tuple(_tupled(part) for part in need)


def _location(raw: dict[str, Any]) -> Location:
    return Location(Path(raw["path"]), raw["line"])
