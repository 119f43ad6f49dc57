"""What a recipe is: the steps of a build, why they fail, and what the log must then show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

PASSING = "passing"


@dataclass(frozen=True)
class Recipe:
    """One build, run in one wrapper, that ends in one known way."""

    name: str
    cause: str
    tool: str
    steps: tuple[str, ...]
    signature: str
    key: str = ""
    family: str = ""  # logs of one family never part between training and test
    exit: int | tuple[int, ...] = 1  # of the step that fails, before the wrapper changes it
    wrapper: str = "sh"
    version: str = ""  # the command that prints the tool's version
    files: Mapping[str, str] = field(default_factory=dict)
    setup: str = ""  # runs before the build and is not recorded
    dockerfile: str = ""  # instead of steps, for the container builders
    build_args: str = ""  # options for the container builders
    image: str = "debian:bookworm-slim"
    cwd: str = "/builds/acme/app"
    env: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()  # names that mean this machine
    offline: bool = False  # a network of its own, with a loopback interface only
    tty: bool = False  # the tools see a terminal: colours and carriage returns
    needs: tuple[str, ...] = ()  # programs, each with its package after a colon where the names differ
    timeout: int = 240
    last: bool = False  # the last matching line is the key line, not the first
    forbid: str = ""  # a log that shows this failed for another reason
    head: int = 0  # keep only so many first and last lines of a huge log (0: all)

    @property
    def key_pattern(self) -> str:
        """The pattern of the key line."""
        return self.key or self.signature

    @property
    def fold(self) -> str:
        """The recipe family that splits are made by."""
        return self.family or f"{self.tool}-{self.cause}"


def spread(recipe: Recipe, wrappers: Iterable[str]) -> Iterator[Recipe]:
    """Give one recipe for each wrapper, named after both."""
    for wrapper in wrappers:
        tty = wrapper.endswith("+tty")
        yield replace(recipe, name=f"{recipe.name}-{wrapper.replace('+', '-')}", wrapper=wrapper.removesuffix("+tty"), tty=recipe.tty or tty, family=recipe.family or f"{recipe.tool}-{recipe.cause}")
