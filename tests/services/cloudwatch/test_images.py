"""Widgets as pictures: what is drawn is looked at, pixel by pixel."""

from __future__ import annotations

import io
import json
from collections import Counter
from typing import Any

import pytest
from PIL import Image

from tests.jar import TestJar
from tests.services.cloudwatch.test_metrics import refusal

RED, BLUE, BACK = (214, 39, 40), (31, 119, 180), (255, 255, 255)
LOAD = ["Shop", "Load", "Host", "a"]


@pytest.fixture
def client(steady_jar: TestJar) -> Any:
    """CloudWatch with twenty minutes of two hosts' load, one twice the other's."""
    made = steady_jar.client("cloudwatch")
    for minute in range(20):
        data = [
            {"MetricName": "Load", "Value": value, "Dimensions": [{"Name": "Host", "Value": host}]}
            for host, value in (("a", float(minute)), ("b", 2.0 * minute))
        ]
        made.put_metric_data(Namespace="Shop", MetricData=data)
        steady_jar.advance(minutes=1)
    return made


def drawn(client: Any, metrics: list[Any], **more: Any) -> Image.Image:
    """The picture of a widget."""
    widget = {"metrics": metrics, "period": 60, "start": "-PT30M", **more}
    answer = client.get_metric_widget_image(MetricWidget=json.dumps(widget))
    image = Image.open(io.BytesIO(answer["MetricWidgetImage"]))
    assert image.format == "PNG"
    return image.convert("RGB")


def heights(image: Image.Image, color: tuple[int, int, int], *, above: int = 340) -> list[tuple[int, int]]:
    """(x, y) of every pixel of a color, but for those of the legend."""
    held = image.load()
    assert held is not None
    return [(x, y) for x in range(image.width) for y in range(min(image.height, above)) if held[x, y] == color]


def test_a_curve_rises_as_its_metric_does(client: Any) -> None:
    image = drawn(client, [[*LOAD, {"color": "#d62728"}]])
    assert image.size == (600, 400)
    seen = heights(image, RED)
    first, last = min(seen), max(seen)
    assert last[0] > first[0] + 200  # twenty of thirty minutes
    assert last[1] < first[1] - 200
    assert heights(image, BLUE) == []


def test_abbreviations_sizes_and_the_dark_theme(client: Any) -> None:
    image = drawn(client, [LOAD, ["...", "b", {"color": "#d62728"}]], width=300, height=200, theme="dark", title="Load")
    assert image.size == (300, 200)
    assert image.getpixel((299, 0)) == (29, 31, 33)
    lower, upper = heights(image, BLUE, above=150), heights(image, RED, above=150)
    assert min(y for _, y in upper) < min(y for _, y in lower)


def test_stacked_curves_fill_what_is_below_them(client: Any) -> None:
    plain = heights(drawn(client, [LOAD, [*LOAD[:3], "b"]]), BLUE)
    stacked = heights(drawn(client, [LOAD, [*LOAD[:3], "b"]], stacked=True), BLUE)
    assert len(stacked) > 5 * len(plain)


def test_expressions_annotations_and_hidden_metrics(client: Any) -> None:
    hidden = [*LOAD, {"id": "a", "visible": False}]
    twice = [{"expression": "a*2", "label": "twice", "color": "#2ca02c"}]
    marks = {"horizontal": [{"value": 10, "label": "limit", "color": "#d62728"}]}
    image = drawn(client, [hidden, twice], annotations=marks)
    assert heights(image, BLUE) == []
    assert heights(image, (44, 160, 44))
    line = Counter(y for _, y in heights(image, RED))
    assert line.most_common(1)[0][1] > 400


@pytest.mark.parametrize("view", ["singleValue", "bar", "pie"])
def test_other_views(client: Any, view: str) -> None:
    image = drawn(client, [LOAD, [*LOAD[:3], "b", {"color": "#d62728"}]], view=view)
    assert len(heights(image, RED)) > len(heights(image, BLUE)) / 2 > 20


def test_a_widget_without_data_or_room_is_a_picture_too(client: Any) -> None:
    assert drawn(client, [["Shop", "Nothing"]]).size == (600, 400)
    assert drawn(client, [LOAD], width=1, height=1).size == (1, 1)


@pytest.mark.parametrize(
    "widget",
    ["{", "[]", '{"metrics": []}', '{"metrics": [["Shop"]]}', '{"metrics": [["Shop", "."]]}',
     '{"metrics": [["a", "b"]], "width": 0}', '{"metrics": [["a", "b", {"color": "red"}]]}',
     '{"metrics": [["a", "b"]], "view": "table"}', '{"metrics": [["a", "b"]], "start": "yesterday"}',
     '{"metrics": [["a", "b"]], "start": "2026-01-15T12:00:00Z", "end": "2026-01-15T11:00:00Z"}'],
)  # fmt: skip
def test_widgets_that_cannot_be(steady_jar: TestJar, widget: str) -> None:
    asked = steady_jar.client("cloudwatch").get_metric_widget_image
    assert refusal(asked, MetricWidget=widget)[0] == "InvalidParameterValue"
