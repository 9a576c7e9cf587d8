"""What templates make of an event."""

from __future__ import annotations

import json

import pytest

from cloudjar.kit import event_inputs, event_paths
from cloudjar.kit.event_json import PlaceError

EVENT = {
    "id": "1",
    "source": "my.app",
    "detail": {"state": "RUN\"NING", "n": 5, "tags": ["a", "b"], "who": {"name": "x"}, "list": [{"k": 1}, {"k": 2}]},
}


def made(template: str, **paths: str) -> str:
    return event_inputs.transformed(
        EVENT, paths, template, rule_arn="arn:rule", rule_name="rule", received="2026-01-01T00:00:00Z"
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", EVENT),
        ("$.source", "my.app"),
        ("$.detail.tags[1]", "b"),
        ("$.detail.tags[-1]", "b"),
        ("$.detail['who']['name']", "x"),
        ("$.detail.list[*].k", [1, 2]),
        ("$.detail.tags[7]", event_paths.ABSENT),
        ("$.nothing.here", event_paths.ABSENT),
    ],
)
def test_paths(path: str, expected: object) -> None:
    assert event_paths.at(EVENT, path) == expected


@pytest.mark.parametrize("path", ["source", "$.", "$..a", "$.a[", "$.a[x]"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(event_paths.PathError):
        event_paths.parsed(path)


def test_a_text_has_its_quotes_and_what_is_in_it_is_escaped() -> None:
    assert made('"it is <state>, <n>"', state="$.detail.state", n="$.detail.n") == '"it is RUN\\"NING, 5"'


def test_values_in_json() -> None:
    template = '{"s": <state>, "n": <n>, "t": "<n> of <tags>", "w": <who>, "gone": <gone>, "in": "a<gone>b"}'
    found = made(template, state="$.detail.state", n="$.detail.n", tags="$.detail.tags", who="$.detail.who", gone="$.x")
    assert json.loads(found) == {
        "s": 'RUN"NING',
        "n": 5,
        "t": "5 of [a,b]",
        "w": {"name": "x"},
        "gone": "",
        "in": "ab",
    }


def test_what_eventbridge_tells_itself() -> None:
    found = json.loads(made(
        '{"arn": <aws.events.rule-arn>, "name": "<aws.events.rule-name>", "at": <aws.events.event.ingestion-time>, '
        '"event": <aws.events.event>, "all": <aws.events.event.json>}'
    ))  # fmt: skip
    assert (found["arn"], found["name"], found["at"]) == ("arn:rule", "rule", "2026-01-01T00:00:00Z")
    assert found["event"] == {"id": "1", "source": "my.app"}
    assert found["all"] == EVENT


def test_lines_that_follow_each_other() -> None:
    event_inputs.check('"one <a>"\n"two <b>"')
    assert made('"one <a>"\n"two"', a="$.source") == '"one my.app"\n"two"'


@pytest.mark.parametrize("template", ["<a> is in", '{"a": }', "", '"x', '{<a>: 1', "[1,]"])
def test_templates_that_make_no_json(template: str) -> None:
    with pytest.raises(PlaceError):
        event_inputs.check(template)
