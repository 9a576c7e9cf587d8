"""What the sources have wrong about Elastic Load Balancing v2, put right by hand.

They tell a load balancer's ARN in the form of the previous generation (``loadbalancer/NAME``), ask for Gateway Load
Balancers' listeners beside the one that the request names, and know tags of load balancers alone.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
"""

from __future__ import annotations

from typing import Any

_ARN = "arn:${Partition}:elasticloadbalancing:${Region}:${Account}:"
_BALANCER = "/${LoadBalancerName}/${LoadBalancerId}"
_LISTENER = _BALANCER + "/${ListenerId}"
_TYPES = {
    "loadbalancer/app/": "loadbalancer/app" + _BALANCER,
    "loadbalancer/net/": "loadbalancer/net" + _BALANCER,
    "listener/app": "listener/app" + _LISTENER,
    "listener/net": "listener/net" + _LISTENER,
    "listener-rule/app": "listener-rule/app" + _LISTENER + "/${ListenerRuleId}",
    "listener-rule/net": "listener-rule/net" + _LISTENER + "/${ListenerRuleId}",
    "targetgroup": "targetgroup/${TargetGroupName}/${TargetGroupId}",
}


def balancers(_: Any, ops: dict[str, list[dict[str, Any]]]) -> None:
    """Change the table in place."""
    for operation, entries in ops.items():
        resources = entries[0]["r"] if entries else []
        if any(kind == "loadbalancer" for kind, *_ in resources):
            _name(ops, operation, "LoadBalancerArn", "loadbalancer/app/", "loadbalancer/net/")
        if any(kind.startswith("listener/") for kind, *_ in resources):
            _name(ops, operation, "ListenerArn", "listener/app", "listener/net")
    _name(ops, "ModifyCapacityReservation", "LoadBalancerArn", "loadbalancer/app/", "loadbalancer/net/")
    for operation in ("AddTags", "RemoveTags"):
        _name(ops, operation, "ResourceArns[]", *_TYPES)
    ops["CreateTrustStore"][0]["r"] = [["truststore", _ARN + "truststore/${Name}/*", 1]]
    made = ops["CreateLoadBalancer"][0]
    ops["CreateLoadBalancer"] = [
        {**made, "r": [[kind, _ARN + kind + "${Name}/*", 1]], "when": [test, "Type", "network"]}
        for kind, test in (("loadbalancer/app/", "differs"), ("loadbalancer/net/", "equals"))
    ]


def _name(ops: dict[str, list[dict[str, Any]]], operation: str, member: str, *kinds: str) -> None:
    ops[operation][0]["r"] = [[kind, ["arn", member, _ARN + _TYPES[kind]], 0] for kind in kinds]
