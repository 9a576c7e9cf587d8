"""How much there may be in an organization.

Service Quotas has the number of accounts (it can be raised); the rest stands in the user guide alone.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
"""

from __future__ import annotations

from datetime import timedelta

from cloudjar.kit.context import Ctx

ACCOUNTS = ("organizations", "L-29A0C5DF")
DEPTH = 5
UNITS = 2000
POLICIES = {"SERVICE_CONTROL_POLICY": 10_000}
POLICIES_OF_A_TYPE = 1000
SIZE = {"SERVICE_CONTROL_POLICY": 5120, "RESOURCE_CONTROL_POLICY": 5120, "AISERVICES_OPT_OUT_POLICY": 2500}
SIZE_OF_OTHERS = 10_000
ATTACHED = {"SERVICE_CONTROL_POLICY": 5, "RESOURCE_CONTROL_POLICY": 5, "AISERVICES_OPT_OUT_POLICY": 5}
ATTACHED_OF_OTHERS = 10
RESOURCE_POLICY_SIZE = 40_000
CREATIONS_AT_ONCE = 5
CLOSURES_AT_ONCE = 3
HANDSHAKES_A_DAY = 20
INVITATION = timedelta(days=15)
ALL_FEATURES = timedelta(days=90)
STAY = timedelta(days=7)
"""How old a created account must be before it can leave."""


def accounts(ctx: Ctx, management: str) -> int:
    """How many accounts the organization may have."""
    return int(ctx.at(management, "").limit(*ACCOUNTS) or 10)


def closures(members: int) -> int:
    """How many accounts may be closed in thirty days: a tenth, at least ten and at most a thousand."""
    return min(max(members // 10, 10), 1000)
