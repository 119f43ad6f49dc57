"""What can go wrong in the laboratory."""

from __future__ import annotations


class RecipeError(Exception):
    """A recipe is not as it should be."""


class CannotRun(RecipeError):  # noqa: N818  it is an answer, not a fault
    """This machine lacks what the recipe needs."""


class Refused(RecipeError):  # noqa: N818  it is an answer, not a fault
    """The log does not show what the recipe promised."""
