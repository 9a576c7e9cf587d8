"""What the laws ask EventBridge Scheduler about."""

from __future__ import annotations

import itertools
import json
from typing import Any

from tests.jar import ACCOUNT, TestJar

_NUMBERS = itertools.count()
_QUEUE = f"arn:aws:sqs:eu-west-3:{ACCOUNT}:law"
_TRUST = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}


def _role(iam: Any) -> str:
    document = json.dumps({"Version": "2012-10-17", "Statement": [_TRUST]})
    try:
        made = iam.create_role(RoleName="law-plans", AssumeRolePolicyDocument=document)
    except iam.exceptions.EntityAlreadyExistsException:
        made = iam.get_role(RoleName="law-plans")
    return str(made["Role"]["Arn"])


def _asked(jar: TestJar, name: str) -> dict[str, Any]:
    return {
        "Name": name,
        "ScheduleExpression": "at(2090-01-01T00:00:00)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": _QUEUE, "RoleArn": _role(jar.client("iam"))},
    }


def _new(things: Any) -> dict[str, Any]:
    return _asked(things.jar, f"law{next(_NUMBERS)}")


def _made(things: Any) -> dict[str, Any]:
    asked = _new(things)
    things.jar.client("scheduler").create_schedule(**asked)
    return {"Name": asked["Name"]}


def _group(things: Any) -> dict[str, Any]:
    name = f"law{next(_NUMBERS)}"
    things.jar.client("scheduler").create_schedule_group(Name=name)
    return {"Name": name}


def _tagged(things: Any) -> dict[str, Any]:
    return {"ResourceArn": f"arn:aws:scheduler:eu-west-3:{ACCOUNT}:schedule-group/{_group(things)['Name']}"}


SCENES: dict[str, Any] = {
    **{f"scheduler:{name}": _made for name in ("DeleteSchedule", "GetSchedule")},
    **{f"scheduler:{name}ScheduleGroup": _group for name in ("Delete", "Get")},
    **{f"scheduler:{name}": _tagged for name in ("ListTagsForResource", "TagResource", "UntagResource")},
    "scheduler:CreateSchedule": _new,
    "scheduler:CreateScheduleGroup": lambda _: {"Name": f"law{next(_NUMBERS)}"},
    "scheduler:UpdateSchedule": lambda things: {**_new(things), **_made(things)},
}


def many(jar: TestJar) -> dict[str, Any]:
    """Several schedules and groups."""
    plans = jar.client("scheduler")
    for n in range(7):
        plans.create_schedule(**_asked(jar, f"s{n}"))
        plans.create_schedule_group(Name=f"g{n}")
    return {}
