"""Cost over size as an SVG: both axes logarithmic, one line per page, the rivals dashed."""

from __future__ import annotations

import math
from xml.sax.saxutils import escape

from tests.bench.lists.runs import Result

WIDTH, HEIGHT = 860, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 270, 40, 60
COLOURS = {"ours": "#437ec4", "admin": "#c04949", "admin-tuned": "#e08a5b", "oscar": "#8a6d3b"}
MARKS = ("circle", "square", "diamond", "triangle", "cross")
Y_LOW, Y_HIGH = 1.0, 100_000.0


def draw(results: list[Result]) -> str:
    """The picture for all sizes that were measured."""
    sizes = sorted(result.rows for result in results)
    low, high = min(sizes) / 2, max(sizes) * 2

    def x(rows: float) -> float:
        return LEFT + math.log(rows / low) / math.log(high / low) * (WIDTH - LEFT - RIGHT)

    def y(milliseconds: float) -> float:
        share = math.log(milliseconds / Y_LOW) / math.log(Y_HIGH / Y_LOW)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        ' font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="15">Median of a page over HTTP, by number of orders</text>',
    ]
    for power in range(6):
        at = y(10**power)
        label = f"{10**power} ms" if power < 3 else f"{10 ** (power - 3)} s"
        parts.append(f'<line x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{label}</text>')
    for size in sizes:
        parts.append(
            f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{size:,}</text>'
        )
    legend = TOP + 10
    names = list(
        dict.fromkeys(line.case.name for result in results for line in result.lines if line.case.is_drawn)
    )
    for number, name in enumerate(names):
        for who, colour in COLOURS.items():
            points = [
                (x(result.rows), y(line.timings[who].median))
                for result in sorted(results, key=lambda result: result.rows)
                for line in result.lines
                if line.case.name == name and who in line.timings
            ]
            if not points:
                continue
            parts.append(_line(points, colour, dashed=who != "ours"))
            parts.extend(_mark(MARKS[number % len(MARKS)], px, py, colour) for px, py in points)
            parts.append(_mark(MARKS[number % len(MARKS)], WIDTH - RIGHT + 20, legend - 4, colour))
            parts.append(f'<text x="{WIDTH - RIGHT + 32}" y="{legend}">{escape(f"{who}: {name}")}</text>')
            legend += 19
    return "\n".join([*parts, "</svg>", ""])


def _line(points: list[tuple[float, float]], colour: str, *, dashed: bool) -> str:
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'


def _mark(shape: str, px: float, py: float, colour: str) -> str:
    paths = {
        "circle": "M-4,0 a4,4 0 1,0 8,0 a4,4 0 1,0 -8,0",
        "square": "M-4,-4 h8 v8 h-8 z",
        "diamond": "M0,-5 L5,0 L0,5 L-5,0 z",
        "triangle": "M0,-5 L5,4 L-5,4 z",
        "cross": "M-4,-1.5 h2.5 v-2.5 h3 v2.5 h2.5 v3 h-2.5 v2.5 h-3 v-2.5 h-2.5 z",
    }
    return f'<path d="{paths[shape]}" transform="translate({px:.1f} {py:.1f})" fill="{colour}"/>'
