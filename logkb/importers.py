"""`logkb import rules FILE`: other people's rules as drafts in the overlay, for a person to review.

GitHub problem matchers (JSON), Jenkins Build Failure Analyzer (XML), .NET's known issues (JSON), vim's errorformat. Each
reader yields `Found` patterns; what cannot become a rule is listed with the reason, never dropped in silence.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logkb.drafts import Draft, Found, one_line, slug, template
from logkb.errorformat import read_errorformat
from logkb.errors import InputError, UsageError
from logkb.literals import examples_of, ignores_case, keywords_of
from logkb.rules import MAX_WITHIN, MIN_KEYWORD

MAX_BYTES = 8 * 1024**2
MAX_DEPTH = 60
MAX_RULES = 2_000
# What tells one failure from another; a file, a line and a column do not.
TELLING = ("code",)


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file: the drafts that load, and name and reason of what did not."""

    source: str
    format: str
    drafts: tuple[Draft, ...]
    refused: tuple[tuple[str, str], ...]

    def toml(self) -> str:
        """The rule file. What could not be translated stands at its head as a comment."""
        head = [f"# Imported from {one_line(self.source)} ({self.format}): drafts, to be reviewed one by one."]
        head += ["# Name each cause, check the samples against real logs, and add lines that must not match."]
        head += [one_line(f"# Not translated: {name}: {why}") for name, why in self.refused]
        return "\n".join(head) + "\n\n" + "\n".join(draft.toml() for draft in self.drafts)


def import_rules(path: Path, folder: Path) -> tuple[Imported, Path | None]:
    """Translate a file and write `folder/patterns/imported-<name>.toml`; no file when nothing could be translated.

    Raises `InputError` when the file cannot be read or is hostile, `UsageError` when it is none of the formats.
    """
    imported = translate(_read(path), path.name)
    if not imported.drafts:
        return imported, None
    target = folder / "patterns" / f"imported-{slug(path.stem)}.toml"
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("x", encoding="utf-8") as stream:
            stream.write(imported.toml())
    except FileExistsError:
        raise UsageError(f"{target}: exists already; review or remove it, then import again") from None
    return imported, target


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: is larger than {MAX_BYTES // 1024**2} MB; import a part of it")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); check the path") from None


def translate(data: bytes, name: str) -> Imported:
    """Tell the format by the content, and make drafts. Raises `InputError` and `UsageError`."""
    kind, found = _patterns(data, name)
    drafts: list[Draft] = []
    refused: list[tuple[str, str]] = []
    used: Counter[str] = Counter()
    for number, item in enumerate(found):
        if number >= MAX_RULES:
            refused.append((item.name, f"the file holds more than {MAX_RULES} patterns"))
            break
        try:
            if item.refused:
                raise UsageError(item.refused)
            drafts.append(_draft(item, used, name))
        except UsageError as error:
            refused.append((item.name, str(error)))
    if not drafts and not refused:
        raise UsageError(f"{name}: no rules in it; logkb reads problem matchers, BFA exports, known issues and errorformat")
    return Imported(name, kind, tuple(drafts), tuple(refused))


def _patterns(data: bytes, name: str) -> tuple[str, Iterable[Found]]:
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "Jenkins Build Failure Analyzer", read_failure_causes(data, name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{name}: is not UTF-8 text; convert it first") from None
    if text.lstrip().startswith(("{", "[")):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{name}: is not valid JSON ({error})") from None
        return _json_patterns(document, name)
    blocks = [block for block in re.findall(r"```json\s*\n(.*?)```", text, re.S) if '"Error' in block]
    if blocks:
        return "known issue", [item for block in blocks for item in _issue_block(block, name)]
    return "vim errorformat", read_errorformat(text)


def _json_patterns(document: Any, name: str) -> tuple[str, Iterable[Found]]:
    if isinstance(document, dict) and "problemMatcher" in document:
        return "problem matcher", read_problem_matchers(document)
    issues = document if isinstance(document, list) else [document]
    if issues and all(isinstance(issue, dict) for issue in issues):
        if all({"ErrorMessage", "ErrorPattern"} & set(issue) for issue in issues):
            return "known issue", [item for issue in issues for item in read_known_issue(issue, name)]
        if all(isinstance(issue.get("body"), str) for issue in issues):
            found = [
                item
                for issue in issues
                for block in re.findall(r"```json\s*\n(.*?)```", issue["body"], re.S)
                for item in _issue_block(block, str(issue.get("title") or name))
            ]
            return "known issue", found
    raise UsageError(f"{name}: JSON, but neither a problem matcher nor a known issue (ErrorMessage, ErrorPattern)")


def _issue_block(block: str, title: str) -> Iterator[Found]:
    try:
        issue = json.loads(block)
    except (ValueError, RecursionError) as error:
        yield Found(title, "", refused=f"its JSON is not valid ({error})")
        return
    if isinstance(issue, dict):
        yield from read_known_issue(issue, title)


def read_known_issue(issue: Mapping[str, Any], title: str) -> Iterator[Found]:
    """.NET's form: `ErrorMessage` is a literal, `ErrorPattern` a regular expression; a list means lines in this order."""
    for key, make in (("ErrorMessage", re.escape), ("ErrorPattern", str)):
        value = issue.get(key)
        texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        texts = [text.strip() for text in texts if isinstance(text, str) and text.strip()]
        if not texts:
            continue
        *earlier, last = texts
        comments = (f"{len(earlier) - 1} earlier lines of the issue were left out.",) if len(earlier) > 1 else ()
        before = (_cleaned(make(earlier[-1])), MAX_WITHIN) if earlier else None
        label = str(issue.get("title") or (last if key == "ErrorMessage" else title))
        sample = last if key == "ErrorMessage" and not earlier else ""
        yield Found(label, _cleaned(make(last)), before, comments=comments, sample=sample)


def _cleaned(pattern: str) -> str:
    return re.sub(r"\\([ #&~\-'\"/<>@!%,:;=])", lambda found: found[0] if found[1] in "-#&~" else found[1], pattern)


def read_problem_matchers(document: Mapping[str, Any]) -> Iterator[Found]:
    """GitHub's form: owner, and one pattern a line; the last line carries the message, those before it the file."""
    matchers = document["problemMatcher"]
    for matcher in matchers if isinstance(matchers, list) else [matchers]:
        if not isinstance(matcher, dict):
            yield Found("problem matcher", "", refused="is not an object")
            continue
        owner = str(matcher.get("owner", "problem-matcher"))
        lines = matcher.get("pattern")
        lines = lines if isinstance(lines, list) else [lines]
        if not lines or not all(isinstance(line, dict) and isinstance(line.get("regexp"), str) for line in lines):
            yield Found(owner, "", refused="has no 'pattern' with a 'regexp'")
            continue
        *earlier, last = lines
        before = None
        if earlier:
            before = (_with_names(earlier[-1]), MAX_WITHIN if last.get("loop") else 1)
        comments = (f"{len(earlier) - 1} earlier lines of the matcher were left out.",) if len(earlier) > 1 else ()
        yield Found(owner, _with_names(last), before, comments=comments)


FIELDS = ("file", "fromPath", "line", "column", "severity", "code", "message")


def _with_names(line: Mapping[str, Any]) -> str:
    """The expression with the names that the matcher gives its numbered groups."""
    names = {line[field]: field.lower() for field in FIELDS if isinstance(line.get(field), int)}
    pattern = re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", line["regexp"])
    number = 0

    def name(found: re.Match[str]) -> str:
        nonlocal number
        if found[0] not in ("(", "(?P<"):
            return found[0]
        number += 1
        return f"(?P<{names[number]}>" if found[0] == "(" and number in names else found[0]

    # Escapes and classes are stepped over; "(" opens a numbered group unless a question mark follows.
    return re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?P<|\(\?|\(", name, pattern)


def read_failure_causes(data: bytes, name: str) -> Iterator[Found]:
    """Jenkins' form: failure causes, each with indications whose pattern must match the whole line."""
    from xml.etree import ElementTree

    # Jenkins writes XML 1.1, which expat refuses although nothing in these files needs it.
    data = re.sub(rb"\A((?:\xef\xbb\xbf)?\s*<\?xml\s+version=['\"])1\.1", rb"\g<1>1.0", data)
    refuse_hostile(data, name)
    for cause in ElementTree.fromstring(data).iter():
        if cause.tag.split(".")[-1] != "FailureCause":
            continue
        label = (cause.findtext("name") or "failure cause").strip()
        comments = tuple(text for key in ("description", "comment") if (text := " ".join((cause.findtext(key) or "").split())))
        indications = [item for group in cause.iter("indications") for item in group]
        if not indications:
            yield Found(label, "", refused="has no indication")
        for indication in indications:
            pattern = indication.findtext("pattern") or indication.findtext("userProvidedExpression") or ""
            if not pattern:
                yield Found(label, "", refused="has an indication without a pattern")
            elif "Multiline" in indication.tag or "\n" in pattern or r"\n" in pattern or r"\R" in pattern:
                yield Found(label, pattern, refused="spans several lines; write it with followed_by")
            else:
                yield Found(label, _searched(pattern), comments=comments)


def _searched(pattern: str) -> str:
    """An expression for a whole line as one that is searched in it."""
    flags = re.match(r"\(\?[a-z]+\)", pattern)
    head, body = (flags[0].replace("s", ""), pattern[flags.end() :]) if flags else ("", pattern)
    body = body.removeprefix("^")
    body = body.removesuffix("$") if not body.endswith(r"\$") else body
    if "|" not in body:
        body = body.removeprefix(".*?").removeprefix(".*") if body.startswith(".*") else f"^{body}"
        body = body[:-2] if body.endswith(".*") and not body.endswith(r"\.*") else f"{body}$"
    else:
        body = f"^(?:{body})$"
    return (head if head != "(?)" else "") + body


def refuse_hostile(data: bytes, name: str) -> None:
    """Raise `InputError` for XML that is not well-formed, is deeper than any export, or declares a document type: with
    that come entities that grow without bound or read files."""
    from xml.parsers import expat

    depth = 0

    def open_element(_name: str, _attributes: object) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise InputError(f"{name}: is nested deeper than {MAX_DEPTH} elements; this is no export of failure causes")

    def close_element(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def declare(*_what: object) -> None:
        raise InputError(f"{name}: declares a document type, which logkb does not read; remove the <!DOCTYPE …>")

    parser = expat.ParserCreate()
    parser.StartElementHandler = open_element
    parser.EndElementHandler = close_element
    parser.StartDoctypeDeclHandler = declare
    parser.EntityDeclHandler = declare
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise InputError(f"{name}: is not well-formed XML ({error}); export it again") from None


def _draft(item: Found, used: Counter[str], source: str) -> Draft:
    """A rule that loads and matches a sample made from its pattern. Raises `UsageError` with the reason when none does."""
    words = keywords_of(item.pattern)
    if not words:
        raise UsageError(f"holds no literal of {MIN_KEYWORD} characters that every matching line has")
    comments = [f"From {source}: {item.name}", *item.comments]
    if ignores_case(item.pattern):
        words = tuple(
            dict.fromkeys(make(word) for word in words for make in (str, str.lower, str.upper, str.capitalize, str.title))
        )
        comments.append("The original ignores case; the keywords hold its usual spellings only.")
    cause = slug(item.name, "imported")
    used[cause] += 1
    groups = re.findall(r"\(\?P<(\w+)>", item.pattern)
    said = template(item.name)
    message = f"{said}: {{message}}" if "message" in groups else said
    print_by = tuple(name for name in TELLING if name in groups)
    name = cause if used[cause] == 1 else f"{cause}-{used[cause]}"
    why = "no text could be made that it matches"
    for sample in _samples(item):
        made = Draft(name, cause, words, item.pattern, message, (sample,), print_by, item.before, tuple(comments))
        why = made.mistake()
        if not why:
            return made
    used[cause] -= 1
    raise UsageError(why)


def _samples(item: Found) -> Iterator[str]:
    texts: Callable[[str], list[str]] = lambda pattern: list(dict.fromkeys(examples_of(pattern)))  # noqa: E731
    if item.before is None:
        yield from filter(str.strip, [item.sample, *texts(item.pattern)])
        return
    for first in texts(item.before[0]):
        for last in texts(item.pattern):
            yield f"{first}\n{last}"


def render_imported(imported: Imported, target: Path | None) -> str:
    """What was written, and what was not and why."""
    rows = [f"not translated: {one_line(name)}: {one_line(why)}" for name, why in imported.refused]
    if target is None:
        return "\n".join([*rows, f"nothing written: no {imported.format} pattern could become a rule"])
    causes = sorted({draft.cause for draft in imported.drafts})
    drafts = "1 draft" if len(imported.drafts) == 1 else f"{len(imported.drafts)} drafts"
    rows.append(f"wrote {target}: {drafts} ({imported.format}), {len(imported.refused)} not translated")
    rows.append(f"review each, write the articles (logkb new article {causes[0]} --title '…'), then run `logkb check`")
    return "\n".join(rows)
