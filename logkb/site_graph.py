"""A cause's place in the cause graph as an inline SVG image: what lies behind it, and what it looks like from outside.

Two drawings of the same graph: left to right for a wide window, top to bottom for a phone; the stylesheet shows one of them.
Colours are the theme's, through CSS variables, so that both the light and the dark theme are legible.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

LETTERS = 25  # of a title on one line of a box; the font is 13 pixels high, and some 7.3 wide a letter
LINE = 17
PAD = 12
GAP = 14
BOX = 208
REACH = 92  # between two columns; the share is written there

KEY = "An arrow leads from a deeper cause to what it shows as; the percentage says how often it lies behind that."


@dataclass(frozen=True, slots=True)
class Vertex:
    """A cause in the drawing: what to write, where it leads, and the share (0 to 1) of the edge to the cause in the middle."""

    title: str
    href: str
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class _Box:
    lines: tuple[str, ...]
    href: str
    share: float
    x: float
    y: float
    width: float
    height: float
    look: str


def percent(share: float) -> str:
    """A share (0 to 1) as people read it."""
    return "<1%" if share < 0.005 else f"{share:.0%}"


def draw(centre: Vertex, behind: Sequence[Vertex], shows_as: Sequence[Vertex]) -> str:
    """Both drawings. Every text in them is escaped; each box but the middle one is a link."""
    label = _label(centre, behind, shows_as)
    return (
        f'<div class="cause-graph">{_wide(centre, behind, shows_as, label)}{_narrow(centre, behind, shows_as, label)}'
        f'<p class="cause-graph-key">{KEY}</p></div>'
    )


def _label(centre: Vertex, behind: Sequence[Vertex], shows_as: Sequence[Vertex]) -> str:
    parts = [f"{centre.title}."]
    if behind:
        parts.append("Behind it: " + "; ".join(f"{item.title} ({percent(item.share)})" for item in behind) + ".")
    if shows_as:
        parts.append("It shows as: " + "; ".join(f"{item.title} ({percent(item.share)})" for item in shows_as) + ".")
    return " ".join(parts)


def _lines(title: str) -> tuple[str, ...]:
    return tuple(textwrap.wrap(title, LETTERS, break_long_words=True) or [title])


def _height(vertex: Vertex) -> float:
    return len(_lines(vertex.title)) * LINE + 2 * PAD - 4


def _box(vertex: Vertex, x: float, y: float, width: float, look: str) -> _Box:
    return _Box(_lines(vertex.title), vertex.href, vertex.share, x, y, width, _height(vertex), look)


def _stack(vertices: Sequence[Vertex], x: float, middle: float, look: str) -> list[_Box]:
    """Boxes below one another, centred on `middle`."""
    total = sum(_height(item) for item in vertices) + GAP * (len(vertices) - 1)
    y, boxes = middle - total / 2, []
    for item in vertices:
        boxes.append(_box(item, x, y, BOX, look))
        y += boxes[-1].height + GAP
    return boxes


def _wide(centre: Vertex, behind: Sequence[Vertex], shows_as: Sequence[Vertex], label: str) -> str:
    columns = [column for column in (behind, (centre,), shows_as) if column]
    height = max(sum(_height(item) for item in column) + GAP * (len(column) - 1) for column in columns) + 4
    width = len(columns) * BOX + (len(columns) - 1) * REACH + 4
    x = 2.0
    left: list[_Box] = []
    if behind:
        left = _stack(behind, x, height / 2, "behind")
        x += BOX + REACH
    (own,) = _stack((centre,), x, height / 2, "own")
    right = _stack(shows_as, x + BOX + REACH, height / 2, "shown")
    parts = [_edge(box.x + BOX, _centre(box), own.x, _centre(own), box) for box in left]
    parts += [_edge(own.x + BOX, _centre(own), box.x, _centre(box), box) for box in right]
    parts += [_drawn(box) for box in (*left, own, *right)]
    return _svg("wide", width, height, label, parts)


def _centre(box: _Box) -> float:
    return box.y + box.height / 2


def _edge(x1: float, y1: float, x2: float, y2: float, box: _Box) -> str:
    bend = (x2 - x1) / 2
    path = f'<path class="edge" d="M{x1:.0f},{y1:.0f} C{x1 + bend:.0f},{y1:.0f} {x2 - bend:.0f},{y2:.0f} {x2 - 7:.0f},{y2:.0f}"/>'
    head = f'<path class="head" d="M{x2 - 8:.0f},{y2 - 4:.0f} l8,4 l-8,4 z"/>'
    x, y = (x1 + 6, y1 - 6) if box.look == "behind" else (x2 - 38, y2 - 6)
    return f'{path}{head}<text class="share" x="{x:.0f}" y="{y:.0f}">{escape(percent(box.share))}</text>'


def _narrow(centre: Vertex, behind: Sequence[Vertex], shows_as: Sequence[Vertex], label: str) -> str:
    rail, y = 46.0, 2.0
    boxes, parts = [], []
    for item in behind:
        boxes.append(_box(item, rail + 22, y, BOX, "behind"))
        y += boxes[-1].height + GAP
    left = list(boxes)
    own = _box(centre, 2, y + (GAP if behind else 0), BOX + rail + 20, "own")
    y = own.y + own.height + 2 * GAP
    right = []
    for item in shows_as:
        right.append(_box(item, rail + 22, y, BOX, "shown"))
        y += right[-1].height + GAP
    x = rail - 6
    if left:
        parts.append(f'<path class="edge" d="M{x},{_centre(left[0]):.0f} V{own.y - 7:.0f}"/>')
        parts.append(f'<path class="head" d="M{x - 4},{own.y - 8:.0f} l4,8 l4,-8 z"/>')
        parts += [f'<path class="edge" d="M{x},{_centre(box):.0f} H{box.x:.0f}"/>' for box in left]
    if right:
        parts.append(f'<path class="edge" d="M{x},{own.y + own.height:.0f} V{_centre(right[-1]):.0f}"/>')
        for box in right:
            parts.append(f'<path class="edge" d="M{x},{_centre(box):.0f} H{box.x - 7:.0f}"/>')
            parts.append(f'<path class="head" d="M{box.x - 8:.0f},{_centre(box) - 4:.0f} l8,4 l-8,4 z"/>')
    for box in (*left, *right):
        parts.append(
            f'<text class="share" text-anchor="end" x="{x - 6}" y="{_centre(box) + 4:.0f}">{escape(percent(box.share))}</text>'
        )
    end = (right[-1].y + right[-1].height if right else own.y + own.height) + 2
    return _svg("narrow", BOX + rail + 24, end, label, [*parts, *(_drawn(box) for box in (*left, own, *right))])


def _drawn(box: _Box) -> str:
    first = box.y + PAD + LINE - 6
    rows = "".join(
        f'<tspan x="{box.x + PAD:.0f}" y="{first + index * LINE:.0f}">{escape(line)}</tspan>'
        for index, line in enumerate(box.lines)
    )
    shape = f'<rect x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" height="{box.height:.0f}" rx="6"/><text>{rows}</text>'
    if not box.href:
        return f'<g class="vertex {box.look}">{shape}</g>'
    return f'<a class="vertex {box.look}" href="{escape(box.href)}">{shape}</a>'


def _svg(look: str, width: float, height: float, label: str, parts: Sequence[str]) -> str:
    # A group, not an image: a screen reader may then enter it and follow its links.
    return (
        f'<svg class="{look}" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" role="group" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )
