"""Charts as SVG, drawn by the server: no script, values in titles, always next to the table they show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

from markupsafe import Markup, escape

from daftari.web.value_formats import count

_WIDTH, _HEIGHT = 720, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 12, 28
_BAR = 26
MOST_SERIES = 7
Number = Decimal | float | int


def lines(labels: Sequence[str], series: Mapping[str, Sequence[Number | None]], *, title: str) -> Markup:
    """Draw a line for each of *series*, over *labels*. Of many, draw the largest and the sum of the others."""
    shown = _largest(series)
    known = [float(it) for values in shown.values() for it in values if it is not None]
    if not labels or not known:
        return Markup("")
    ticks = _ticks(min(0.0, *known), max(known))
    low, high = ticks[0], ticks[-1]

    def x(at: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (at / (len(labels) - 1) if len(labels) > 1 else 0.5)

    def y(number: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (number - low) / (high - low)

    parts = [
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(it):.1f}" y2="{y(it):.1f}"/>'
        f'<text class="tick" x="{_LEFT - 8}" y="{y(it) + 4:.1f}" text-anchor="end">{_short(it)}</text>'
        for it in ticks
    ]
    every = max(1, math.ceil(len(labels) / 8))
    parts += [
        f'<text class="tick" x="{x(at):.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(labels[at])}</text>'
        for at in range(0, len(labels), every)
    ]
    for number, (name, values) in enumerate(shown.items()):
        points = [(x(at), y(float(it)), at, it) for at, it in enumerate(values) if it is not None]
        way = " ".join(f"{across:.1f},{down:.1f}" for across, down, _, _ in points)
        parts.append(f'<polyline class="s{number}" points="{way}"/>')
        parts += [
            f'<circle class="s{number}" cx="{across:.1f}" cy="{down:.1f}" r="3">'
            f"<title>{escape(name)}, {escape(labels[at])}: {count(it)}</title></circle>"
            for across, down, at, it in points
        ]
    return _figure(parts, _HEIGHT, title, list(shown) if len(shown) > 1 else [])


def bars(values: Sequence[tuple[str, Number]], *, title: str) -> Markup:
    """Draw a bar for each of *values*, with its figure next to it."""
    if not values:
        return Markup("")
    most = max(abs(float(it)) for _, it in values) or 1.0
    left, length = 200, _WIDTH - 200 - 110
    parts = []
    for at, (name, number) in enumerate(values):
        down = _TOP + at * _BAR
        wide = length * abs(float(number)) / most
        kind = "s0" if number >= 0 else "s1"
        parts.append(
            f'<text class="label" x="{left - 8}" y="{down + 15}" text-anchor="end">{escape(_cut(name))}</text>'
            f'<rect class="{kind}" x="{left}" y="{down + 3}" width="{max(wide, 1):.1f}" height="{_BAR - 9}" rx="2">'
            f"<title>{escape(name)}: {count(number)}</title></rect>"
            f'<text class="label" x="{left + wide + 8:.1f}" y="{down + 15}">{count(number)}</text>'
        )
    return _figure(parts, _TOP * 2 + len(values) * _BAR, title, [])


def _figure(parts: Sequence[str], height: int, title: str, names: Sequence[str]) -> Markup:
    entries = "".join(f'<li class="s{at}">{escape(name)}</li>' for at, name in enumerate(names))
    legend = f'<ul class="legend">{entries}</ul>' if entries else ""
    label = escape(title)
    return Markup(  # noqa: S704 -- text from data is escaped above
        f'<figure class="chart" tabindex="0" aria-label="{label}">'
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">'
        f"{''.join(parts)}</svg>{legend}</figure>"
    )


def _largest(series: Mapping[str, Sequence[Number | None]]) -> dict[str, Sequence[Number | None]]:
    if len(series) <= MOST_SERIES + 1:
        return dict(series)
    by_size = sorted(series, key=lambda name: -sum(abs(float(it)) for it in series[name] if it is not None))
    rest = [series[name] for name in by_size[MOST_SERIES:]]
    added = [
        sum((Decimal(str(it)) for it in at if it is not None), Decimal(0)) for at in zip(*rest, strict=True)
    ]
    return {**{name: series[name] for name in by_size[:MOST_SERIES]}, f"{len(rest)} others": added}


def _ticks(low: float, high: float) -> list[float]:
    """Return four to six round numbers that span the values."""
    span = (high - low) or abs(high) or 1.0
    rough = span / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(it * power for it in (1, 2, 2.5, 5, 10) if it * power >= rough)
    first = math.floor(low / step)
    return [step * it for it in range(first, math.ceil(high / step) + 1)] + (
        [step * (first + 1)] if low == high == step * first else []
    )


def _short(number: float) -> str:
    for size, sign in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:g} {sign}"
    return f"{number:g}"


def _cut(name: str) -> str:
    return name if len(name) <= 28 else f"{name[:27]}…"
