"""What an account may have.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.elbv2 import holding

_LIMITS = {
    "application-load-balancers": "L-53DA6B97",
    "listeners-per-application-load-balancer": "L-B6DF7632",
    "rules-per-application-load-balancer": "L-7EED9B64",
    "target-groups": "L-B22855CB",
    "targets-per-application-load-balancer": "L-7E6692B2",
    "certificates-per-application-load-balancer": "L-9365A611",
    "network-load-balancers": "L-69A177A2",
    "certificates-per-network-load-balancer": "L-52964454",
    "targets-per-availability-zone-per-network-load-balancer": "L-B211E961",
    "targets-per-network-load-balancer": "L-EEF1AD04",
}
_FIXED = {
    "listeners-per-network-load-balancer": holding.LISTENERS_PER_NETWORK_BALANCER,
    "target-groups-per-action-on-application-load-balancer": 5,
    "target-groups-per-action-on-network-load-balancer": 1,
    "condition-values-per-alb-rule": 5,
    "target-groups-per-application-load-balancer": holding.GROUPS_PER_BALANCER,
    "target-id-registrations-per-application-load-balancer": holding.REGISTRATIONS_PER_ID,
}
"""What Service Quotas does not change."""


@op("DescribeAccountLimits")
def describe_account_limits(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """The limits that are in force here."""
    found = {name: ctx.limit("elasticloadbalancing", code) for name, code in _LIMITS.items()}
    shown = {**{name: int(value) for name, value in found.items() if value is not None}, **_FIXED}
    return {"Limits": [{"Name": name, "Max": str(value)} for name, value in shown.items()]}
