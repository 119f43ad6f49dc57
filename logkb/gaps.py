"""`logkb gaps FOLDER`: the failed logs that nobody could name, in clusters, each with a draft rule. So the catalogue grows."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from logkb.analysis import Analyzer
from logkb.clean import clean_line, normalise
from logkb.drafts import Draft, slug, template
from logkb.errors import InputError, UsageError
from logkb.records import Rule
from logkb.redact import redact
from logkb.report import KNOWN
from logkb.rules import MIN_KEYWORD
from logkb.scaffold import keyword_of, pattern_of

SUFFIXES = frozenset({".log", ".txt", ".out", ".gz", ".zst", ".xz", ".bz2", ".zip"})
SIMILAR = 0.6
MAX_LINE = 400
MAX_SAMPLES = 3
# A line of more than this share of all logs is the machinery's, not the failure's.
COMMON = 0.3
FEW_LOGS = 10

_VOLATILE = (
    (re.compile(r"\b[a-z][a-z0-9+.-]*://\S+"), "<url>"),
    (re.compile(r"(?<![\w.])(?:[A-Za-z]:)?(?:[\w.@+~-]*[/\\])+[\w.@+~-]*"), "<path>"),
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b"), "<id>"),
    (re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`"), "<text>"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "<n>"),
)
_ERROR_WORDS = re.compile(
    r"\b(?:error|fail(?:ed|ure)?|fatal|panic|exception|cannot|can't|could not|unable|not found|no such|denied|refused|"
    r"invalid|missing|undefined|unknown|unexpected|abort(?:ed)?|killed|timed? ?out|traceback|E:|ERR!)(?!\w)",
    re.IGNORECASE,
)
_HARMLESS = re.compile(r"\b(?:warning|warn|deprecated|notice|debug|0 errors|0 failed|no errors)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A log that failed, or may have, without a finding of 0.5: its excerpt (masked) and that excerpt's cleaned lines."""

    path: Path
    excerpt: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A cluster: its logs, the line that they share, an excerpt (of the first log), and a rule for it, where one loads."""

    logs: tuple[Path, ...]
    line: str
    excerpt: str
    draft: Draft | None


@dataclass(frozen=True, slots=True)
class Survey:
    """What was read: `logs` in all, those `unnamed`, those that could not be read, and the clusters, largest first."""

    logs: int
    unnamed: int
    unreadable: tuple[str, ...]
    gaps: tuple[Gap, ...]


def survey(folder: Path, analyzer: Analyzer, progress: Callable[[int, int], None] | None = None) -> Survey:
    """Analyse the logs below a folder and cluster the unnamed ones. Raises `UsageError` when there is none."""
    paths = log_files(folder)
    if not paths:
        raise UsageError(f"{folder}: no logs below it; they end in {', '.join(sorted(SUFFIXES))}")
    unnamed: list[Unnamed] = []
    unreadable: list[str] = []
    for number, path in enumerate(paths, 1):
        try:
            with path.open("rb") as stream:
                report = analyzer.analyze(stream, name=str(path))
        except (InputError, OSError) as error:
            unreadable.append(str(error))
            continue
        finally:
            if progress is not None:
                progress(number, len(paths))
        named = any(finding.confidence >= KNOWN for finding in report.findings)
        if report.outcome != "passed" and not named and report.excerpt is not None:
            text = redact(report.excerpt.text)
            unnamed.append(Unnamed(path, text, cleaned(text)))
    wrappers = [rule for rule in analyzer.knowledge.rules if rule.marks]
    gaps = cluster(unnamed, lambda line: _is_wrapper(line, wrappers, analyzer))
    return Survey(len(paths), len(unnamed), tuple(unreadable), gaps)


def log_files(folder: Path) -> list[Path]:
    """The logs below a folder, sorted; hidden files and folders are left out. Raises `UsageError` when it is no folder."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; name one with logs below it")
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def cleaned(text: str) -> tuple[str, ...]:
    """The lines as rules see them, without empty ones."""
    raw = normalise(text.encode(errors="replace")).decode("utf-8", "replace").split("\n")
    lines = (clean_line(line).text[:MAX_LINE].strip() for line in raw)
    return tuple(line for line in lines if line)


def _is_wrapper(line: str, wrappers: Iterable[Rule], analyzer: Analyzer) -> bool:
    for rule in wrappers:
        if any(keyword in line for keyword in rule.keywords):
            try:
                if analyzer.matcher.search(rule.pattern, line):
                    return True
            except TimeoutError:
                continue
    return False


def shape(line: str) -> str:
    """The line with what changes from run to run replaced by its kind."""
    for volatile, kind in _VOLATILE:
        line = volatile.sub(kind, line)
    return " ".join(line.split())


def words(line: str) -> frozenset[str]:
    """The words of a line's shape, in lower case: what two lines are compared by."""
    return frozenset(re.findall(r"<\w+>|[^\W\d_][\w.-]*", shape(line).lower()))


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's index: shared words as a share of all."""
    return len(one & other) / len(one | other) if one or other else 0.0


def cluster(unnamed: Sequence[Unnamed], is_wrapper: Callable[[str], bool] = lambda line: False) -> tuple[Gap, ...]:
    """Group logs by their most telling lines, the largest group first. The same logs give the same groups, in any order."""
    unnamed = sorted(unnamed, key=lambda log: str(log.path))
    seen_in = Counter(kind for log in unnamed for kind in {shape(line) for line in log.lines})
    chosen = [(log, telling_line(log.lines, seen_in, len(unnamed), is_wrapper)) for log in unnamed]
    sizes = Counter(shape(line) for _, line in chosen)
    # Frequent shapes first: they become the clusters that rarer wordings join.
    chosen.sort(key=lambda item: (-sizes[shape(item[1])], shape(item[1]), str(item[0].path)))
    clusters: list[tuple[frozenset[str], list[tuple[Unnamed, str]]]] = []
    for log, line in chosen:
        own = words(line)
        near = max(clusters, key=lambda group: similarity(group[0], own), default=None)
        if near is not None and (near[0] == own or similarity(near[0], own) >= SIMILAR):
            near[1].append((log, line))
        else:
            clusters.append((own, [(log, line)]))
    ordered = sorted((members for _, members in clusters), key=lambda members: (-len(members), str(members[0][0].path)))
    return tuple(_with_own_ids(_gap(members) for members in ordered))


def telling_line(lines: Sequence[str], seen_in: Counter[str], logs: int, is_wrapper: Callable[[str], bool]) -> str:
    """The line that says most about the failure: it speaks of an error, stands near the end, and is no wrapper's or
    machinery's, which many logs share."""
    best, best_score = "", -math.inf
    for number, line in enumerate(lines, 1):
        letters = sum(character.isalpha() for character in line)
        if letters < 6:
            continue
        score = 2.0 * number / len(lines)
        score += min(4.0, 2.5 * bool(found := _ERROR_WORDS.findall(line)) + 0.5 * len(found))
        score -= 2.0 * bool(_HARMLESS.search(line)) + 1.5 * (len(line) > 250) + 1.0 * (len(words(line)) < 3)
        if logs > FEW_LOGS and seen_in[shape(line)] / logs > COMMON:
            score -= 3.0
        if is_wrapper(line):
            score -= 5.0
        if score >= best_score:
            best, best_score = line, score
    return best or (lines[-1] if lines else "")


def _gap(members: Sequence[tuple[Unnamed, str]]) -> Gap:
    line = members[0][1]
    draft = draft_rule([text for _, text in members]) if line else None
    return Gap(tuple(log.path for log, _ in members), line, members[0][0].excerpt, draft)


def _with_own_ids(gaps: Iterable[Gap]) -> Iterator[Gap]:
    """Ids are made from words, so two clusters may ask for one id; the second gets a number."""
    from dataclasses import replace

    used: Counter[str] = Counter()
    for gap in gaps:
        if gap.draft is None:
            yield gap
            continue
        used[gap.draft.id] += 1
        number = used[gap.draft.id]
        name = f"{gap.draft.id}-{number}" if number > 1 else gap.draft.id
        yield replace(gap, draft=replace(gap.draft, id=name))


def draft_rule(lines: Sequence[str]) -> Draft | None:
    """A rule for the first line that also matches as many of the others as it can; None when the line is too short."""
    line = lines[0]
    different = list(dict.fromkeys(lines))
    name = slug(" ".join(sorted(words(line) & set(re.findall(r"[a-z]+", line.lower())), key=line.lower().find)[:6]))
    said = template(line)
    for pattern, capture in (*_with_capture(line, different), (pattern_of(line), "")):
        keyword = _keyword(pattern, different)
        if len(keyword) < MIN_KEYWORD:
            continue
        samples = tuple(text for text in different if _found(pattern, keyword, text))[:MAX_SAMPLES]
        if line not in samples:
            continue
        message = f"{said[:100]}: {{{capture}}}" if capture else said
        comment = f"Draft of `logkb gaps`, from {len(lines)} logs: name the cause, widen the pattern, add near misses."
        draft = Draft(
            name, name, (keyword,), pattern, message, samples, fingerprint=(capture,) if capture else (), comments=(comment,)
        )
        if not draft.mistake():
            return draft
    return None


def _with_capture(line: str, lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The line's pattern with a capture for what changes between the cluster's lines, else for its first quoted text."""
    tokens = line.split(" ")
    peers = [other.split(" ") for other in lines if len(other.split(" ")) == len(tokens)]
    changing = [number for number, token in enumerate(tokens) if any(peer[number] != token for peer in peers)]
    if changing and len(changing) < len(tokens):
        parts = [pattern_of(token).removeprefix("^\\s*") for token in tokens]
        for number in changing:
            parts[number] = r"(?P<what>\S+)" if number == changing[0] else r"\S+"
        yield "^\\s*" + " ".join(parts), "what"
    if quoted := re.search(r"(['\"`])(?P<text>[^'\"`]+)\1", line):
        before, after, mark = line[: quoted.start()], line[quoted.end() :], quoted[1]
        inner = rf"{mark}(?P<what>[^{mark}]+){mark}"
        yield _prefix_of(before) + inner + _suffix_of(after), "what"


def _prefix_of(text: str) -> str:
    return pattern_of(text + "x")[:-1]


def _suffix_of(text: str) -> str:
    return pattern_of("x" + text).removeprefix("^\\s*x")


def _keyword(pattern: str, lines: Sequence[str]) -> str:
    """The longest literal of the first line that the pattern keeps, and so every line that it matches holds."""
    fixed = re.split(r"\\S\+|\(\?P<what>[^)]*\)|\\d\+|\[0-9a-f\]\+|\^\\s\*", pattern)
    literals = [re.sub(r"\\(.)", r"\1", part).strip() for part in fixed]
    kept = [literal for literal in literals if literal in lines[0]]
    best = max(kept, key=len, default="")
    own = keyword_of(lines[0])
    return own if len(own) > len(best) and own in literals else best


def _found(pattern: str, keyword: str, text: str) -> bool:
    import regex

    try:
        return keyword in text and regex.search(pattern, text, regex.ASCII, timeout=0.2) is not None
    except TimeoutError:
        return False


def render_gaps(found: Survey, top: int | None = None) -> str:
    """The survey as text: a line of counts, then each cluster with its logs, excerpt and draft."""
    clusters = "1 cluster" if len(found.gaps) == 1 else f"{len(found.gaps)} clusters"
    share = f"{found.unnamed} of {found.logs} logs without a name, in {clusters}"
    parts = [f"{share}; {len(found.unreadable)} not readable" if found.unreadable else share]
    for number, gap in enumerate(found.gaps[:top], 1):
        rows = [f"== {number}. {len(gap.logs)} {'log' if len(gap.logs) == 1 else 'logs'}: {gap.line[:160]}"]
        rows += [f"   {path}" for path in gap.logs]
        rows += ["", "   Excerpt of the first:", *(f"   | {line[:200]}" for line in gap.excerpt.splitlines()), ""]
        rows += [gap.draft.toml().rstrip()] if gap.draft else ["   No draft: the line is too short for a rule; read the excerpt."]
        parts.append("\n".join(rows))
    return "\n\n".join(parts)
