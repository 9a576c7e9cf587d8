"""Who else may send as an identity, and whether bounces come back by mail.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_CreateEmailIdentityPolicy.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import errors, policies
from cloudjar.kit.mailing.records import Identity
from cloudjar.kit.operation import op
from cloudjar.services.sesv2.ops.identities import need


@op("CreateEmailIdentityPolicy")
@errors.in_v2
def create_email_identity_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let others send as an identity."""
    held, name = need(ctx, req["EmailIdentity"]), req["PolicyName"]
    if name in held.policies:
        raise AwsError("AlreadyExistsException", f"Policy {name} already exists.", 400)
    policies.put(ctx, held, name, req["Policy"])
    return {}


def _policy(ctx: Ctx, req: dict[str, Any]) -> Identity:
    held = need(ctx, req["EmailIdentity"])
    if req["PolicyName"] not in held.policies:
        raise AwsError("NotFoundException", f"Policy {req['PolicyName']} does not exist.", 404)
    return held


@op("UpdateEmailIdentityPolicy")
@errors.in_v2
def update_email_identity_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace a policy."""
    policies.put(ctx, _policy(ctx, req), req["PolicyName"], req["Policy"])
    return {}


@op("DeleteEmailIdentityPolicy")
@errors.in_v2
def delete_email_identity_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let them no more."""
    policies.drop(ctx, _policy(ctx, req), req["PolicyName"])
    return {}


@op("GetEmailIdentityPolicies")
@errors.in_v2
def get_email_identity_policies(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """All policies of an identity."""
    return {"Policies": need(ctx, req["EmailIdentity"]).policies}


@op("PutEmailIdentityFeedbackAttributes")
@errors.in_v2
def put_email_identity_feedback_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether bounces and complaints come back by mail: they must, unless topics are told of both."""
    held, wanted = need(ctx, req["EmailIdentity"]), bool(req.get("EmailForwardingEnabled"))
    if not wanted and not {"Bounce", "Complaint"} <= set(held.topics):
        raise errors.invalid("Bounces and complaints must be forwarded by mail or told to a topic.")
    ctx.db[Identity].put(replace(held, forwarding=wanted))
    return {}
