"""A bar chart as SVG, written by hand: nothing to install, the same bytes each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, LEFT, BAR, GAP, TOP = 720, 190, 13, 10, 64
COLOURS = ("#1f6f8b", "#e3a857")
INK, RULE = "#333", "#ddd"


def bars(title: str, series: Sequence[str], rows: Mapping[str, Sequence[float]]) -> str:
    """Horizontal bars from 0 to 1; for each row one bar per series."""
    step = len(series) * BAR + GAP
    height = TOP + len(rows) * step + 24
    scale = WIDTH - LEFT - 60
    parts = [_text(12, 22, title, size=15, weight="bold")]
    for place, name in enumerate(series):
        parts.append(_box(LEFT + place * 170, 34, 11, 11, COLOURS[place]))
        parts.append(_text(LEFT + place * 170 + 17, 44, name))
    for tenth in range(0, 11, 2):
        x = LEFT + scale * tenth / 10
        parts.append(_box(x, TOP - 6, 1, height - TOP - 12, RULE))
        parts.append(_text(x, height - 4, f"{tenth / 10:g}", anchor="middle"))
    for row, (name, values) in enumerate(rows.items()):
        y = TOP + row * step
        parts.append(_text(LEFT - 8, y + BAR + 4, name, anchor="end"))
        for place, value in enumerate(values):
            at = y + place * BAR
            parts.append(_box(LEFT, at, scale * value, BAR - 2, COLOURS[place]))
            parts.append(_text(LEFT + scale * value + 5, at + BAR - 3, f"{value:.3f}", size=10))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    ground = f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
    return "\n".join([head, f"<title>{escape(title)}</title>", ground, *parts, "</svg>"]) + "\n"


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:.1f}" height="{height:g}" fill="{colour}"/>'


def _text(
    x: float, y: float, text: str, *, size: int = 12, weight: str = "normal", anchor: str = "start"
) -> str:
    style = f'font-family="sans-serif" font-size="{size}" font-weight="{weight}" fill="{INK}"'
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" {style}>{escape(text)}</text>'
