"""Listeners: made, listed, changed, removed.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-listeners.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.elbv2 import actions, errors, holding, naming, serving, ssl_policies, tagging, trusting
from cloudjar.services.elbv2.records import Listener, LoadBalancer, Rule, TargetGroup
from cloudjar.services.elbv2.views import show_listener, users

_PROTOCOLS = {"app": ("HTTP", "HTTPS"), "net": ("TCP", "UDP", "TLS", "TCP_UDP")}
_SENT_TO = {
    "HTTP": ("HTTP", "HTTPS"), "HTTPS": ("HTTP", "HTTPS"), "TCP": ("TCP", "TCP_UDP"), "UDP": ("UDP", "TCP_UDP"),
    "TLS": ("TCP", "TLS"), "TCP_UDP": ("TCP_UDP",),
}  # fmt: skip
_ALPN = ("HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None")
_SECURE = ("HTTPS", "TLS")


@op("CreateListener")
def create_listener(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A port of a load balancer, with what it does by default."""
    balancer = ctx.db[LoadBalancer].need(req["LoadBalancerArn"])
    protocol, port = req.get("Protocol"), req.get("Port")
    if not protocol or not port:
        raise errors.validation(
            "A listener protocol must be specified" if not protocol else "A listener port must be specified"
        )
    path = f"{balancer.name}/{balancer.suffix}/{naming.suffix()}"
    listener = Listener(
        arn=naming.arn(ctx, f"listener/{balancer.kind}/{path}"), path=path, load_balancer_arn=balancer.arn, port=port,
        protocol=protocol, actions=[], kind=balancer.kind,
        tags=tagging.asked(req),
    )  # fmt: skip
    listener = _secured(ctx, listener, req)
    listener = replace(listener, actions=checked_actions(ctx, balancer, req["DefaultActions"], protocol))
    if any(other.port == port for other in ctx.db[Listener].all(load_balancer_arn=balancer.arn)):
        raise errors.port_taken(balancer.arn)
    listener = ctx.db[Listener].add(listener)
    holding.check_listeners(ctx, listener)
    holding.check_targets(ctx, balancer)
    serving.settle(ctx, balancer.arn, listener.certificates)
    return {"Listeners": [show_listener(listener)]}


def _secured(ctx: Ctx, listener: Listener, req: dict[str, Any]) -> Listener:
    """A listener with the protocol, certificate and policy of a request; raises ValidationError and others."""
    protocol = req.get("Protocol") or listener.protocol
    if protocol not in _PROTOCOLS[listener.kind]:
        name = "an application" if listener.kind == "app" else "a network"
        if protocol in ("QUIC", "TCP_QUIC") and listener.kind == "net":
            raise errors.not_built(f"A listener of protocol {protocol}")
        raise errors.validation(
            f"Listener protocol '{protocol}' must be one of '{', '.join(_PROTOCOLS[listener.kind])}' for {name} load "
            "balancer"
        )
    listener = replace(listener, **trusting.mutual(ctx, listener, req.get("MutualAuthentication"), protocol))
    if protocol not in _SECURE:
        if req.get("Certificates") or req.get("SslPolicy") or req.get("AlpnPolicy"):
            raise errors.validation(f"A certificate cannot be specified for {protocol} listeners")
        return replace(listener, protocol=protocol, certificates=(), ssl_policy="", alpn="")
    given = req.get("Certificates") or ()
    if len(given) > 1:
        raise errors.validation("Only one certificate can be specified: add others by AddListenerCertificates")
    if not given and not listener.certificates:
        raise errors.validation(f"A certificate must be specified for {protocol} listeners")
    default = serving.checked(ctx, given, listener.kind)
    rest = listener.certificates[1:] if listener.certificates else ()
    policy = req.get("SslPolicy") or listener.ssl_policy or ssl_policies.DEFAULT
    if policy not in ssl_policies.POLICIES:
        raise AwsError("SSLPolicyNotFound", f"SSL policy '{policy}' not found")
    return replace(
        listener, protocol=protocol, ssl_policy=policy, alpn=_alpn(listener, req, protocol),
        certificates=(*default, *(a for a in rest if a not in default)) if default else listener.certificates,
    )  # fmt: skip


def _alpn(listener: Listener, req: dict[str, Any], protocol: str) -> str:
    given = req.get("AlpnPolicy")
    if not given:
        return listener.alpn
    if protocol != "TLS" or len(given) > 1 or given[0] not in _ALPN:
        named = ", ".join(given)
        raise AwsError("ALPNPolicyNotFound", f"The ALPN policy '{named}' is not supported for {protocol} listeners")
    return "" if given[0] == "None" else str(given[0])


def checked_actions(
    ctx: Ctx, balancer: LoadBalancer, given: list[dict[str, Any]], protocol: str
) -> list[dict[str, Any]]:
    """Actions in their full form, whose target groups are there, nobody else's, and speak a listener's protocol."""
    made = actions.checked(given)
    if balancer.kind == "net" and (made[0]["Type"] != "forward" or len(actions.groups_of(made)) != 1):
        raise AwsError(
            "InvalidLoadBalancerAction", "Listeners of network load balancers forward to exactly one target group"
        )
    for arn in actions.groups_of(made):
        group = ctx.db[TargetGroup].get(arn)
        if group is None:
            raise AwsError("TargetGroupNotFound", f"Target group '{arn}' not found")
        if group.protocol not in _SENT_TO[protocol]:
            raise AwsError(
                "IncompatibleProtocols",
                f"Listener protocol '{protocol}' is not supported with a target group with the protocol "
                f"'{group.protocol}'",
            )
        if group.vpc_id != balancer.vpc_id:
            raise AwsError("InvalidConfigurationRequest",
                           f"The load balancer and the target group '{arn}' must be in the same VPC")  # fmt: skip
        if [user for user in users(ctx, arn) if user != balancer.arn]:
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
    """Change a listener's port, protocol, certificate, policy or what it does by default."""
    before = ctx.db[Listener].need(req["ListenerArn"])
    balancer = ctx.db[LoadBalancer].need(before.load_balancer_arn)
    listener = _secured(ctx, before, req)
    port = req.get("Port") or listener.port
    others = ctx.db[Listener].all(load_balancer_arn=balancer.arn)
    if any(other.port == port and other.arn != listener.arn for other in others):
        raise errors.port_taken(balancer.arn)
    given = req.get("DefaultActions") or listener.actions
    made = checked_actions(ctx, balancer, given, listener.protocol)
    listener = ctx.db[Listener].put(replace(listener, port=port, actions=made))
    holding.check_targets(ctx, balancer)
    serving.settle(ctx, balancer.arn, (*before.certificates, *listener.certificates))
    return {"Listeners": [show_listener(listener)]}


@op("DeleteListener")
def delete_listener(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a listener with its rules."""
    listener = ctx.db[Listener].need(req["ListenerArn"])
    for rule in ctx.db[Rule].all(listener_arn=listener.arn):
        ctx.db[Rule].drop(rule)
    ctx.db[Listener].drop(listener)
    serving.settle(ctx, listener.load_balancer_arn, listener.certificates)
    return {}
