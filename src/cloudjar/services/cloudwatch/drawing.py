"""Widgets as pictures (PNG). Pure: what is to be drawn is given. Pillow is loaded when the first one is drawn."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from cloudjar.services.cloudwatch.widgets import Axis, Widget

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

_TEXT, _TITLE, _ROW = 11, 14, 16
_LEAST = 30
"""Pixels of a plot below which nothing is drawn in it."""
Box = tuple[float, float, float, float]
"""(left, top, right, bottom) in pixels."""


class Curve(NamedTuple):
    """A series: (Unix seconds, value) in the order of time, one each `period` seconds where there is any."""

    label: str
    color: str
    right: bool
    period: int
    points: Sequence[tuple[float, float]]


class _Ink(NamedTuple):
    back: str
    text: str
    grid: str


_LIGHT, _DARK = _Ink("#ffffff", "#333333", "#e5e5e5"), _Ink("#1d1f21", "#d5dbdb", "#3a3f44")


class _Scale(NamedTuple):
    low: float
    high: float
    step: float

    def at(self, value: float, box: Box) -> float:
        """The height of a value in a plot."""
        share = (value - self.low) / (self.high - self.low)
        return min(max(box[3] - share * (box[3] - box[1]), box[1] - 1), box[3] + 1)

    def ticks(self) -> Iterator[float]:
        value = math.ceil(self.low / self.step - 1e-9) * self.step
        while value <= self.high + self.step * 1e-6:
            yield value
            value += self.step


def draw(widget: Widget, curves: Sequence[Curve]) -> bytes:
    """The PNG of a widget."""
    from PIL import Image, ImageDraw  # 60 ms, for those who want a picture

    ink = _DARK if widget.dark else _LIGHT
    image = Image.new("RGB", (widget.width, widget.height), ink.back)
    pen = ImageDraw.Draw(image)
    top = 8.0
    if widget.title:
        pen.text((10, top), widget.title, fill=ink.text, font=_font(_TITLE))
        top += _TITLE + 10
    room = (0.0, top, float(widget.width), float(widget.height))
    _VIEWS[widget.view](pen, ink, widget, curves, room)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


# -- curves
def _time_series(pen: ImageDraw, ink: _Ink, widget: Widget, curves: Sequence[Curve], room: Box) -> None:
    bottom = room[3]
    if widget.legend != "hidden":
        bottom = _legend(pen, ink, curves, room)
    right = any(curve.right for curve in curves)
    head = 18 if widget.left.label or widget.right.label else 6
    box = (56.0, room[1] + head, room[2] - (56 if right else 14), bottom - 22)
    if box[2] - box[0] < _LEAST or box[3] - box[1] < _LEAST:
        return
    _times(pen, ink, widget, box)
    for side in (False, True) if right else (False,):
        mine = [curve for curve in curves if curve.right == side]
        shown = _stacked(mine) if widget.stacked else [[(at, 0.0, value) for at, value in one.points] for one in mine]
        axis = widget.right if side else widget.left
        marks = [mark.at for mark in widget.horizontal if mark.visible] if not side else []
        scale = _scale(axis, [value for one in shown for point in one for value in point[1:]], marks, widget.stacked)
        _values(pen, ink, scale, axis, box, right=side)
        for curve, points in zip(mine, shown, strict=True):
            _curve(pen, widget, curve, points, scale, box)
        if not side:
            _annotations(pen, widget, scale, box)


def _stacked(curves: Sequence[Curve]) -> list[list[tuple[float, float, float]]]:
    """(instant, bottom, top) of each, the one upon the other."""
    heights: dict[float, float] = {}
    found = []
    for curve in curves:
        one = []
        for at, value in curve.points:
            low = heights.get(at, 0.0)
            heights[at] = low + value
            one.append((at, low, low + value))
        found.append(one)
    return found


def _scale(axis: Axis, values: Sequence[float], marks: Sequence[float], stacked: bool) -> _Scale:
    seen = [*(values if stacked else [one for one in values if one or not values]), *marks] or [0.0, 1.0]
    low, high = min(seen), max(seen)
    low = axis.low if axis.low is not None else (min(low, 0.0) if low < high / 2 or stacked else low)
    high = axis.high if axis.high is not None else high
    if high <= low:
        high = low + (abs(low) or 1.0)
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * part for part in (1, 2, 2.5, 5, 10) if power * part >= rough)
    if axis.low is None:
        low = math.floor(low / step + 1e-9) * step
    if axis.high is None:
        high = math.ceil(high / step - 1e-9) * step
    return _Scale(low, high, step)


def _values(pen: ImageDraw, ink: _Ink, scale: _Scale, axis: Axis, box: Box, *, right: bool) -> None:
    for value in scale.ticks():
        y = scale.at(value, box)
        if not right:
            pen.line((box[0], y, box[2], y), fill=ink.grid)
        place = (box[2] + 6, y) if right else (box[0] - 6, y)
        pen.text(place, short(value), fill=ink.text, font=_font(_TEXT), anchor="lm" if right else "rm")
    if axis.label:
        where = (box[2], box[1] - 8) if right else (box[0], box[1] - 8)
        pen.text(where, axis.label, fill=ink.text, font=_font(_TEXT), anchor="rm" if right else "lm")


def short(value: float) -> str:
    """A number as axes show it: ``1.5k``, ``20M``."""
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}" if abs(value) >= 1e-9 else "0"


_STEPS = (60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 7 * 86400, 14 * 86400, 30 * 86400,
          90 * 86400)  # fmt: skip


def _x(widget: Widget, at: float, box: Box) -> float:
    start, end = widget.start.timestamp(), widget.end.timestamp()
    return box[0] + (at - start) / (end - start) * (box[2] - box[0])


def _times(pen: ImageDraw, ink: _Ink, widget: Widget, box: Box) -> None:
    start, end = widget.start.timestamp(), widget.end.timestamp()
    wanted = max(int((box[2] - box[0]) / 80), 1)
    step = next((one for one in _STEPS if (end - start) / one <= wanted), _STEPS[-1])
    pen.line((box[0], box[3], box[2], box[3]), fill=ink.text)
    at = math.ceil(start / step) * step
    while at <= end:
        x, moment = _x(widget, at, box), datetime.fromtimestamp(at, UTC)
        pen.line((x, box[3], x, box[3] + 4), fill=ink.text)
        words = moment.strftime("%m/%d" if step >= 86400 else "%H:%M")
        pen.text((x, box[3] + 6), words, fill=ink.text, font=_font(_TEXT), anchor="ma")
        at += step


def _curve(
    pen: ImageDraw, widget: Widget, curve: Curve, points: Sequence[tuple[float, float, float]], scale: _Scale, box: Box
) -> None:
    for part in _unbroken(points, curve.period):
        tops = [(_x(widget, at, box), scale.at(top, box)) for at, _, top in part]
        if widget.stacked and len(part) > 1:
            lows = [(_x(widget, at, box), scale.at(low, box)) for at, low, _ in reversed(part)]
            pen.polygon([*tops, *lows], fill=curve.color)
        elif len(part) > 1:
            pen.line(tops, fill=curve.color, width=2, joint="curve")
        if len(part) == 1:
            x, y = tops[0]
            pen.ellipse((x - 2, y - 2, x + 2, y + 2), fill=curve.color)


def _unbroken(
    points: Sequence[tuple[float, float, float]], period: int
) -> Iterator[list[tuple[float, float, float]]]:
    """Points without a gap between them."""
    part: list[tuple[float, float, float]] = []
    for point in points:
        if part and point[0] - part[-1][0] > period * 1.5:
            yield part
            part = []
        part.append(point)
    if part:
        yield part


def _annotations(pen: ImageDraw, widget: Widget, scale: _Scale, box: Box) -> None:
    for mark in widget.horizontal:
        if mark.visible:
            y = scale.at(mark.at, box)
            pen.line((box[0], y, box[2], y), fill=mark.color)
            pen.text((box[0] + 4, y - 2), mark.label, fill=mark.color, font=_font(_TEXT), anchor="lb")
    for mark in widget.vertical:
        x = _x(widget, mark.at, box)
        if mark.visible and box[0] <= x <= box[2]:
            pen.line((x, box[1], x, box[3]), fill=mark.color)
            pen.text((x + 3, box[1] + 2), mark.label, fill=mark.color, font=_font(_TEXT))


def _legend(pen: ImageDraw, ink: _Ink, curves: Sequence[Curve], room: Box) -> float:
    """Names in rows at the bottom; where they begin."""
    rows: list[list[tuple[float, Curve]]] = [[]]
    x = 14.0
    for curve in curves:
        width = 22 + float(pen.textlength(curve.label, font=_font(_TEXT)))
        if rows[-1] and x + width > room[2] - 10:
            rows.append([])
            x = 14.0
        rows[-1].append((x, curve))
        x += width + 8
    most = max(int((room[3] - room[1]) / 3 / _ROW), 1)
    top = room[3] - 6 - _ROW * min(len(rows), most)
    for number, row in enumerate(rows[:most]):
        y = top + number * _ROW
        for x, curve in row:
            pen.rectangle((x, y + 3, x + 9, y + 12), fill=curve.color)
            pen.text((x + 15, y + 1), curve.label, fill=ink.text, font=_font(_TEXT))
    return top


# -- the newest value of each
def _latest(curves: Sequence[Curve]) -> list[tuple[Curve, float]]:
    return [(curve, curve.points[-1][1]) for curve in curves if curve.points]


def _single_values(pen: ImageDraw, ink: _Ink, widget: Widget, curves: Sequence[Curve], room: Box) -> None:
    width = (room[2] - room[0]) / max(len(curves), 1)
    middle = (room[1] + room[3]) / 2
    for number, curve in enumerate(curves):
        x = room[0] + width * (number + 0.5)
        words = short(curve.points[-1][1]) if curve.points else "--"
        pen.text((x, middle), words, fill=curve.color, font=_font(28), anchor="mm")
        pen.text((x, middle + 30), curve.label, fill=ink.text, font=_font(_TEXT), anchor="mm")


def _bars(pen: ImageDraw, ink: _Ink, widget: Widget, curves: Sequence[Curve], room: Box) -> None:
    bottom = _legend(pen, ink, curves, room) if widget.legend != "hidden" else room[3]
    held = _latest(curves)
    box = (56.0, room[1] + 6, room[2] - 14, bottom - 8)
    if not held or box[3] - box[1] < _LEAST:
        return
    scale = _scale(widget.left, [0.0, *(value for _, value in held)], [], stacked=True)
    _values(pen, ink, scale, widget.left, box, right=False)
    width = (box[2] - box[0]) / len(held)
    for number, (curve, value) in enumerate(held):
        left = box[0] + width * (number + 0.15)
        ends = sorted((scale.at(value, box), scale.at(max(scale.low, 0.0), box)))
        pen.rectangle((left, ends[0], left + width * 0.7, ends[1]), fill=curve.color)


def _pie(pen: ImageDraw, ink: _Ink, widget: Widget, curves: Sequence[Curve], room: Box) -> None:
    bottom = _legend(pen, ink, curves, room) if widget.legend != "hidden" else room[3]
    held = [(curve, value) for curve, value in _latest(curves) if value > 0]
    radius = min(room[2] - room[0], bottom - room[1]) / 2 - 10
    if not held or radius < _LEAST / 2:
        return
    x, y = (room[0] + room[2]) / 2, (room[1] + bottom) / 2
    whole, angle = sum(value for _, value in held), -90.0
    for curve, value in held:
        until = angle + 360 * value / whole
        pen.pieslice((x - radius, y - radius, x + radius, y + radius), angle, until, fill=curve.color)
        angle = until


_VIEWS = {"timeSeries": _time_series, "singleValue": _single_values, "bar": _bars, "pie": _pie}
