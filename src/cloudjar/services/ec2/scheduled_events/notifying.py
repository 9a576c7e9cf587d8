"""Which of an instance's tags are told with its scheduled events.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/customizing_scheduled_event_notifications.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record, record
from cloudjar.services.ec2 import errors

_MOST = 10


@record("ec2", "event-notification-attributes", key="name")
class Notified(Record, frozen=True, kw_only=True):
    """What an account has registered in a Region."""

    name: str = "tags"
    everything: bool = False
    keys: tuple[str, ...] = ()


def registered(ctx: Ctx) -> Notified:
    """What is registered here; nothing at first."""
    return ctx.db[Notified].get("tags") or Notified()


def _store(ctx: Ctx, **what: Any) -> dict[str, Any]:
    table = ctx.db[Notified]
    changed = replace(registered(ctx), **what)
    return _show(table.add(changed) if table.get(changed.name) is None else table.put(changed))


def _show(found: Notified) -> dict[str, Any]:
    return {
        "InstanceTagAttribute": {
            "IncludeAllTagsOfInstance": found.everything,
            "InstanceTagKeys": list(found.keys),
        }
    }


def _asked(req: dict[str, Any]) -> tuple[bool, list[str]]:
    """Whether it is about all tags, or about which."""
    wanted = req["InstanceTagAttribute"]
    everything, keys = bool(wanted.get("IncludeAllTagsOfInstance")), list(wanted.get("InstanceTagKeys") or ())
    if everything and keys:
        raise errors.combination("IncludeAllTagsOfInstance and InstanceTagKeys cannot be used together.")
    if not everything and not keys:
        raise errors.missing("The request must contain IncludeAllTagsOfInstance or InstanceTagKeys")
    return everything, keys


@op("RegisterInstanceEventNotificationAttributes")
def register_instance_event_notification_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """All tags, or these keys beside those that are registered."""
    everything, keys = _asked(req)
    if everything:
        return _store(ctx, everything=True, keys=())
    kept = tuple(dict.fromkeys((*registered(ctx).keys, *keys)))
    if len(kept) > _MOST:
        raise AwsError("InstanceTagKeyLimitExceeded", f"You can register {_MOST} tag keys at most.")
    return _store(ctx, everything=False, keys=kept)


@op("DeregisterInstanceEventNotificationAttributes")
def deregister_instance_event_notification_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No longer all tags, or no longer these."""
    everything, keys = _asked(req)
    if everything:
        return _store(ctx, everything=False)
    return _store(ctx, keys=tuple(key for key in registered(ctx).keys if key not in keys))


@op("DescribeInstanceEventNotificationAttributes")
def describe_instance_event_notification_attributes(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """What is registered."""
    return _show(registered(ctx))
