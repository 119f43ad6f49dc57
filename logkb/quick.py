"""The short way to `logkb analyze`: reads its plain options without importing typer, which costs more than the analysis.

Whatever is not plain (help, an unknown or wrong option) is left to the full command line, so that there is one
place for help and for messages.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from logkb.commands import FORMATS, AnalyzeOptions


def parse_analyze(arguments: Sequence[str]) -> tuple[list[Path], AnalyzeOptions] | None:
    """`analyze [OPTION VALUE | --option=value | LOG]…` -> logs and options, or None when it takes the full parser."""
    if not arguments or arguments[0] != "analyze":
        return None
    hints = get_type_hints(AnalyzeOptions)
    options = {f"--{field.name.replace('_', '-')}": field.name for field in fields(AnalyzeOptions)} | {"-f": "format"}
    chosen: dict[str, Any] = {}
    logs: list[Path] = []
    rest = list(arguments[1:])
    while rest:
        word = rest.pop(0)
        if word == "-" or not word.startswith("-"):
            logs.append(Path(word))
            continue
        name, equals, value = word.partition("=")
        if name not in options:
            return None
        field = options[name]
        if hints[field] is bool:
            if equals:
                return None
            chosen[field] = True
            continue
        if not equals:
            if not rest:
                return None
            value = rest.pop(0)
        try:
            chosen[field] = _value(hints[field], value)
        except ValueError:
            return None
    made = AnalyzeOptions(**chosen)
    return (logs, made) if _in_range(made) else None


def _value(hint: Any, text: str) -> Any:
    kinds = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    kind = next((kind for kind in kinds if isinstance(kind, type) and kind is not types.NoneType), str)
    return kind(text)


def _in_range(options: AnalyzeOptions) -> bool:
    return (
        options.format in FORMATS
        and (options.top is None or options.top >= 1)
        and 0 <= options.context <= 60
        and 0.0 <= options.min_confidence <= 1.0
    )
