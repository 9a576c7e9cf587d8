"""Listeners: made, listed, changed, removed."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.elbv2 import actions, errors, naming
from cloudjar.services.elbv2.records import Listener, LoadBalancer, Rule, TargetGroup
from cloudjar.services.elbv2.views import show_listener, users


@op("CreateListener")
def create_listener(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A port of a load balancer, with what it does by default."""
    balancer = ctx.db[LoadBalancer].need(req["LoadBalancerArn"])
    protocol, port = req.get("Protocol"), req.get("Port")
    if not protocol or not port:
        raise errors.validation(
            "A listener protocol must be specified" if not protocol else "A listener port must be specified"
        )
    _check_protocol(req)
    made = checked_actions(ctx, balancer.arn, req["DefaultActions"])
    if any(other.port == port for other in ctx.db[Listener].all(load_balancer_arn=balancer.arn)):
        raise errors.port_taken(balancer.arn)
    path = f"{balancer.name}/{balancer.suffix}/{naming.suffix()}"
    listener = Listener(
        arn=naming.arn(ctx, f"listener/app/{path}"), path=path, load_balancer_arn=balancer.arn, port=port,
        protocol=protocol, actions=made, tags=tags.within_limit(tags.from_list(req.get("Tags") or ())),
    )  # fmt: skip
    return {"Listeners": [show_listener(ctx.db[Listener].add(listener))]}


def _check_protocol(req: dict[str, Any]) -> None:
    protocol = req.get("Protocol")
    if protocol == "HTTPS":
        raise errors.not_built("An HTTPS listener")
    if protocol not in (None, "HTTP"):
        raise errors.validation(
            f"Listener protocol '{protocol}' must be one of 'HTTP, HTTPS' for an application load balancer"
        )
    if req.get("Certificates") or req.get("SslPolicy") or req.get("AlpnPolicy") or req.get("MutualAuthentication"):
        raise errors.validation("A certificate cannot be specified for HTTP listeners")


def checked_actions(ctx: Ctx, balancer_arn: str, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Actions in their full form, whose target groups are there and nobody else's."""
    made = actions.checked(given)
    balancer = ctx.db[LoadBalancer].need(balancer_arn)
    for arn in actions.groups_of(made):
        group = ctx.db[TargetGroup].get(arn)
        if group is None:
            raise AwsError("TargetGroupNotFound", f"Target group '{arn}' not found")
        if group.vpc_id != balancer.vpc_id:
            raise AwsError("InvalidConfigurationRequest",
                           f"The load balancer and the target group '{arn}' must be in the same VPC")  # fmt: skip
        if [user for user in users(ctx, arn) if user != balancer_arn]:
            raise AwsError(
                "TargetGroupAssociationLimit",
                f"The following target groups cannot be associated with more than one load balancer: {arn}",
            )
    return made


@op("DescribeListeners")
def describe_listeners(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Listeners of a load balancer, or by ARN."""
    table = ctx.db[Listener]
    if req.get("ListenerArns"):
        found = [table.need(arn) for arn in req["ListenerArns"]]
    elif req.get("LoadBalancerArn"):
        found = table.all(load_balancer_arn=ctx.db[LoadBalancer].need(req["LoadBalancerArn"]).arn)
    else:
        raise errors.validation("You must specify either listener ARNs or a load balancer ARN")
    return {"Listeners": [show_listener(listener) for listener in found]}


@op("ModifyListener")
def modify_listener(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change a listener's port or what it does by default."""
    listener = ctx.db[Listener].need(req["ListenerArn"])
    _check_protocol(req)
    port = req.get("Port") or listener.port
    others = ctx.db[Listener].all(load_balancer_arn=listener.load_balancer_arn)
    if any(other.port == port and other.arn != listener.arn for other in others):
        raise errors.port_taken(listener.load_balancer_arn)
    given = req.get("DefaultActions")
    made = checked_actions(ctx, listener.load_balancer_arn, given) if given else listener.actions
    return {"Listeners": [show_listener(ctx.db[Listener].put(replace(listener, port=port, actions=made)))]}


@op("DeleteListener")
def delete_listener(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a listener with its rules."""
    listener = ctx.db[Listener].need(req["ListenerArn"])
    for rule in ctx.db[Rule].all(listener_arn=listener.arn):
        ctx.db[Rule].drop(rule)
    ctx.db[Listener].drop(listener)
    return {}
