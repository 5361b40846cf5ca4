"""Two kinds of plots as SVG: recall against wrong matches, and stated against observed probability.

Written by hand: a plot is fifty lines, and a page of them needs no library and no script.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT = 460, 320
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 28, 44
WRONG_MIN, WRONG_MAX = 0.01, 100.0  # Per thousand; what is less is drawn at the edge.
COLOURS = {
    "ours": "#0b6e4f",
    "oracle": "#444444",
    "peer_60": "#c0392b",
    "peer_180": "#d68910",
}
Scale = Callable[[float], float]


def recall_against_wrong(contestants: dict[str, Any]) -> str:
    """Each contestant's curve over its threshold, and a dot where it decides."""
    recalls = [one["recall"] for one in contestants.values()]
    recalls += [point[1] for one in contestants.values() for point in one["curve"]]
    floor = math.floor(min([0.9, *(r for r in recalls if r > 0)]) * 10) / 10
    across = _across(lambda wrong: math.log10(max(wrong, WRONG_MIN)), WRONG_MIN, WRONG_MAX)
    up = _up(lambda recall: recall, floor, 1.0)
    marks = [(wrong, f"{wrong:g}") for wrong in (0.01, 0.1, 1.0, 10.0, 100.0)]
    steps = [floor + (1 - floor) * n / 5 for n in range(6)]
    drawn = [
        _axes(across, up, marks, [(s, f"{s:.0%}") for s in steps], "wrong per 1,000", "recall")
    ]
    for place, (name, one) in enumerate(contestants.items()):
        colour = COLOURS.get(name, "#000000")
        points = [(across(wrong), up(recall)) for _, recall, wrong in one["curve"]]
        drawn.append(_line(points, colour))
        at = (across(one["wrong_per_thousand"]), up(one["recall"]))
        drawn.append(_dot(at, colour, f"{name}: {one['recall']:.1%}"))
        drawn.append(_text(WIDTH - RIGHT - 4, TOP + 14 + 14 * place, name, colour, "end"))
    return _svg(drawn)


def calibration(bins: Sequence[dict[str, Any]]) -> str:
    """Stated against observed, each as how many nines it has, with the 95 % interval."""
    nines: Scale = lambda share: -math.log10(max(1 - share, 1e-6))  # noqa: E731 - a scale
    across, up = _across(nines, 0.9, 0.999999), _up(nines, 0.5, 0.999999)
    marks = [(share, f"{share}") for share in (0.9, 0.99, 0.999, 0.9999, 0.99999)]
    drawn = [_axes(across, up, marks, marks, "stated", "observed")]
    drawn.append(_line([(across(s), up(s)) for s in (0.9, 0.999999)], "#bbbbbb"))
    for one in bins:
        x = across(one["stated"])
        ends = [(x, up(max(0.5, one["observed_low"]))), (x, up(one["observed_high"]))]
        drawn.append(_line(ends, COLOURS["ours"]))
        label = f"{one['payments']:,} payments: {one['stated']:.5f}, {one['observed']:.5f}"
        drawn.append(_dot((x, up(max(0.5, one["observed"]))), COLOURS["ours"], label))
    return _svg(drawn)


def _across(scale: Scale, low: float, high: float) -> Scale:
    begin, end, width = scale(low), scale(high), WIDTH - LEFT - RIGHT
    return lambda value: LEFT + width * (min(scale(value), end) - begin) / (end - begin)


def _up(scale: Scale, low: float, high: float) -> Scale:
    begin, end, height = scale(low), scale(high), HEIGHT - TOP - BOTTOM
    return lambda value: (
        HEIGHT - BOTTOM - height * (max(scale(value), begin) - begin) / (end - begin)
    )


def _axes(
    across: Scale,
    up: Scale,
    marks_across: Iterable[tuple[float, str]],
    marks_up: Iterable[tuple[float, str]],
    name_across: str,
    name_up: str,
) -> str:
    drawn = []
    for value, text in marks_across:
        x = across(value)
        drawn.append(_line([(x, TOP), (x, HEIGHT - BOTTOM)], "#eeeeee"))
        drawn.append(_text(x, HEIGHT - BOTTOM + 16, text, "#555555", "middle"))
    for value, text in marks_up:
        y = up(value)
        drawn.append(_line([(LEFT, y), (WIDTH - RIGHT, y)], "#eeeeee"))
        drawn.append(_text(LEFT - 6, y + 4, text, "#555555", "end"))
    drawn.append(_text(WIDTH / 2, HEIGHT - 8, name_across, "#222222", "middle"))
    drawn.append(_text(6, TOP - 16, name_up, "#222222", "start"))
    return "".join(drawn)


def _line(points: Sequence[tuple[float, float]], colour: str) -> str:
    told = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{told}" fill="none" stroke="{colour}" stroke-width="1.6"/>'


def _dot(at: tuple[float, float], colour: str, label: str) -> str:
    title = f"<title>{escape(label)}</title>"
    return f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="4" fill="{colour}">{title}</circle>'


def _text(x: float, y: float, text: str, colour: str, anchor: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}"'
    return f'<text {place} font-size="11">{escape(text)}</text>'


def _svg(drawn: Iterable[str]) -> str:
    inner = "".join(drawn)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img">{inner}</svg>'
