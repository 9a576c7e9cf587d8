"""Permissions with labels: statements of the topic's policy."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.sns import errors, finding
from cloudjar.services.sns.records import Topic

_ACTIONS = frozenset(
    ("Publish", "Subscribe", "GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission",
     "DeleteTopic", "ListSubscriptionsByTopic")
)  # fmt: skip


def _document(topic: Topic) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(topic.policy)
    if isinstance(found["Statement"], dict):
        found["Statement"] = [found["Statement"]]
    return found


def _keep(ctx: Ctx, topic: Topic, document: dict[str, Any]) -> None:
    policy = json.dumps(document, separators=(",", ":"))
    ctx.db.at(topic.account, topic.region)[Topic].put(replace(topic, policy=policy))


@op("AddPermission")
def add_permission(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let accounts do something with the topic, under a label."""
    topic, label = finding.topic(ctx, req["TopicArn"]), req["Label"]
    for action in req["ActionName"]:
        if action not in _ACTIONS:
            raise errors.invalid("Policy statement action out of service scope!")
    for account in req["AWSAccountId"]:
        if len(account) != 12 or not account.isdecimal():
            raise errors.invalid("AWSAccountId")
    document = _document(topic)
    if any(statement.get("Sid") == label for statement in document["Statement"]):
        raise errors.invalid("Statement already exists")
    principals = [f"arn:aws:iam::{account}:root" for account in req["AWSAccountId"]]
    actions = [f"SNS:{action}" for action in req["ActionName"]]
    document["Statement"].append(
        {
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": principals[0] if len(principals) == 1 else principals},
            "Action": actions[0] if len(actions) == 1 else actions,
            "Resource": ctx.arn(topic),
        }
    )
    _keep(ctx, topic, document)
    return {}


@op("RemovePermission")
def remove_permission(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take a labelled permission away."""
    topic = finding.topic(ctx, req["TopicArn"])
    document = _document(topic)
    document["Statement"] = [one for one in document["Statement"] if one.get("Sid") != req["Label"]]
    if not document["Statement"]:
        raise errors.invalid("Policy Error: a policy needs a statement")
    _keep(ctx, topic, document)
    return {}
