"""Condition keys that requests bring: what a listener would speak, where a load balancer would be.

https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/security_iam_service-with-iam.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import request_keys
from cloudjar.services.elbv2.ssl_policies import DEFAULT

_SECURE = ("HTTPS", "TLS")


@request_keys("elbv2")
def of_requests(_: Ctx, operation: str, req: dict[str, Any]) -> Mapping[str, Any]:
    """What a request asks for; what it leaves out has the value that it gets."""
    keys: dict[str, Any] = {}
    if operation in ("CreateListener", "ModifyListener"):
        keys["elasticloadbalancing:ListenerProtocol"] = req.get("Protocol")
        fallback = DEFAULT if operation == "CreateListener" and req.get("Protocol") in _SECURE else None
        keys["elasticloadbalancing:SecurityPolicy"] = req.get("SslPolicy") or fallback
    if operation == "CreateLoadBalancer":
        keys["elasticloadbalancing:Scheme"] = req.get("Scheme") or "internet-facing"
    if operation in ("CreateLoadBalancer", "SetSecurityGroups"):
        keys["elasticloadbalancing:SecurityGroup"] = req.get("SecurityGroups") or None
    if operation in ("CreateLoadBalancer", "SetSubnets"):
        mapped = [m.get("SubnetId") for m in req.get("SubnetMappings") or () if m.get("SubnetId")]
        keys["elasticloadbalancing:Subnet"] = [*(req.get("Subnets") or ()), *mapped] or None
    return {name: value for name, value in keys.items() if value is not None}
