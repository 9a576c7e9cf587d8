"""What policies are held against.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cloudjar.auth.authorize import Kept
from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Access, Grant, by_arn, finds, keys_of_resource
from cloudjar.kit.record import arn_of, meta
from cloudjar.services.sqs import finding
from cloudjar.services.sqs.records import MoveTask, Queue

_SPEC = meta(Queue).spec


@by_arn("sqs", "queue")
def queue(ctx: Ctx, arn: arns.Arn) -> Queue | None:
    """A queue's ARN ends in its name."""
    return ctx.db[Queue].get(arn.resource)


def on_queue(action: str) -> Access:
    """The grant of an operation on the queue of its URL: what the table would give, worked out once."""

    def grants(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
        try:
            account, name = finding.place(req["QueueUrl"])
        except AwsError:  # said when it is known that he may ask at all
            return (Grant(action, arns.make("sqs", ctx.region, ctx.account, req["QueueUrl"])),)
        found = ctx.world.state.tables.get(_SPEC, account, ctx.region, name)
        if found is None:
            return (Grant(action, arns.make("sqs", ctx.region, account, name), None, owner=account),)
        held: dict[tuple[str, int], tuple[Queue, Kept[Grant]]] = ctx.world.ports.setdefault("sqs.grants", {})
        known = held.get((action, found.number))
        if known is None or known[0] is not found:
            keys = keys_of_resource("sqs", "queue", found)
            grant = Grant(action, arn_of(found), keys or None, found.policy, found.account)
            known = held[action, found.number] = (found, Kept((grant,)))
        return known[1]

    return grants


@finds("sqs:move-task-queue")
def of_task(ctx: Ctx, handle: str) -> str | None:
    """The queue that a move task takes messages from."""
    task = find_task(ctx, handle)
    return None if task is None else task.source


def find_task(ctx: Ctx, handle: str) -> MoveTask | None:
    """The task of a handle, in this account and region."""
    import base64
    import json

    try:
        data = json.loads(base64.b64decode(handle.encode(), validate=True))
        return ctx.db[MoveTask].get(str(data["taskId"]))
    except (ValueError, KeyError, TypeError):
        return None
