"""Certificates of listeners beside the default one, and what TLS listeners may speak."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.elbv2 import errors, serving, ssl_policies
from cloudjar.services.elbv2.records import Listener

_LIMITS = {"app": ("elasticloadbalancing", "L-9365A611"), "net": ("elasticloadbalancing", "L-52964454")}


@op("AddListenerCertificates")
def add_listener_certificates(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Serve with more certificates: a client that names its host gets the one that holds the name."""
    listener = _secure(ctx, req["ListenerArn"])
    if any(item.get("IsDefault") for item in req["Certificates"]):
        raise errors.validation("The default certificate is set by ModifyListener")
    added = serving.checked(ctx, req["Certificates"], listener.kind)
    after = tuple(dict.fromkeys((*listener.certificates, *added)))
    limit = ctx.limit(*_LIMITS[listener.kind])
    if limit is not None and len(after) - 1 > limit:
        raise AwsError("TooManyCertificates", "The maximum number of certificates has been reached.")
    ctx.db[Listener].put(replace(listener, certificates=after))
    serving.settle(ctx, listener.load_balancer_arn, added)
    return {"Certificates": [{"CertificateArn": arn, "IsDefault": False} for arn in added]}


@op("RemoveListenerCertificates")
def remove_listener_certificates(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Serve without some of them; the default one stays."""
    listener = _secure(ctx, req["ListenerArn"])
    gone = {item.get("CertificateArn") for item in req["Certificates"]}
    if listener.certificates[0] in gone:
        raise AwsError("OperationNotPermitted", "The default certificate cannot be removed")
    kept = tuple(arn for arn in listener.certificates if arn not in gone)
    ctx.db[Listener].put(replace(listener, certificates=kept))
    serving.settle(ctx, listener.load_balancer_arn, listener.certificates)
    return {}


@op("DescribeListenerCertificates")
def describe_listener_certificates(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """All of them, the default one first."""
    listener = ctx.db[Listener].need(req["ListenerArn"])
    return {
        "Certificates": [{"CertificateArn": arn, "IsDefault": n == 0} for n, arn in enumerate(listener.certificates)]
    }


def _secure(ctx: Ctx, arn: str) -> Listener:
    listener = ctx.db[Listener].need(arn)
    if not listener.certificates:
        raise errors.validation(f"Certificates are not supported for {listener.protocol} listeners")
    return listener


@op("DescribeSSLPolicies")
def describe_ssl_policies(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Security policies: all, or by name."""
    named = req.get("Names") or tuple(ssl_policies.POLICIES)
    for name in named:
        if name not in ssl_policies.POLICIES:
            raise AwsError("SSLPolicyNotFound", f"SSL policy '{name}' not found")
    if (req.get("LoadBalancerType") or "application") == "gateway":
        return {"SslPolicies": []}
    return {"SslPolicies": [ssl_policies.show(name) for name in named]}
