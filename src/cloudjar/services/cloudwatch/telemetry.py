"""Updates of metric streams in OpenTelemetry's formats 0.7 and 1.0: Protocol Buffers, each request with its length
before it.

The two differ in where a data point has its labels. Field numbers are those of opentelemetry-proto v0.7.0 and v1.0.0.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-metric-streams-formats-opentelemetry-100.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-metric-streams-formats-opentelemetry-translation.html
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence

from cloudjar.store.points import Dimensions, Point

OLD, NEW = "opentelemetry0.7", "opentelemetry1.0"
PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
Update = tuple[str, str, Dimensions, Point]
_UNITS = {
    "Seconds": "s", "Second": "s", "Microseconds": "us", "Milliseconds": "ms", "Bytes": "By", "Kilobytes": "kBy",
    "Megabytes": "MBy", "Gigabytes": "GBy", "Terabytes": "TBy", "Bits": "bit", "Kilobits": "kbit",
    "Megabits": "MBit", "Gigabits": "GBit", "Terabits": "Tbit", "Percent": "%", "Count": "{Count}", "None": "1",
}  # fmt: skip
_AT_ONCE = 100
"""Updates in one request; a record has several."""
_MINUTE = 60
_EIGHT_BYTES, _BYTES = 1, 2


def unit(name: str) -> str:
    """A unit of CloudWatch in the spelling of the Unified Code for Units of Measure."""
    return "/".join(_UNITS.get(part, part) for part in name.split("/"))


def requests(
    form: str,
    resource: Mapping[str, str],
    updates: Sequence[Update],
    quantiles: Callable[[Update], Mapping[float, float]],
) -> Iterable[bytes]:
    """Export requests with their lengths. `resource` is what they are about, `quantiles` are those of an update beside
    its least and greatest value."""
    for begin in range(0, len(updates), _AT_ONCE):
        held: dict[tuple[str, str, str], list[bytes]] = {}
        for update in updates[begin : begin + _AT_ONCE]:
            namespace, name, _, point = update
            data = _point(form, update, quantiles(update))
            held.setdefault((namespace, name, point.unit), []).append(data)
        metrics = b"".join([_message(2, _metric(*place, points)) for place, points in held.items()])
        about = b"".join([_message(1, _pair(key, _text(1, value))) for key, value in resource.items()])
        request = _message(1, _message(1, about) + _message(2, metrics))
        yield _varint(len(request)) + request


def _metric(namespace: str, name: str, unit_: str, points: list[bytes]) -> bytes:
    summary = b"".join([_message(1, point) for point in points])
    return _text(1, f"amazonaws.com/{namespace}/{name}") + _text(3, unit(unit_)) + _message(11, summary)


def _point(form: str, update: Update, quantiles: Mapping[float, float]) -> bytes:
    namespace, name, dimensions, point = update
    start = int(point.at) * 1_000_000_000
    values = sorted({0.0: point.low, **quantiles, 1.0: point.high}.items())
    figures = (
        _fixed(2, start) + _fixed(3, start + _MINUTE * 1_000_000_000) + _fixed(4, round(point.samples))
        + _double(5, point.total) + b"".join([_message(6, _double(1, at) + _double(2, value)) for at, value in values])
    )  # fmt: skip
    plain = {"Namespace": namespace, "MetricName": name}
    if form == OLD:
        labels = {**plain, **dict(dimensions)}.items()
        return b"".join([_message(1, _text(1, key) + _text(2, value)) for key, value in labels]) + figures
    attributes = [_pair(key, _text(1, value)) for key, value in plain.items()]
    if dimensions:
        inside = b"".join([_message(1, _pair(key, _text(1, value))) for key, value in dimensions])
        attributes.append(_pair("Dimensions", _message(6, inside)))
    return figures + b"".join([_message(7, attribute) for attribute in attributes])


# -- Protocol Buffers: fields by number; what is zero or empty is left out, as its parsers expect
def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode()) if text else b""


def _pair(key: str, value: bytes) -> bytes:
    return _text(1, key) + _message(2, value)


def _fixed(field: int, number: int) -> bytes:
    return _varint(field << 3 | _EIGHT_BYTES) + struct.pack("<Q", number) if number else b""


def _double(field: int, number: float) -> bytes:
    return _varint(field << 3 | _EIGHT_BYTES) + struct.pack("<d", number) if number else b""
