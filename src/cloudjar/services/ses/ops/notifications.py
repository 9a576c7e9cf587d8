"""Who is told what became of an identity's letters, and who else may send as it.

https://docs.aws.amazon.com/ses/latest/dg/monitor-sending-activity-using-notifications.html
https://docs.aws.amazon.com/ses/latest/dg/sending-authorization-policies.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import errors, policies
from cloudjar.kit.mailing.records import Identity
from cloudjar.kit.operation import op


def _need(ctx: Ctx, req: dict[str, Any]) -> Identity:
    held = ctx.db[Identity].get(req["Identity"])
    if held is None:
        raise errors.invalid(f"Identity {req['Identity']} does not exist.")
    return held


@op("SetIdentityNotificationTopic")
def set_identity_notification_topic(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A topic is told of bounces, complaints or deliveries; none ends it."""
    held, kind, topic = _need(ctx, req), req["NotificationType"], req.get("SnsTopic")
    arn = arns.parse(topic) if topic else None
    if topic and (arn is None or arn.service != "sns"):
        raise errors.invalid(f"Invalid SNS topic <{topic}>.")
    if not topic and not held.forwarding and kind != "Delivery":
        raise errors.invalid("Bounces and complaints must be forwarded by mail or told to a topic.")
    topics = {name: value for name, value in {**held.topics, kind: topic or ""}.items() if value}
    ctx.db[Identity].put(replace(held, topics=topics))
    return {}


@op("SetIdentityFeedbackForwardingEnabled")
def set_identity_feedback_forwarding_enabled(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether bounces and complaints come back by mail: they must, unless topics are told of both."""
    held, wanted = _need(ctx, req), bool(req["ForwardingEnabled"])
    if not wanted and not {"Bounce", "Complaint"} <= set(held.topics):
        raise errors.invalid(
            f"Identity {held.name} must have bounce and complaint topics before forwarding is disabled."
        )
    ctx.db[Identity].put(replace(held, forwarding=wanted))
    return {}


@op("SetIdentityHeadersInNotificationsEnabled")
def set_identity_headers_in_notifications_enabled(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether notifications of a type hold the letter's headers."""
    held, kind = _need(ctx, req), req["NotificationType"]
    kinds = (set(held.with_headers) | {kind}) if req["Enabled"] else set(held.with_headers) - {kind}
    ctx.db[Identity].put(replace(held, with_headers=tuple(sorted(kinds))))
    return {}


@op("GetIdentityNotificationAttributes")
def get_identity_notification_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Who is told, by identity."""
    found = [ctx.db[Identity].get(name) for name in dict.fromkeys(req["Identities"])]
    kinds = ("Bounce", "Complaint", "Delivery")
    return {
        "NotificationAttributes": {
            held.name: {
                **{f"{kind}Topic": held.topics.get(kind, "") for kind in kinds},
                "ForwardingEnabled": held.forwarding,
                **{f"HeadersIn{kind}NotificationsEnabled": kind in held.with_headers for kind in kinds},
            }
            for held in found
            if held is not None
        }
    }


@op("PutIdentityPolicy")
def put_identity_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let others send as an identity."""
    policies.put(ctx, _need(ctx, req), req["PolicyName"], req["Policy"])
    return {}


@op("DeleteIdentityPolicy")
def delete_identity_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let them no more; nothing happens where there is no such policy."""
    policies.drop(ctx, _need(ctx, req), req["PolicyName"])
    return {}


@op("ListIdentityPolicies")
def list_identity_policies(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Names of an identity's policies."""
    return {"PolicyNames": sorted(_need(ctx, req).policies)}


@op("GetIdentityPolicies")
def get_identity_policies(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The policies that are asked for by name."""
    held = _need(ctx, req)
    return {"Policies": {name: held.policies[name] for name in req["PolicyNames"] if name in held.policies}}
