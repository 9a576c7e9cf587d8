"""Which limits can be had. Pure.

https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
"""

from __future__ import annotations

from collections.abc import Callable

from cloudjar.spec import quotas

Code = tuple[str, str]

# What the documentation names as the highest value of an adjustable quota.
MAXIMUM: dict[Code, float] = {
    quotas.CIDR_BLOCKS_PER_VPC: 50,
    quotas.ROUTES_PER_TABLE: 1000,
    quotas.RULES_PER_NETWORK_ACL: 40,
    quotas.SECURITY_GROUPS_PER_INTERFACE: 16,
    quotas.PEERINGS_PER_VPC: 125,
}

# Rules that an interface can have over all its groups.
_RULES_PER_INTERFACE = 1000
_FACTORS = (quotas.RULES_PER_SECURITY_GROUP, quotas.SECURITY_GROUPS_PER_INTERFACE)

# Quotas that are never raised for themselves: they follow another.
FOLLOWERS: dict[Code, tuple[Code, ...]] = {quotas.VPCS: (quotas.INTERNET_GATEWAYS,)}


def possible(code: Code, desired: float, in_force: Callable[[Code], float | None]) -> bool:
    """Whether AWS would grant a value, given the limits in force."""
    if desired > MAXIMUM.get(code, desired):
        return False
    if code not in _FACTORS:
        return True
    other = next(factor for factor in _FACTORS if factor != code)
    return desired * (in_force(other) or 0) <= _RULES_PER_INTERFACE
