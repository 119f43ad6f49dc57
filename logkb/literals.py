"""What a regular expression must contain, and a text that it matches: for rules whose authors gave only the pattern."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from logkb.errors import UsageError
from logkb.needs import ANY_CASE, EDGE, EITHER, TOGETHER, Need
from logkb.rules import MIN_KEYWORD

MAX_PATTERN = 4_000
MAX_REPEATS = 200
# A few long literals rule out nearly every line that does not match; more would cost more than they save.
MAX_TOGETHER, MAX_CHOICES = 4, 40
# What a class is tried with, the most natural first.
CANDIDATES = "a0xA1 _-./:,;'\"()[]{}<>=+*|!?@#%&$~^`\\\tüö"


def parse(pattern: str) -> Any:
    """The syntax tree of a pattern. Raises `UsageError` when it is not one.

    The standard library's parser is used under its private name: writing a second one would be the greater risk.
    """
    parser: Any = import_module("re._parser")
    if len(pattern) > MAX_PATTERN:
        raise UsageError(f"the pattern is longer than {MAX_PATTERN} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return parser.parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(f"the pattern does not compile ({error or type(error).__name__})") from None


def ignores_case(pattern: str) -> bool:
    """Whether the whole pattern is case-insensitive."""
    return bool(parse(pattern).state.flags & re.IGNORECASE)


def keywords_of(pattern: str) -> tuple[str, ...]:
    """Literals of which every matching text holds one: the longest that must occur, else one for each alternative.
    Empty when there is none of four characters. Raises `UsageError`."""
    return _keywords(list(parse(pattern)))


def required_of(pattern: str) -> Need:
    """What every line holds that the pattern matches, as far as literals tell it; empty for a pattern that cannot be read."""
    try:
        items = parse(pattern)
    except UsageError:
        return ()
    if items.state.flags & re.MULTILINE:
        return ()
    return _need(list(items), bool(items.state.flags & re.IGNORECASE))


def _need(items: list[Any], any_case: bool) -> Need:
    runs = [ANY_CASE + run.lower() if any_case else run for run in _runs(items, edges=True) if len(run) > 1]
    found: list[Need] = []
    found += sorted(dict.fromkeys(runs), key=len, reverse=True)[:MAX_TOGETHER]
    if _indented(items):
        found.append((EITHER, *(EDGE + space for space in " \t\f\v")))
    for name, value in _flat(items):
        if name == "BRANCH":
            either = [_need(list(branch), any_case) for branch in value[1]]
            if all(either) and len(either) <= MAX_CHOICES:
                found.append((EITHER, *dict.fromkeys(either)))
        elif name == "SUBPATTERN" and value[1] == re.IGNORECASE and (inner := _need(list(value[3]), True)):
            found.append(inner)
    return found[0] if len(found) == 1 else (TOGETHER, *found) if found else ()


def _indented(items: list[Any]) -> bool:
    """Whether a match starts with white space at the beginning of the line."""
    if len(items) < 2 or str(items[0][1]) != "AT_BEGINNING" or str(items[1][0]) not in ("MAX_REPEAT", "POSSESSIVE_REPEAT"):
        return False
    least, _, body = items[1][1]
    inner = list(body)
    return (
        least > 0 and len(inner) == 1 and str(inner[0][0]) == "IN" and [str(kind) for _, kind in inner[0][1]] == ["CATEGORY_SPACE"]
    )


def _keywords(items: list[Any]) -> tuple[str, ...]:
    best = max(_runs(items), key=len, default="")
    if len(best) >= MIN_KEYWORD:
        return (best,)
    for name, value in _flat(items):
        if name == "BRANCH":
            alternatives = [_keywords(list(branch)) for branch in value[1]]
            if all(alternatives):
                return tuple(dict.fromkeys(word for words in alternatives for word in words))
    return ()


def _flat(items: list[Any]) -> Iterator[tuple[str, Any]]:
    """The items that every match passes through, groups opened."""
    for code, value in items:
        name = str(code)
        if name == "SUBPATTERN" and not value[1]:
            yield from _flat(list(value[3]))
        elif name == "ATOMIC_GROUP":
            yield from _flat(list(value))
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and value[0] > 0:
            # Its end is a break: how often it repeats is not known.
            yield "BREAK", None
            yield from _flat(list(value[2]))
            yield "BREAK", None
        else:
            yield name, value


def _runs(items: list[Any], *, edges: bool = False) -> Iterator[str]:
    run = ""
    for name, value in _flat(items):
        if name == "LITERAL" and chr(value).isprintable():
            run += chr(value)
        elif edges and name == "AT" and str(value) in ("AT_BEGINNING", "AT_END"):
            run += EDGE
        elif name not in ("AT", "ASSERT", "ASSERT_NOT"):
            yield run
            run = ""
    yield run


def examples_of(pattern: str) -> Iterator[str]:
    """Texts that the pattern should match, from the natural to the shortest; whoever uses one tries it first.
    Raises `UsageError`."""
    tree = list(parse(pattern))
    for repeats in (1, 3, 0, 2):
        yield _text(tree, repeats, {})


def _text(items: list[Any], repeats: int, groups: dict[int, str]) -> str:
    return "".join(_WRITERS.get(str(code), _nothing)(value, repeats, groups) for code, value in items)


Writer = Callable[[Any, int, dict[int, str]], str]


def _nothing(_value: Any, _repeats: int, _groups: dict[int, str]) -> str:
    return ""


def _repeat(value: Any, repeats: int, groups: dict[int, str]) -> str:
    least, most, body = value
    count = min(max(least, min(repeats, int(most))), MAX_REPEATS)
    inner = list(body)
    if least <= 1 < most and repeats and [str(code) for code, _ in inner] == ["ANY"]:
        return "text"
    return "".join(_text(inner, repeats, groups) for _ in range(count))


def _group(value: Any, repeats: int, groups: dict[int, str]) -> str:
    number, _, _, body = value
    text = _text(list(body), repeats, groups)
    if number is not None:
        groups[number] = text
    return text


def _choice(value: Any, _repeats: int, _groups: dict[int, str]) -> str:
    negated = any(str(code) == "NEGATE" for code, _ in value)
    members = [(str(code), item) for code, item in value if str(code) != "NEGATE"]
    if not negated:
        for name, item in members:
            if name == "LITERAL":
                return chr(item)
    return next((text for text in CANDIDATES if any(_holds(name, item, text) for name, item in members) != negated), "")


def _holds(name: str, item: Any, text: str) -> bool:
    if name == "LITERAL":
        return chr(item) == text
    if name == "RANGE":
        return bool(item[0] <= ord(text) <= item[1])
    kind = str(item).removeprefix("CATEGORY_")
    classes = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w", "NOT_DIGIT": r"\D", "NOT_SPACE": r"\S", "NOT_WORD": r"\W"}
    return re.fullmatch(classes.get(kind, r"\Z"), text, re.ASCII) is not None


_WRITERS: dict[str, Writer] = {
    "LITERAL": lambda value, _repeats, _groups: chr(value),
    "NOT_LITERAL": lambda value, _repeats, _groups: next(text for text in CANDIDATES if ord(text) != value),
    "ANY": lambda _value, _repeats, _groups: "x",
    "IN": _choice,
    "BRANCH": lambda value, repeats, groups: _text(list(value[1][0]), repeats, groups),
    "SUBPATTERN": _group,
    "ATOMIC_GROUP": lambda value, repeats, groups: _text(list(value), repeats, groups),
    "MAX_REPEAT": _repeat,
    "MIN_REPEAT": _repeat,
    "POSSESSIVE_REPEAT": _repeat,
    "GROUPREF": lambda value, _repeats, groups: groups.get(value, ""),
}
