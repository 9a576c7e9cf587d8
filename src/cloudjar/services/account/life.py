"""A region that is opted into or out of: on AWS it takes minutes to hours, here as long as the reconciler.

https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
"""

from __future__ import annotations

from cloudjar.kit.accounts import OptedRegion
from cloudjar.kit.machine import Machine, Step, reconciler

LIFE = Machine(
    OptedRegion,
    start="ENABLING",
    moves="""
    ENABLING -> ENABLED
    ENABLED -> DISABLING
    DISABLING -> DISABLED
    DISABLED -> ENABLING
    """,
)


@reconciler(OptedRegion)
def settle(step: Step, region: OptedRegion | None) -> None:
    """Bring what was begun to its end."""
    step.move(LIFE, "ENABLING", "ENABLED")
    step.move(LIFE, "DISABLING", "DISABLED")
