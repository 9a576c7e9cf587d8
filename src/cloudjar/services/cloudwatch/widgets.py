"""The definition of a metric widget, as dashboards and `GetMetricWidgetImage` have it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Metric-Widget-Structure.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from cloudjar.base.errors import AwsError
from cloudjar.services.cloudwatch import errors

VIEWS = ("timeSeries", "singleValue", "bar", "pie")
_WIDTHS, _HEIGHTS = (1, 2000), (1, 2000)
_MOST = 500
_COLORS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_DURATION = re.compile(r"-P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_LENGTHS = (365 * 86400, 30 * 86400, 7 * 86400, 86400, 3600, 60, 1)


class Line(NamedTuple):
    """One of a widget's metrics or expressions; `query` is what `GetMetricData` is asked."""

    query: dict[str, Any]
    color: str
    right: bool
    visible: bool


class Mark(NamedTuple):
    """A horizontal line at a value, or a vertical one at an instant (Unix seconds)."""

    at: float
    label: str
    color: str
    visible: bool


class Axis(NamedTuple):
    """How a vertical axis is to be; None where it follows from the data."""

    low: float | None
    high: float | None
    label: str


class Widget(NamedTuple):
    """What is to be drawn."""

    title: str
    view: str
    width: int
    height: int
    stacked: bool
    dark: bool
    legend: str
    start: datetime
    end: datetime
    lines: tuple[Line, ...]
    horizontal: tuple[Mark, ...]
    vertical: tuple[Mark, ...]
    left: Axis
    right: Axis


def read(text: str, now: datetime) -> Widget:
    """A widget's JSON. Raises `AwsError`."""
    try:
        said = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        raise errors.value("The parameter MetricWidget is not valid JSON.") from None
    if not isinstance(said, dict):
        raise wrong("must be an object")
    if said.get("annotations", {}) and isinstance(said["annotations"], dict) and said["annotations"].get("alarms"):
        raise errors.not_built("Widgets of alarms")
    view = said.get("view", "timeSeries")
    if view not in VIEWS:
        raise wrong(f"view must be one of {', '.join(VIEWS)}")
    end = _instant(said.get("end", "P0D"), now, now)
    start = _instant(said.get("start", "-PT3H"), now, now)
    if start >= end:
        raise wrong("start must lie before end")
    marks = _object(said.get("annotations"), "annotations")
    axes = _object(said.get("yAxis"), "yAxis")
    return Widget(
        title=str(said.get("title") or ""),
        view=view,
        width=_size(said.get("width", 600), "width", _WIDTHS),
        height=_size(said.get("height", 400), "height", _HEIGHTS),
        stacked=said.get("stacked") is True,
        dark=said.get("theme") == "dark",
        legend=str(_object(said.get("legend"), "legend").get("position", "bottom")),
        start=start,
        end=end,
        lines=_lines(said),
        horizontal=_marks(marks.get("horizontal"), now),
        vertical=_marks(marks.get("vertical"), now),
        left=_axis(axes.get("left")),
        right=_axis(axes.get("right")),
    )


def wrong(why: str) -> AwsError:
    """A widget that cannot be."""
    return errors.value(f"The parameter MetricWidget is invalid: {why}.")


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, dict):
        raise wrong(f"{name} must be an object")
    return value or {}


def _size(value: Any, name: str, bounds: tuple[int, int]) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not bounds[0] <= value <= bounds[1]:
        raise wrong(f"{name} must be a number from {bounds[0]} to {bounds[1]}")
    return value


def _instant(value: Any, now: datetime, zero: datetime) -> datetime:
    if value == "P0D":
        return zero
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is not None and any(found.groups()):
        seconds = sum(int(part or 0) * length for part, length in zip(found.groups(), _LENGTHS, strict=True))
        return now - timedelta(seconds=min(seconds, 455 * 86400))
    try:
        made = datetime.fromisoformat(str(value))
    except ValueError:
        raise wrong(f"{value} is no instant") from None
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def _axis(value: Any) -> Axis:
    said = _object(value, "yAxis")
    low, high = said.get("min"), said.get("max")
    if any(one is not None and not isinstance(one, int | float) for one in (low, high)):
        raise wrong("min and max of an axis must be numbers")
    return Axis(low, high, str(said.get("label") or ""))


def color(number: int) -> str:
    """The color of the so-many-eth curve that has none of its own."""
    return _COLORS[number % len(_COLORS)]


def _color(value: Any, number: int) -> str:
    if value is None:
        return color(number)
    if not isinstance(value, str) or not _COLOR.fullmatch(value):
        raise wrong(f"{value} is no color")
    return value


def _marks(given: Any, now: datetime) -> tuple[Mark, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        raise wrong("annotations must be lists")
    found = []
    for one in given:
        said = _object(one[0] if isinstance(one, list) and one else one, "an annotation")
        value = said.get("value")
        if isinstance(value, str):
            value = _instant(value, now, now).timestamp()
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise wrong("an annotation needs a value")
        found.append(Mark(float(value), str(said.get("label") or ""), _color(said.get("color"), 3),
                          said.get("visible") is not False))  # fmt: skip
    return tuple(found)


# -- metrics
def _lines(said: Mapping[str, Any]) -> tuple[Line, ...]:
    given = said.get("metrics")
    if not isinstance(given, list) or not given or len(given) > _MOST:
        raise wrong(f"metrics must be a list of 1 to {_MOST} metrics")
    found: list[Line] = []
    before: list[str] = []
    for number, one in enumerate(given):
        if not isinstance(one, list) or not one:
            raise wrong("a metric must be a list")
        options = _object(one[-1], "options") if isinstance(one[-1], dict) else {}
        words = one[:-1] if isinstance(one[-1], dict) else one
        query, before = _query(words, before, options, said, number)
        visible = options.get("visible") is not False
        found.append(Line(query, _color(options.get("color"), number), options.get("yAxis") == "right", visible))
    return tuple(found)


def _query(
    words: list[Any], before: list[str], options: Mapping[str, Any], said: Mapping[str, Any], number: int
) -> tuple[dict[str, Any], list[str]]:
    period = options.get("period", said.get("period", 300))
    if not isinstance(period, int) or isinstance(period, bool) or period < 1:
        raise wrong("period must be a number of seconds")
    query: dict[str, Any] = {"Id": str(options.get("id") or f"widget{number}")}
    if options.get("label") is not None:
        query["Label"] = str(options["label"])
    if options.get("expression") is not None:
        return {**query, "Expression": str(options["expression"]), "Period": period}, before
    whole = _spelled(words, before)
    if len(whole) < 2 or len(whole) % 2:
        raise wrong("a metric is a namespace, a name and pairs of dimensions")
    dimensions = [{"Name": name, "Value": value} for name, value in zip(whole[2::2], whole[3::2], strict=True)]
    metric = {"Namespace": whole[0], "MetricName": whole[1], "Dimensions": dimensions}
    stat = {"Metric": metric, "Period": period, "Stat": str(options.get("stat", said.get("stat", "Average")))}
    return {**query, "MetricStat": stat}, whole


def _spelled(words: list[Any], before: list[str]) -> list[str]:
    """A metric without its abbreviations: ``.`` is what stood there in the metric before, ``...`` all that did."""
    if any(not isinstance(word, str) for word in words):
        raise wrong("a metric's words must be text")
    if words and words[0] == "...":
        return [*before[: len(before) - len(words) + 1], *words[1:]]
    found = []
    for place, word in enumerate(words):
        if word == "." and place >= len(before):
            raise wrong("there is nothing that . could stand for")
        found.append(before[place] if word == "." else word)
    return found
