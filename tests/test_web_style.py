"""The style sheet keeps text readable in both themes: a contrast of 4.5:1 (WCAG 2.2, 1.4.3), 3:1 for what is not text (1.4.11)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parent.parent / "logkb" / "data" / "web" / "static"
CSS = (STATIC / "page.css").read_text(encoding="utf-8")
TEXT = [
    (ink, ground)
    for ground in ("paper", "raised", "sunken")
    for ink in ("ink", "dim", "link", "bad", "good", "unsure")
] + [("ink", "proof"), ("ink", "warn"), ("on-accent", "accent"), ("on-found", "found"), ("link", "warn"), ("dim", "warn")]  # fmt: skip
SIGNS = [
    ("proof-edge", "paper"),
    ("proof-edge", "raised"),
    ("dim", "paper"),
    ("focus", "paper"),
    ("focus", "raised"),
    ("link", "raised"),
]


def themes() -> dict[str, dict[str, str]]:
    """The variables of each block that sets colours, the first being the light theme."""
    blocks = re.findall(r"(:root[^{]*)\{(.*?)\}", CSS, re.S)
    found = [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", body)) for selector, body in blocks if "--ink:" in body and "--link" in body
    ]
    assert len(found) == 3
    return {"light": found[0], "dark by the system": found[1], "dark by choice": found[2]}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", themes())
def test_text_stands_out_from_its_ground(theme: str) -> None:
    colours = themes()[theme]
    weak = {f"{ink} on {ground}": round(contrast(colours[ink], colours[ground]), 2) for ink, ground in TEXT}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < 4.5} == {}
    signs = {f"{ink} on {ground}": round(contrast(colours[ink], colours[ground]), 2) for ink, ground in SIGNS}
    assert {pair: ratio for pair, ratio in signs.items() if ratio < 3} == {}


def test_both_ways_to_the_dark_theme_lead_to_the_same_colours() -> None:
    assert themes()["dark by the system"] == themes()["dark by choice"]
    assert set(themes()["light"]) == set(themes()["dark by choice"])


def test_the_assets_ask_nobody_outside() -> None:
    for path in STATIC.iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|@import|url\(", text), path.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", text), path.name
