"""`python -m corpus.recipes`: list the recipes, prepare the laboratory, record logs, check them."""

from __future__ import annotations

import argparse
import fnmatch
import importlib
import pkgutil
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from . import cases
from .errors import CannotRun, RecipeError, Refused
from .facts import problems, save
from .lab import CORPUS, missing, require
from .model import Recipe
from .sandbox import run


def recipes() -> dict[str, Recipe]:
    """Return all recipes by name."""
    found: dict[str, Recipe] = {}
    for module in sorted(pkgutil.iter_modules(cases.__path__), key=lambda item: item.name):
        for recipe in importlib.import_module(f"{cases.__name__}.{module.name}").recipes():
            if recipe.name in found:
                raise RecipeError(f"two recipes are named {recipe.name}")
            found[recipe.name] = recipe
    return found


def chosen(names: list[str], cause: str | None) -> list[Recipe]:
    """Return the recipes that the command line names (shell patterns are allowed)."""
    everything = recipes()
    if unknown := [name for name in names if not fnmatch.filter(everything, name)]:
        raise RecipeError(f"no recipe is named {', '.join(unknown)}")
    return [recipe for recipe in everything.values() if (not cause or recipe.cause == cause) and (not names or any(fnmatch.fnmatch(recipe.name, name) for name in names))]


def _record_one(recipe: Recipe) -> str:
    start = time.monotonic()
    try:
        require(recipe)
        path = save(recipe, run(recipe))
    except CannotRun as error:
        return f"SKIP    {error}"
    except Refused as error:
        return f"REFUSED {error}"
    except Exception as error:  # one recipe never ends the others
        return f"BROKEN  {recipe.name}: {error!r}"
    return f"ok      {path.relative_to(CORPUS)} ({time.monotonic() - start:.1f} s)"


def record(args: argparse.Namespace) -> int:
    """Run the chosen recipes and keep the logs that fail as promised."""
    todo = chosen(args.name, args.cause)
    if args.new:
        todo = [recipe for recipe in todo if not (CORPUS / recipe.cause / f"{recipe.name}.log").exists()]
    bad = 0
    with ThreadPoolExecutor(args.jobs) as pool:
        for line in pool.map(_record_one, todo):
            print(line, flush=True)
            bad += not line.startswith("ok")
    print(f"{len(todo) - bad} recorded, {bad} not")
    return 1 if bad else 0


def show(args: argparse.Namespace) -> int:
    """List the recipes, and what this machine lacks for each."""
    for recipe in chosen(args.name, args.cause):
        lacks = "; ".join(missing(recipe))
        print(f"{recipe.cause}\t{recipe.name}\t{recipe.tool}\t{recipe.wrapper}" + (f"\tlacks {lacks}" if lacks else ""))
    return 0


def check(args: argparse.Namespace) -> int:
    """Check every log on disk against its facts."""
    logs = sorted(CORPUS.glob("*/*.log"))
    found = [problem for log in logs for problem in problems(log)]
    logless = [path for path in CORPUS.glob("*/*.toml") if path.parent.name != "recipes" and not path.with_suffix(".log").exists()]
    found += [f"{path}: no log beside it" for path in logless]
    for problem in found:
        print(problem)
    counts = Counter(log.parent.name for log in logs)
    if args.counts:
        for cause, count in sorted(counts.items()):
            print(f"{count}\t{cause}")
    size = sum(log.stat().st_size for log in logs) / 1e6
    print(f"{len(logs)} logs of {len(counts)} causes, {size:.1f} MB, {len(found)} problems")
    return 1 if found else 0


def construct(_args: argparse.Namespace) -> int:
    """Write the logs of what cannot be produced here."""
    from .construct import construct as build
    from .construct import everything

    for item in everything():
        print(f"ok      {build(item).relative_to(CORPUS)}")
    return 0


def prepare(_args: argparse.Namespace) -> int:
    """Make the images and start the container engines."""
    from .engines import prepare as make_ready

    make_ready()
    return 0


def main() -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m corpus.recipes", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, function in (("list", show), ("record", record), ("check", check), ("construct", construct), ("prepare", prepare)):
        command = commands.add_parser(name, help=function.__doc__)
        command.set_defaults(function=function)
        if name in {"list", "record"}:
            command.add_argument("name", nargs="*", help="a recipe's name or a shell pattern")
            command.add_argument("--cause", help="only the recipes of this cause")
        if name == "record":
            command.add_argument("--jobs", type=int, default=2)
            command.add_argument("--new", action="store_true", help="only what is not on disk yet")
        if name == "check":
            command.add_argument("--counts", action="store_true", help="print the logs of each cause")
    args = parser.parse_args()
    try:
        return int(args.function(args))
    except RecipeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
