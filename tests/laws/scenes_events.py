"""What the laws ask EventBridge about."""

from __future__ import annotations

import itertools
from typing import Any

from tests.jar import ACCOUNT, TestJar

_NUMBERS = itertools.count()
_QUEUE = f"arn:aws:sqs:eu-west-3:{ACCOUNT}:law"
_ON_RULES = {
    "DeleteRule": "Name",
    "DescribeRule": "Name",
    "DisableRule": "Name",
    "EnableRule": "Name",
    "ListTargetsByRule": "Rule",
    "PutTargets": "Rule",
    "RemoveTargets": "Rule",
}
_TAGGED = ("ListTagsForResource", "TagResource", "UntagResource")
_PATTERN = '{"source": ["law"]}'


def _bus(things: Any) -> str:
    name = f"law{next(_NUMBERS)}"
    things.jar.client("events").create_event_bus(Name=name)
    return name


def _on_rule(member: str) -> Any:
    def scene(things: Any) -> dict[str, Any]:
        bus = _bus(things)
        things.jar.client("events").put_rule(Name="r", EventBusName=bus, EventPattern=_PATTERN)
        asked: dict[str, Any] = {member: "r", "EventBusName": bus}
        return asked

    return scene


_ARCHIVE = f"arn:aws:events:eu-west-3:{ACCOUNT}:archive/"
_DEFAULT = f"arn:aws:events:eu-west-3:{ACCOUNT}:event-bus/default"


def _archive(things: Any) -> dict[str, Any]:
    name = f"law{next(_NUMBERS)}"
    things.jar.client("events").create_archive(ArchiveName=name, EventSourceArn=_DEFAULT)
    return {"ArchiveName": name}


def _replay(things: Any) -> dict[str, Any]:
    """What a replay would be asked for, and one that goes on."""
    name, archive = f"law{next(_NUMBERS)}", _ARCHIVE + str(_archive(things)["ArchiveName"])
    asked = {"EventSourceArn": archive, "EventStartTime": 1, "EventEndTime": 2, "Destination": {"Arn": _DEFAULT}}
    things.jar.client("events").start_replay(ReplayName=name, **asked)
    return {"ReplayName": name}


def _new_replay(things: Any) -> dict[str, Any]:
    archive = _ARCHIVE + str(_archive(things)["ArchiveName"])
    asked = {"EventSourceArn": archive, "EventStartTime": 1, "EventEndTime": 2, "Destination": {"Arn": _DEFAULT}}
    return {**asked, "ReplayName": "new"}


_KEY = {"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": "v"}}


def _connection(things: Any) -> str:
    """A connection's ARN."""
    asked = {"Name": f"law{next(_NUMBERS)}", "AuthorizationType": "API_KEY", "AuthParameters": _KEY}
    return str(things.jar.client("events").create_connection(**asked)["ConnectionArn"])


def _named_connection(things: Any) -> dict[str, Any]:
    return {"Name": _connection(things).split("/")[1]}


def _new_destination(things: Any) -> dict[str, Any]:
    return {
        "Name": f"law{next(_NUMBERS)}",
        "ConnectionArn": _connection(things),
        "InvocationEndpoint": "https://localhost:1",
        "HttpMethod": "POST",
    }


def _destination(things: Any) -> dict[str, Any]:
    asked = _new_destination(things)
    things.jar.client("events").create_api_destination(**asked)
    return {"Name": asked["Name"]}


def _named_bus(things: Any) -> dict[str, Any]:
    return {"Name": _bus(things)}


SCENES: dict[str, Any] = {
    **{f"events:{name}": _on_rule(member) for name, member in _ON_RULES.items()},
    **{f"events:{name}": _named_bus for name in ("DeleteEventBus", "DescribeEventBus", "UpdateEventBus")},
    **{
        f"events:{name}": lambda things: {
            "ResourceARN": f"arn:aws:events:eu-west-3:{ACCOUNT}:event-bus/{_bus(things)}"
        }
        for name in _TAGGED
    },
    **{
        f"events:{name}": _named_connection
        for name in ("DeauthorizeConnection", "DeleteConnection", "DescribeConnection", "UpdateConnection")
    },
    "events:CreateConnection": lambda _: {"Name": "new", "AuthorizationType": "API_KEY", "AuthParameters": _KEY},
    "events:CreateApiDestination": _new_destination,
    **{
        f"events:{name}": _destination
        for name in ("DeleteApiDestination", "DescribeApiDestination", "UpdateApiDestination")
    },
    **{f"events:{name}": _archive for name in ("DeleteArchive", "DescribeArchive", "UpdateArchive")},
    "events:CreateArchive": lambda _: {"ArchiveName": "new", "EventSourceArn": _DEFAULT},
    **{f"events:{name}": _replay for name in ("CancelReplay", "DescribeReplay")},
    "events:StartReplay": _new_replay,
    "events:PutRule": lambda things: {"Name": "new", "EventBusName": _bus(things), "EventPattern": _PATTERN},
    "events:PutEvents": lambda things: {
        "Entries": [{"Source": "law", "DetailType": "x", "Detail": "{}", "EventBusName": _bus(things)}]
    },
    "events:TestEventPattern": lambda _: {"EventPattern": _PATTERN, "Event": "{}"},
    "events:PutPermission": lambda _: {"Action": "events:PutEvents", "Principal": "*", "StatementId": "law"},
    "events:RemovePermission": lambda _: {"StatementId": "law"},
    "events:ListRuleNamesByTarget": lambda _: {"TargetArn": _QUEUE},
}


def many(jar: TestJar) -> dict[str, Any]:
    """Several rules, all with one queue for a target; how operations are asked about them."""
    events = jar.client("events")
    for n in range(7):
        events.put_rule(Name=f"r{n}", EventPattern=_PATTERN)
        events.put_targets(Rule=f"r{n}", Targets=[{"Id": "t", "Arn": _QUEUE}])
    events.put_targets(Rule="r0", Targets=[{"Id": f"t{n}", "Arn": _QUEUE} for n in range(4)])
    return {"Rule": "r0", "TargetArn": _QUEUE}
