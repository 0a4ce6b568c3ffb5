"""A bar chart as SVG, without a plotting library."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, LEFT, ROW = 640, 190, 34


def bars(title: str, rows: Sequence[tuple[str, float, float, float]]) -> str:
    """Name, mean, least and most of each row; all between 0 and 1."""
    height = 60 + ROW * len(rows)
    scale = WIDTH - LEFT - 70
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}">',
        "<style>text{font:13px sans-serif}.title{font-weight:bold}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="16" y="26" class="title">{escape(title)}</text>',
    ]
    for place, (name, mean, least, most) in enumerate(rows):
        top = 44 + ROW * place
        colour = "#2563a8" if name.startswith("procedure") else "#a9b4c0"
        middle = top + 11
        start, length = LEFT + scale * least, scale * (most - least)
        spread = f"M{start:.1f} {middle}h{length:.1f}"
        parts += [
            f'<text x="{LEFT - 8}" y="{top + 16}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{LEFT}" y="{top}" width="{scale * mean:.1f}" height="22" fill="{colour}"/>',
            f'<path d="{spread}" stroke="#222"/>',
            f'<text x="{WIDTH - 56}" y="{top + 16}">{mean:.3f}</text>',
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"
