"""Things that an account on the free plan earns credits by, each found done from what the account really did.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/free-tier-plans-activities.html
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import NamedTuple

from cloudjar.kit.context import Ctx
from cloudjar.kit.record import by_noun
from cloudjar.services.freetier import offers

CREDIT = Decimal(20)


class Activity(NamedTuple):
    """`used` is how what it uses begins in the ledger, "" of what is found otherwise."""

    name: str
    title: str
    description: str
    minutes: int
    used: str
    page: str

    @property
    def id(self) -> str:
        """Thirty-two characters, always the same."""
        return sha256(self.name.encode()).hexdigest()[:32]


ACTIVITIES = (
    Activity("ec2", "Launch an instance using EC2", "Run a virtual machine.", 10, "AmazonEC2 BoxUsage:",
             "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/EC2_GetStarted.html"),
    Activity("rds", "Create an Amazon RDS database", "Run a relational database.", 20, "AmazonRDS InstanceUsage:",
             "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_GettingStarted.html"),
    Activity("budgets", "Set up a cost budget using AWS Budgets", "Be told before the bill is.", 5, "",
             "https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-create.html"),
)  # fmt: skip


def title(key: str) -> str:
    """What an activity is called, by its id."""
    return next((one.title for one in ACTIVITIES if one.id == key), key)


def done(ctx: Ctx, days: int) -> set[str]:
    """The ids of those that the account has done in the last so many days; outside of transactions."""
    used = set(offers.usage_types(ctx.world, ctx.account, days))
    found = {one.id for one in ACTIVITIES if one.used and any(text.startswith(one.used) for text in used)}
    ctx.world.load("budgets")
    budgets = by_noun("budgets", "budget")
    if budgets is not None and ctx.db[budgets.type].count():
        found.add(next(one.id for one in ACTIVITIES if one.name == "budgets"))
    return found
