"""The short way to `logkb search`: reads its plain options without importing typer, which costs five searches.

Whatever is not plain (help, an unknown or wrong option) is left to the full command line.
"""

from __future__ import annotations

from collections.abc import Sequence

from logkb.search_commands import FORMATS, MAX_LIMIT, SearchOptions

NAMES = {"--format": "format", "-f": "format", "--family": "family", "--limit": "limit", "--kb": "kb"}


def parse_search(arguments: Sequence[str]) -> tuple[list[str], SearchOptions] | None:
    """`search [OPTION VALUE | --option=value | WORD]…` -> words and options, or None when it takes the full parser.

    A word may begin with a dash when it cannot be an option: a pasted line has spaces in it.
    """
    if not arguments or arguments[0] != "search":
        return None
    chosen: dict[str, str] = {}
    words: list[str] = []
    rest = list(arguments[1:])
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word == "--":
            words += rest
            break
        if name in NAMES:
            if not equals and not rest:
                return None
            chosen[NAMES[name]] = value if equals else rest.pop(0)
        elif not word.startswith("-") or word == "-" or " " in word.strip() or "\n" in word:
            words.append(word)
        else:
            return None
    limit = chosen.pop("limit", str(SearchOptions().limit))
    if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit) <= MAX_LIMIT:
        return None
    options = SearchOptions(**chosen)._replace(limit=int(limit))  # type: ignore[arg-type]
    return (words, options) if options.format in FORMATS else None
