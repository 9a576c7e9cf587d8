"""The command ``pattern``: what varies in texts of one shape becomes a token."""

from __future__ import annotations

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.services.logs.insights.clustering import patterns
from cloudjar.services.logs.insights.commands import read
from cloudjar.services.logs.insights.functions import Instant
from cloudjar.services.logs.insights.running import Row, run

TEXTS = [
    "[INFO] Request time: 327 ms",
    "[INFO] Request time: 41 ms",
    "[INFO] Request time: 8.5 ms",
    "2026-01-02T03:04:05Z ERROR user bob cannot reach the host 10.0.0.9, code 7.",
    "2026-01-02T03:04:09Z ERROR user eve cannot reach the host 10.0.0.8, code 7.",
    "nothing else is like this",
]


def asked(query: str) -> list[dict[str, str]]:
    events = [Row({"@timestamp": Instant(-i), "@message": one, "@ptr": str(i)}) for i, one in enumerate(TEXTS)]
    rows, events_still = run(read(query), events, 100)
    assert not events_still
    return [dict(row) for row in rows]


def test_texts_of_one_shape_are_a_pattern() -> None:
    assert asked("pattern @message") == [
        {"@pattern": "[INFO] Request time: <Number-1> ms", "@ratio": "0.5", "@sampleCount": "3",
         "@severityLabel": "Info"},
        {"@pattern": "<Timestamp-1> ERROR user <Token-2> cannot reach the host <IPAddress-3>, code 7.",
         "@ratio": "0.3333", "@sampleCount": "2", "@severityLabel": "Error"},
        {"@pattern": "nothing else is like this", "@ratio": "0.1667", "@sampleCount": "1"},
    ]  # fmt: skip


def test_beside_other_commands() -> None:
    found = asked("filter @message like /ERROR/ | parse @message 'user * cannot' as who | pattern who")
    assert {(one["@pattern"], one["@sampleCount"]) for one in found} == {("bob", "1"), ("eve", "1")}
    [last] = asked("pattern @message | sort @sampleCount asc | limit 1")
    assert last["@pattern"] == "nothing else is like this"
    assert len(asked("pattern @message | filter @sampleCount > 1")) == 2
    assert asked("filter @message = 'none' | pattern @message") == []


@pytest.mark.parametrize("query", ["pattern", "pattern @message @message", "pattern sum(@message)"])
def test_what_is_malformed(query: str) -> None:
    with pytest.raises(AwsError) as error:
        read(query)
    assert error.value.code == "MalformedQueryException"


def test_every_text_is_counted_once_however_they_differ() -> None:
    texts = [f"w{i % 7} x{i} -- {'y' * (i % 3)}{i}" for i in range(2000)] + ["", "-", "\n", "é" * 9000]
    found = patterns(texts)
    assert sum(one.often for one in found) == len(texts)
    assert len({one.pattern for one in found}) == len(found) < 200
