"""The geometry of the pictures: numbers in, positions out. Templates draw them as SVG, so that no script is needed.

Horizontal positions are percentages, so a picture fits any width without scaling its text; vertical positions are
pixels. Positions are text with a point as the decimal sign, whatever the reader's language.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format

COLUMN_CHART_HEIGHT = 160
COLUMN_CHART_MARGINS = 16, 24
"""Pixels above the plot, and below it for the days."""
FLOW_HEIGHT = 300
FLOW_WIDTH = 1000
FLOW_GAP = 14
FLOW_NODE_WIDTH = 10
FLOW_LABEL_SHIFT = 8
MOST_DAY_LABELS = 8
LONE_DAY = 2.0
"""Half the length, in percent of the width, of the dash that stands for a day between days without a value."""


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A line over the days in a box of 100 by 24; breaks where a day has no value."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One horizontal bar, from zero; `share` is its width in percent."""

    label: str
    value: int
    text: str
    share: str
    url: str = ""
    tint: str = "main"


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of a column."""

    tint: str
    label: str
    value: int
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Column:
    """One day's column, its pieces stacked from zero."""

    x: str
    width: str
    middle: str
    label: str
    labelled: bool
    total: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the scale and what it stands for."""

    y: str
    label: str


@dataclass(frozen=True, slots=True)
class Key:
    """What a tint stands for, with its sum."""

    tint: str
    label: str
    total: int


@dataclass(frozen=True, slots=True)
class ColumnChart:
    """Columns over days with a zero-based scale."""

    plot_height: int
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    keys: tuple[Key, ...]
    total: int

    @property
    def svg_height(self) -> int:
        return self.plot_height + sum(COLUMN_CHART_MARGINS)

    @property
    def day_y(self) -> int:
        return self.plot_height + COLUMN_CHART_MARGINS[1] - 6


@dataclass(frozen=True, slots=True)
class FlowNode:
    """One step that conversations went through."""

    label: str
    count: int
    x: str
    label_x: str
    shift: int
    anchor: str
    y: str
    height: str
    label_y: str
    tint: str


@dataclass(frozen=True, slots=True)
class FlowBand:
    """The conversations that went from one step to the next."""

    path: str
    title: str
    tint: str


@dataclass(frozen=True, slots=True)
class Flow:
    """Steps from left to right, bands between them as wide as the number of conversations."""

    height: int
    width: int
    node_width: int
    nodes: tuple[FlowNode, ...]
    bands: tuple[FlowBand, ...]


def sparkline(values: Sequence[float | None]) -> Sparkline | None:
    """A zero-based line over at least two days, or None when there is nothing to draw."""
    known = [value for value in values if value is not None]
    if len(values) < 2 or not known:
        return None
    top = max(known) or 1.0
    points = [
        (index * 100 / (len(values) - 1), 22 - 20 * value / top) if value is not None else None
        for index, value in enumerate(values)
    ]
    lines: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is not None:
            lines[-1].append(point)
        elif lines[-1]:
            lines.append([])
    drawn = [line if len(line) > 1 else _dash(line[0]) for line in lines if line]
    return Sparkline(tuple(" ".join(f"{x:.2f},{y:.2f}" for x, y in line) for line in drawn))


def _dash(point: tuple[float, float]) -> list[tuple[float, float]]:
    """A day that stands alone, wide enough to be seen."""
    x, y = point
    return [(max(0.0, x - LONE_DAY), y), (min(100.0, x + LONE_DAY), y)]


def bars(counts: Sequence[tuple[str, int]], *, url: str = "", tint: str = "main") -> list[Bar]:
    """Horizontal bars in the order given; the longest is 100 percent."""
    top = max((value for _label, value in counts), default=0) or 1
    whole = sum(value for _label, value in counts) or 1
    return [
        Bar(label, value, f"{value:,} · {value / whole:.0%}".replace("%", " %"), f"{100 * value / top:.2f}%", url, tint)
        for label, value in counts
    ]


def columns(days: Sequence[date], series: Mapping[str, tuple[str, Mapping[date, int]]]) -> ColumnChart:
    """Stacked columns over `days`; `series` maps a tint to its label and its counts by day."""
    totals = {day: sum(counts.get(day, 0) for _label, counts in series.values()) for day in days}
    step = nice_step(max(totals.values(), default=0))
    top = step * max(1, math.ceil(max(totals.values(), default=0) / step))
    slot = 100 / len(days)
    every = math.ceil(len(days) / MOST_DAY_LABELS)
    drawn = []
    for index, day in enumerate(days):
        floor = float(COLUMN_CHART_HEIGHT)
        segments = []
        for tint, (label, counts) in series.items():
            height = counts.get(day, 0) * COLUMN_CHART_HEIGHT / top
            floor -= height
            if height:
                segments.append(Segment(tint, label, counts[day], f"{floor:.2f}", f"{height:.2f}"))
        width = min(slot * 0.7, 12)
        drawn.append(
            Column(
                x=f"{index * slot + (slot - width) / 2:.3f}%",
                width=f"{width:.3f}%",
                middle=f"{(index + 0.5) * slot:.3f}%",
                label=date_format(day, "j M"),
                labelled=(len(days) - 1 - index) % every == 0,
                total=totals[day],
                segments=tuple(segments),
            )
        )
    lines = tuple(
        Line(f"{COLUMN_CHART_HEIGHT - value * COLUMN_CHART_HEIGHT / top:.2f}", f"{value:,}") for value in range(0, top + 1, step)
    )
    keys = tuple(Key(tint, label, sum(counts.values())) for tint, (label, counts) in series.items())
    return ColumnChart(COLUMN_CHART_HEIGHT, tuple(drawn), lines, keys, sum(totals.values()))


def nice_step(largest: int, lines: int = 4) -> int:
    """The distance between lines of a scale up to `largest`: 1, 2 or 5 times a power of ten."""
    rough = max(1.0, largest / lines)
    power = 10 ** math.floor(math.log10(rough))
    return int(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough))


def flow(paths: Mapping[tuple[str, ...], int], tints: Mapping[str, str]) -> Flow | None:
    """Steps and bands of the paths counted; all paths have the same number of steps. None when there are none."""
    if not paths:
        return None
    steps = len(next(iter(paths)))
    total = sum(paths.values())
    counts: list[dict[str, int]] = [{} for _step in range(steps)]
    for path, number in paths.items():
        for step, label in enumerate(path):
            counts[step][label] = counts[step].get(label, 0) + number
    most = max(len(nodes) for nodes in counts)
    scale = (FLOW_HEIGHT - FLOW_GAP * (most - 1)) / total
    tops: list[dict[str, float]] = []
    nodes: list[FlowNode] = []
    for step, labels in enumerate(counts):
        y = 0.0
        tops.append({})
        for label in sorted(labels, key=lambda label: (-labels[label], label)):
            height = labels[label] * scale
            tops[-1][label] = y
            nodes.append(_node(step, steps, label, labels[label], y, height, tints.get(label, "main")))
            y += height + FLOW_GAP
    return Flow(FLOW_HEIGHT, FLOW_WIDTH, FLOW_NODE_WIDTH, tuple(nodes), tuple(_bands(paths, tops, scale, tints)))


def _node(step: int, steps: int, label: str, count: int, y: float, height: float, tint: str) -> FlowNode:
    share = _node_x(step, steps) * 100 / FLOW_WIDTH
    last = step == steps - 1
    return FlowNode(
        label=label,
        count=count,
        x=f"{_node_x(step, steps):.1f}",
        label_x=f"{share:.2f}%" if last else f"{share + FLOW_NODE_WIDTH * 100 / FLOW_WIDTH:.2f}%",
        shift=-FLOW_LABEL_SHIFT if last else FLOW_LABEL_SHIFT,
        anchor="end" if last else "start",
        y=f"{y:.2f}",
        height=f"{max(height, 1.5):.2f}",
        label_y=f"{y + min(height / 2, 60):.2f}",
        tint=tint,
    )


def _node_x(step: int, steps: int) -> float:
    return step * (FLOW_WIDTH - FLOW_NODE_WIDTH) / (steps - 1)


def _bands(
    paths: Mapping[tuple[str, ...], int], tops: Sequence[Mapping[str, float]], scale: float, tints: Mapping[str, str]
) -> list[FlowBand]:
    steps = len(tops)
    bands = []
    for step in range(steps - 1):
        between: dict[tuple[str, str], int] = {}
        for path, number in paths.items():
            between[path[step], path[step + 1]] = between.get((path[step], path[step + 1]), 0) + number
        left_used = dict(tops[step])
        right_used = dict(tops[step + 1])
        for left, right in sorted(between, key=lambda pair: (tops[step][pair[0]], tops[step + 1][pair[1]])):
            number = between[left, right]
            height = number * scale
            x1, x2 = _node_x(step, steps) + FLOW_NODE_WIDTH, _node_x(step + 1, steps)
            outline = _band(x1, left_used[left], x2, right_used[right], height)
            bands.append(FlowBand(outline, f"{left} → {right}: {number:,}", tints.get(left, "main")))
            left_used[left] += height
            right_used[right] += height
    return bands


def _band(x1: float, y1: float, x2: float, y2: float, height: float) -> str:
    middle = (x1 + x2) / 2
    return (
        f"M{x1:.1f},{y1:.2f} C{middle:.1f},{y1:.2f} {middle:.1f},{y2:.2f} {x2:.1f},{y2:.2f} "
        f"V{y2 + height:.2f} C{middle:.1f},{y2 + height:.2f} {middle:.1f},{y1 + height:.2f} {x1:.1f},{y1 + height:.2f} Z"
    )
