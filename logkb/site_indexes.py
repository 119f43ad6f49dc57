"""The indexes: causes by family, by tool, by exit code, and by the line that the log shows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from logkb.articles import Article
from logkb.records import Cause, Rule
from logkb.site_blocks import Block, Code, Inline, Items, Link, Page, Paragraph, Part, Table, words
from logkb.site_catalogue import Catalogue, sample_line
from logkb.site_pages import cause_link

SPOKEN = (
    r"exit(?:ed|s)?(?: with)?(?: non-?zero)?(?: code| status| value)s?", r"non-?zero (?:exit )?(?:code|status)",
    r"ends? with (?:code|status)", r"returned (?:a )?(?:non-?zero )?(?:code|status)", "error code",
)  # fmt: skip
EXIT = re.compile(rf"\b(?:{'|'.join(SPOKEN)})[\"' ]{{0,2}}[:=(]{{0,2}} {{0,2}}[`(]?(?P<code>\d{{1,3}})\b", re.I)
OTHER = "0-9 and signs"
FENCE = re.compile(r"^( *)(`{3,}|~{3,})[^\n]*\n.*?^\1\2`*$", re.M | re.S)
# What a status means by itself: POSIX shell (2.8.2), bash's manual, GNU coreutils' timeout and env, `docker run`, apt's sources.
MEANINGS: Mapping[int, str] = {
    1: "Any failure: the lowest common answer of nearly every tool. The lines above it say more.",
    2: "Often a wrong call; `make` when a recipe failed, a shell on a syntax error, many linters and scanners on a finding.",
    5: "`pytest` when it collected no test.",
    100: "`apt-get` and `apt`: any error, a package that is not found as well as a full disk.",
    101: "A Rust program that panicked, and `cargo` when the compiler failed.",
    124: "`timeout` ended the command because its time was over.",
    125: "`docker run` itself failed, before the command started; also `timeout` itself, and `git bisect run` for “skip”.",
    126: "The shell found the command and could not run it: no permission, or not a program for this machine.",
    127: "The shell, or the program's loader, did not find the command or a library.",
    128: "git's fatal errors; above 128 a shell means “ended by signal number (status minus 128)”.",
    129: "Ended by SIGHUP (128 + 1); also git on a wrong call.",
    130: "Ended by SIGINT (128 + 2): somebody cancelled.",
    132: "Ended by SIGILL (128 + 4): an instruction that this processor does not have.",
    134: "Ended by SIGABRT (128 + 6): a failed assertion, `abort()`, Node.js out of heap.",
    135: "Ended by SIGBUS (128 + 7): often shared memory or a disk that ran full under a mapped file.",
    136: "Ended by SIGFPE (128 + 8): a division by zero.",
    137: "Ended by SIGKILL (128 + 9): most often the kernel or the container's limit, out of memory; or a forced stop.",
    139: "Ended by SIGSEGV (128 + 11): a crash.",
    141: "Ended by SIGPIPE (128 + 13): the reader of a pipe went away.",
    143: "Ended by SIGTERM (128 + 15): a cancelled job, a time limit, a machine that is being shut down.",
    255: "`ssh` when the connection failed; any program that ends with -1.",
}
# Status 1 is what wrappers print below every failure; a rule's sample or an article's log that holds it says nothing.
COMMON = frozenset({0, 1})


def family_pages(catalogue: Catalogue) -> list[Page]:
    """`causes/index` with all families, and one page a family."""
    families: dict[str, list[Cause]] = defaultdict(list)
    for cause in catalogue.causes:
        families[cause.family].append(cause)
    pages = []
    parts: list[Block] = [
        Paragraph((f"{len(catalogue.causes)} causes in {len(families)} families. Each has an article of one page.",))
    ]
    for family, causes in sorted(families.items()):
        pages.append(
            Page(
                f"families/{family}",
                f"Family: {family}",
                blocks=(_table(causes, catalogue),),
                indexed=False,
            )
        )
        items = tuple((Paragraph((cause_link(cause), " ", Code(cause.id))),) for cause in causes)
        parts.append(Part(family, f"family-{family}", (Items(items, "index"),)))
    children = (("", tuple((page.title.removeprefix("Family: "), page.name) for page in pages)),)
    return [Page("causes/index", "Causes by family", blocks=tuple(parts), children=children, indexed=False), *pages]


def _table(causes: Iterable[Cause], catalogue: Catalogue) -> Table:
    rows = tuple(
        ((cause_link(cause),), words(cause.fixes[0]) if cause.fixes else ("",), (str(len(catalogue.rules.get(cause.id, ()))),))
        for cause in causes
    )
    return Table(("cause", "first step", "rules"), rows)


def tool_page(catalogue: Catalogue) -> Page:
    """Causes by tool: the first word of a rule's id names its tool, and an article's tags name others."""
    tools: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    files: dict[str, set[str]] = defaultdict(set)
    for cause, rules in catalogue.rules.items():
        for rule in rules:
            tool = rule.id.split("-")[0]
            if cause:
                tools[tool][cause] += 1
            files[tool].add(catalogue.files[rule.location.path])
    tags = {tag.lower() for cause in catalogue.causes for tag in cause.tags}
    for known in catalogue.causes:
        for tag in known.tags:
            tools[tag.lower()][known.id] += 0
    shown = {tool: found for tool, found in tools.items() if sum(found.values()) > 1 or tool in tags}
    blocks: list[Block] = [
        Paragraph(("By the tool that prints the line, and by the articles' tags; behind each cause the number of rules.",))
    ]
    grouped = _by_letter(shown)
    blocks.append(_letters(letter for letter, _ in grouped))
    for letter, names in grouped:
        items = tuple(_tool(name, shown[name], files.get(name, set()), catalogue) for name in names)
        blocks.append(Part(letter, f"letter-{_slug(letter)}", (Items(items, "index"),)))
    return Page("indexes/tools", "Causes by tool and tag", blocks=tuple(blocks), indexed=False)


def _tool(name: str, found: Mapping[str, int], files: set[str], catalogue: Catalogue) -> tuple[Block, ...]:
    inlines: list[Inline] = [Code(name), ": "]
    for index, (cause, count) in enumerate(sorted(found.items(), key=lambda item: (-item[1], item[0]))):
        inlines += [", " if index else "", cause_link(catalogue.knowledge.causes[cause]), f" ({count})" if count else ""]
    for index, file in enumerate(sorted(files)):
        inlines += [" · " if not index else " ", Link(f"{file}.toml", f"sources/{file}", code=True)]
    return (Paragraph(tuple(inlines)),)


def _by_letter(names: Iterable[str]) -> list[tuple[str, list[str]]]:
    letters: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names, key=_sort_key):
        key = _sort_key(name)[:1].upper()
        letters[key if key.isalpha() else OTHER].append(name)
    return sorted(letters.items(), key=lambda item: (len(item[0]) > 1, item[0]))


def _letters(letters: Iterable[str]) -> Paragraph:
    return Paragraph(tuple(part for letter in letters for part in (Link(letter, "", f"letter-{_slug(letter)}"), " ")), "letters")


def _sort_key(text: str) -> str:
    """Without quotes, brackets and other signs in front, so that `[ERROR] x` stands beside `ERROR: x`."""
    return re.sub(r"^[^\w]+", "", text).casefold() or text


def _slug(letter: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", letter.lower()).strip("-") or "sign"


def error_page(catalogue: Catalogue) -> Page:
    """Every rule's first sample line, sorted, each with its cause."""
    lines: dict[str, set[str]] = defaultdict(set)
    for cause, rules in catalogue.rules.items():
        for rule in rules if cause else ():
            lines[sample_line(rule)].add(cause)
    blocks: list[Block] = [
        Paragraph(
            (f"{len(lines)} lines that logs show when a build fails, in the alphabet's order, each with the cause that it names.",)
        ),
    ]
    grouped = _by_letter(lines)
    blocks.append(_letters(letter for letter, _ in grouped))
    for letter, found in grouped:
        items = []
        for line in found:
            causes = sorted(lines[line])
            links = tuple(part for cause in causes for part in (cause_link(catalogue.knowledge.causes[cause]), " "))
            items.append((Paragraph((Code(line), " → ", *links)),))
        blocks.append(Part(letter, f"letter-{_slug(letter)}", (Items(tuple(items), "index lines"),)))
    return Page("indexes/errors", "Causes by error line", blocks=tuple(blocks), indexed=False)


@dataclass(frozen=True, slots=True)
class _Mention:
    cause: str
    text: str
    own_words: bool  # of the article, rather than of a log


def exit_page(catalogue: Catalogue) -> Page:
    """What an exit code means, and the causes whose articles or rules speak of it."""
    found: dict[int, list[_Mention]] = defaultdict(list)
    for cause in catalogue.causes:
        article = catalogue.articles.get(cause.id)
        mentions = [*(_in_article(article) if article else ()), *_in_rules(cause.id, catalogue.rules.get(cause.id, ()))]
        seen: set[int] = set()
        for code, mention in mentions:
            if code not in seen:
                seen.add(code)
                found[code].append(mention)
    blocks: list[Block] = [
        Paragraph(("An exit code is no cause: it says how the last command ended. These are the usual meanings.",)),
        Paragraph(("Below each stand the causes that speak of it, in their article's words or in a line of a log.",)),
    ]
    for code in sorted(code for code in {*found, *MEANINGS} if 0 < code < 256):
        parts: list[Block] = [Paragraph(words(MEANINGS[code]))] if code in MEANINGS else []
        rows = tuple(
            ((cause_link(catalogue.knowledge.causes[item.cause]),), words(item.text) if item.own_words else (Code(item.text),))
            for item in sorted(found.get(code, ()), key=lambda item: (not item.own_words, item.cause))
        )
        parts += [Table(("cause", "what is said of it"), rows)] if rows else []
        blocks.append(Part(f"Exit code {code}", f"exit-{code}", tuple(parts)))
    return Page("indexes/exit-codes", "Causes by exit code", blocks=tuple(blocks))


def _in_article(article: Article) -> Iterable[tuple[int, _Mention]]:
    prose = FENCE.sub("", article.markdown)
    for sentence in re.split(r"(?<=[.!?;])\s+|\n\s*\n|\n\s*(?:[-*]|\d+\.)\s+|^#.*$", prose, flags=re.M):
        text = " ".join(sentence.split())
        for match in EXIT.finditer(text.replace("`", "")):
            code = int(match["code"])
            if code != 0:
                yield code, _Mention(article.cause.id, text.lstrip("-*> "), own_words=True)
    for line in article.example.splitlines():
        for match in EXIT.finditer(line):
            if int(match["code"]) not in COMMON:
                yield int(match["code"]), _Mention(article.cause.id, line.strip(), own_words=False)


def _in_rules(cause: str, rules: Iterable[Rule]) -> Iterable[tuple[int, _Mention]]:
    for rule in rules:
        line = sample_line(rule)
        for match in EXIT.finditer(line):
            if int(match["code"]) not in COMMON:
                yield int(match["code"]), _Mention(cause, line, own_words=False)
