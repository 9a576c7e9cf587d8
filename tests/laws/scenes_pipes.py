"""What the laws ask EventBridge Pipes about."""

from __future__ import annotations

import itertools
import json
from typing import Any

from tests.jar import ACCOUNT, TestJar

_NUMBERS = itertools.count()
_TRUST = {"Effect": "Allow", "Principal": {"Service": "pipes.amazonaws.com"}, "Action": "sts:AssumeRole"}


def _role(iam: Any) -> str:
    document = json.dumps({"Version": "2012-10-17", "Statement": [_TRUST]})
    try:
        made = iam.create_role(RoleName="law-pipes", AssumeRolePolicyDocument=document)
    except iam.exceptions.EntityAlreadyExistsException:
        made = iam.get_role(RoleName="law-pipes")
    return str(made["Role"]["Arn"])


def _asked(jar: TestJar, name: str) -> dict[str, Any]:
    queue = f"arn:aws:sqs:eu-west-3:{ACCOUNT}:law-"
    return {"Name": name, "Source": queue + "a", "Target": queue + "b", "RoleArn": _role(jar.client("iam"))}


def _new(things: Any) -> dict[str, Any]:
    return _asked(things.jar, f"law{next(_NUMBERS)}")


def _made(things: Any) -> dict[str, Any]:
    """A pipe that could not be made: there is no queue."""
    asked = _new(things)
    things.jar.client("pipes").create_pipe(**asked)
    things.jar.advance(seconds=60)
    return asked


def _running(things: Any) -> dict[str, Any]:
    jar, asked = things.jar, _new(things)
    asked["Source"] = jar.client("sqs").get_queue_attributes(
        QueueUrl=jar.client("sqs").create_queue(QueueName="law-pipes")["QueueUrl"], AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
    jar.client("iam").put_role_policy(RoleName="law-pipes", PolicyName="p", PolicyDocument=json.dumps(document))
    jar.client("pipes").create_pipe(**asked)
    jar.advance(seconds=60)
    return {"Name": asked["Name"]}


def _stopped(things: Any) -> dict[str, Any]:
    named = _running(things)
    things.jar.client("pipes").stop_pipe(**named)
    things.jar.advance(seconds=60)
    return named


def _tagged(things: Any) -> dict[str, Any]:
    return {"resourceArn": f"arn:aws:pipes:eu-west-3:{ACCOUNT}:pipe/{_made(things)['Name']}"}


def _changed(things: Any) -> dict[str, Any]:
    asked = _made(things)
    return {"Name": asked["Name"], "RoleArn": asked["RoleArn"]}


SCENES: dict[str, Any] = {
    **{f"pipes:{name}": lambda things: {"Name": _made(things)["Name"]} for name in ("DeletePipe", "DescribePipe")},
    **{f"pipes:{name}": _tagged for name in ("ListTagsForResource", "TagResource", "UntagResource")},
    "pipes:CreatePipe": _new,
    "pipes:StartPipe": _stopped,
    "pipes:StopPipe": _running,
    "pipes:UpdatePipe": _changed,
}


def many(jar: TestJar) -> dict[str, Any]:
    """Several pipes."""
    for n in range(7):
        jar.client("pipes").create_pipe(**_asked(jar, f"p{n}"))
    return {}
