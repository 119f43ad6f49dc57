"""What a line must hold before its rule's pattern is worth compiling: literals, told without any import."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

# What a line must hold: nothing (an empty tuple), a literal, or a tuple of needs behind TOGETHER or EITHER. A literal's leading
# ANY_CASE means that it is in lower case, and looked for in the line in lower case; an EDGE is the beginning or end of the line.
Need: TypeAlias = "str | tuple[Need, ...]"
ANY_CASE, EDGE, TOGETHER, EITHER = "\x00", "\n", "&", "|"


def holds(need: Need, line: str) -> bool:
    """Whether a line holds what a rule needs: told before its pattern is even compiled."""
    return not need or _holds(need, f"{EDGE}{line}{EDGE}")


def _holds(need: Need, edged: str) -> bool:
    if isinstance(need, str):
        return need in edged if need[0] != ANY_CASE else need[1:] in edged.lower()
    parts = need[1:]
    return any(_holds(part, edged) for part in parts) if need[0] == EITHER else all(_holds(part, edged) for part in parts)
