"""Metric streams in OpenTelemetry's formats, read by parsers of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from cloudjar.services.cloudwatch import telemetry
from tests.jar import ACCOUNT, TestJar
from tests.services.cloudwatch.test_streams import ARN, OURS, _put, lake  # noqa: F401 a fixture
from tests.services.firehose import streams as delivery


def old_request() -> Any:
    """The messages of opentelemetry-proto v0.7.0 that a summary needs."""
    field = descriptor_pb2.FieldDescriptorProto
    kinds = {"s": field.TYPE_STRING, "d": field.TYPE_DOUBLE, "f": field.TYPE_FIXED64}
    file = descriptor_pb2.FileDescriptorProto(name="old.proto", package="old", syntax="proto3")
    shapes = {
        "Request": {"resource_metrics": (1, "*ResourceMetrics")},
        "ResourceMetrics": {"resource": (1, "Resource"), "instrumentation_library_metrics": (2, "*Library")},
        "Resource": {"attributes": (1, "*KeyValue")},
        "KeyValue": {"key": (1, "s"), "value": (2, "AnyValue")},
        "AnyValue": {"string_value": (1, "s")},
        "Library": {"metrics": (2, "*Metric")},
        "Metric": {"name": (1, "s"), "unit": (3, "s"), "double_summary": (11, "Summary")},
        "Summary": {"data_points": (1, "*Point")},
        "Point": {"labels": (1, "*Label"), "start_time_unix_nano": (2, "f"), "time_unix_nano": (3, "f"),
                  "count": (4, "f"), "sum": (5, "d"), "quantile_values": (6, "*Quantile")},
        "Label": {"key": (1, "s"), "value": (2, "s")},
        "Quantile": {"quantile": (1, "d"), "value": (2, "d")},
    }  # fmt: skip
    for name, members in shapes.items():
        made = file.message_type.add(name=name)
        for member, (number, kind) in members.items():
            label = field.LABEL_REPEATED if kind.startswith("*") else field.LABEL_OPTIONAL
            bare = kind.lstrip("*")
            one = made.field.add(name=member, number=number, label=label)
            one.type = kinds.get(bare, field.TYPE_MESSAGE)
            if bare not in kinds:
                one.type_name = f".old.{bare}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("old.Request"))


def requests(data: bytes, kind: Any) -> Iterator[Any]:
    """Requests with their lengths before them."""
    at = 0
    while at < len(data):
        size = shift = 0
        while True:
            byte = data[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield kind.FromString(data[at : at + size])
        at += size


def arrived(jar: TestJar, s3: Any) -> bytes:
    """What was delivered."""
    jar.advance(minutes=7)
    return b"".join(body for _, body in sorted(delivery.files(s3).items()))


def sell(jar: TestJar, cloudwatch: Any, form: str) -> int:
    """Put three values into a stream with two percentiles; the minute in nanoseconds."""
    more = [
        {"IncludeMetrics": [{"Namespace": "Shop", "MetricName": "Sold"}], "AdditionalStatistics": ["p50", "p99.9"]}
    ]
    cloudwatch.put_metric_stream(**{**OURS, "OutputFormat": form}, StatisticsConfigurations=more)
    minute = int(jar.clock.now().timestamp()) // 60 * 60_000_000_000
    shelf = [{"Name": "Shelf", "Value": "a"}, {"Name": "Town", "Value": "Nimes"}]
    _put(jar, "Sold", 0, 5, 7, Dimensions=shelf, Unit="Bytes/Second")
    _put(jar, "Left", 1)
    return minute


ABOUT = {"cloud.provider": "aws", "cloud.account.id": ACCOUNT, "cloud.region": "eu-west-3", "aws.exporter.arn": ARN}


def test_format_1_0(jar: TestJar, cloudwatch: Any, lake: Any) -> None:  # noqa: F811 the fixture
    minute = sell(jar, cloudwatch, telemetry.NEW)
    [request] = requests(arrived(jar, lake), ExportMetricsServiceRequest)
    [of_resource] = request.resource_metrics
    assert {one.key: one.value.string_value for one in of_resource.resource.attributes} == ABOUT
    [scope] = of_resource.scope_metrics
    left, sold = scope.metrics
    assert (left.name, left.unit) == ("amazonaws.com/Shop/Left", "1")
    assert [one.key for one in left.summary.data_points[0].attributes] == ["Namespace", "MetricName"]
    assert (sold.name, sold.unit) == ("amazonaws.com/Shop/Sold", "By/s")
    [point] = sold.summary.data_points
    assert (point.start_time_unix_nano, point.time_unix_nano) == (minute, minute + 60_000_000_000)
    assert (point.count, point.sum) == (3, 12.0)
    assert [one.quantile for one in point.quantile_values] == [0.0, 0.5, pytest.approx(0.999), 1.0]
    assert [point.quantile_values[at].value for at in (0, 1, 3)] == [0.0, 5.0, 7.0]
    attributes = {one.key: one.value for one in point.attributes}
    assert (attributes["Namespace"].string_value, attributes["MetricName"].string_value) == ("Shop", "Sold")
    dimensions = {one.key: one.value.string_value for one in attributes["Dimensions"].kvlist_value.values}
    assert dimensions == {"Shelf": "a", "Town": "Nimes"}


def test_format_0_7(jar: TestJar, cloudwatch: Any, lake: Any) -> None:  # noqa: F811 the fixture
    minute = sell(jar, cloudwatch, telemetry.OLD)
    [request] = requests(arrived(jar, lake), old_request())
    [of_resource] = request.resource_metrics
    assert {one.key: one.value.string_value for one in of_resource.resource.attributes} == ABOUT
    [library] = of_resource.instrumentation_library_metrics
    assert [metric.name for metric in library.metrics] == ["amazonaws.com/Shop/Left", "amazonaws.com/Shop/Sold"]
    [point] = library.metrics[1].double_summary.data_points
    assert (point.start_time_unix_nano, point.count, point.sum) == (minute, 3, 12.0)
    assert {one.key: one.value for one in point.labels} == {
        "Namespace": "Shop", "MetricName": "Sold", "Shelf": "a", "Town": "Nimes",
    }  # fmt: skip


def test_many_updates_are_several_requests(jar: TestJar, cloudwatch: Any, lake: Any) -> None:  # noqa: F811 the fixture
    cloudwatch.put_metric_stream(**{**OURS, "OutputFormat": telemetry.NEW})
    data = [{"MetricName": f"m{number}", "Value": number} for number in range(250)]
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=data)
    found = list(requests(arrived(jar, lake), ExportMetricsServiceRequest))
    names = [m.name for one in found for m in one.resource_metrics[0].scope_metrics[0].metrics]
    assert len(found) == 3
    assert sorted(names) == sorted(f"amazonaws.com/Shop/m{number}" for number in range(250))


@pytest.mark.parametrize(("name", "spelled"), [("Percent", "%"), ("Count/Second", "{Count}/s"), ("None", "1")])
def test_units(name: str, spelled: str) -> None:
    assert telemetry.unit(name) == spelled
