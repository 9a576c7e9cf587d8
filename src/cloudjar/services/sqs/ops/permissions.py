"""Permissions with labels: statements of the queue's policy.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.sqs import errors, finding
from cloudjar.services.sqs.records import Queue

_LABEL = re.compile(r"[A-Za-z0-9_-]{1,80}")
_ACCOUNT = re.compile(r"\d{12}")
_ACTIONS = frozenset(
    ("*", "SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes",
     "GetQueueUrl", "ListDeadLetterSourceQueues", "PurgeQueue")
)  # fmt: skip
_MOST_ACTIONS, _MOST_STATEMENTS = 7, 20


@op("AddPermission")
def add_permission(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let accounts do something with the queue, under a label."""
    queue, label = finding.queue(ctx, req), req["Label"]
    actions, accounts = list(req["Actions"]), list(req["AWSAccountIds"])
    _check(label, actions, accounts)
    document = _document(ctx, queue)
    statements = document["Statement"]
    if any(statement.get("Sid") == label for statement in statements):
        raise errors.bad_value(label, "Label", "Already exists.")
    if len(statements) >= _MOST_STATEMENTS:
        raise AwsError("OverLimit", f"{len(statements) + 1} statements were found, maximum allowed is 20.", 403)
    principals = [f"arn:aws:iam::{account}:root" for account in accounts]
    statements.append(
        {
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": principals[0] if len(principals) == 1 else principals},
            "Action": _one([f"SQS:{action}" for action in actions]),
            "Resource": ctx.arn(queue),
        }
    )
    return _keep(ctx, queue, document)


def _check(label: str, actions: list[str], accounts: list[str]) -> None:
    if not _LABEL.fullmatch(label):
        reason = "Label can only include alphanumeric characters, hyphens, or underscores."
        raise errors.bad_value(label, "Label", reason)
    if not actions:
        raise errors.missing("Actions")
    if not accounts:
        raise errors.missing("AWSAccountIds")
    if len(actions) > _MOST_ACTIONS:
        raise AwsError("OverLimit", f"{len(actions)} Actions were found, maximum allowed is {_MOST_ACTIONS}.", 403)
    for action in actions:
        if action not in _ACTIONS:
            reason = "Please refer to the appropriate WSDL for a list of valid actions."
            raise errors.bad_value(f"SQS:{action}", "ActionName", reason)
    for account in accounts:
        if not _ACCOUNT.fullmatch(account):
            raise errors.bad_value(f"[{account}]", "PrincipalId", "Unable to verify.")


def _one(items: list[str]) -> Any:
    return items[0] if len(items) == 1 else items


def _document(ctx: Ctx, queue: Queue) -> dict[str, Any]:
    if not queue.policy:
        return {"Version": "2012-10-17", "Id": f"{ctx.arn(queue)}/SQSDefaultPolicy", "Statement": []}
    document: dict[str, Any] = json.loads(queue.policy)
    if isinstance(document["Statement"], dict):
        document["Statement"] = [document["Statement"]]
    return document


def _keep(ctx: Ctx, queue: Queue, document: dict[str, Any]) -> dict[str, Any]:
    policy = json.dumps(document, separators=(",", ":")) if document["Statement"] else ""
    changed = replace(queue, policy=policy, modified=int(ctx.now.timestamp()))
    ctx.db.at(queue.account, queue.region)[Queue].put(changed)
    return {}


@op("RemovePermission")
def remove_permission(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take a labelled permission away."""
    queue, label = finding.queue(ctx, req), req["Label"]
    document = _document(ctx, queue)
    left = [statement for statement in document["Statement"] if statement.get("Sid") != label]
    if len(left) == len(document["Statement"]):
        raise errors.bad_value(label, "Label", "can't find label on existing policy.")
    return _keep(ctx, queue, {**document, "Statement": left})
