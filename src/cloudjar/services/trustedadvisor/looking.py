"""How the checks see an account: through the services' own operations, as the service-linked role of Trusted Advisor.

What was asked once in a run is not asked again. A question that nobody can answer (the product does not have the
service, the role is refused by a service control policy) makes a check not available; it never makes it green.

https://docs.aws.amazon.com/awssupport/latest/user/using-service-linked-roles-ta.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from cloudjar.billing import lines, rate
from cloudjar.kit import looking
from cloudjar.kit.looking import LinkedRole, Looking, NotAvailable
from cloudjar.kit.record import Record, by_noun
from cloudjar.kit.usage import Span
from cloudjar.spec import regions

__all__ = ["HOME", "Look", "NotAvailable", "name_of", "tags_of"]
HOME = looking.HOME


class Look(Looking):
    """One look at an account by any number of checks."""

    linked = LinkedRole("trustedadvisor.amazonaws.com", "AWSServiceRoleForTrustedAdvisor", "TrustedAdvisor")

    @cached_property
    def regions(self) -> list[str]:
        """The regions in which the account has anything, by name."""
        state = self.ctx.world.state
        found: set[str] = set()
        for table in state.tables.names():
            rows = state.database.query(f'SELECT DISTINCT region FROM "{table}" WHERE account=?', (self.ctx.account,))
            found.update(region for (region,) in rows if region)
        return sorted(found & regions.NAMES)

    def everywhere(
        self, service: str, operation: str, member: str, **params: Any
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """(region, item) of everything that an operation lists in every region in use."""
        self.need(service)
        for region in self.regions:
            for item in self.each(service, operation, member, region, **params):
                yield region, item

    @cached_property
    def instances(self) -> list[tuple[str, dict[str, Any]]]:
        """(region, instance) of all that are not terminated."""
        return [
            (region, instance)
            for region, reservation in self.everywhere("ec2", "DescribeInstances", "Reservations")
            for instance in reservation["Instances"]
            if instance["State"]["Name"] not in ("terminated", "shutting-down")
        ]

    def records(self, service: str, noun: str, region: str = "", *, prefix: str = "") -> list[Record]:
        """Stored records of a service, by their type in IAM (whose `prefix` may be another than the service's name);
        `NotAvailable` when the product has no such service."""
        self.need(service)
        declared = by_noun(prefix or service, noun)
        if declared is None:
            raise NotAvailable(f"this jar's {service} keeps no {noun}")
        return list(self.ctx.db.at(self.ctx.account, region)[declared.type].all())

    @cached_property
    def _spans(self) -> dict[tuple[str, str], list[Span]]:
        """What is metered just now, by (region, resource)."""
        found: dict[tuple[str, str], list[Span]] = defaultdict(list)
        instant = self.now
        usage = self.ctx.world.state.usage
        for span in usage.spans(instant, instant + timedelta(seconds=1), self.ctx.account):
            if span.end is None:
                found[span.region, span.resource].append(span)
        return found

    def monthly(self, region: str, *resources: str) -> float:
        """Dollars that resources cost in this calendar month, were they there for all of it, without free tier."""
        start = self.now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        spans = [s._replace(start=start, end=None) for r in resources for s in self._spans.get((region, r), ())]
        charges = rate.rate(lines.measure(spans, start, end))
        return float(rate.cents(sum((c.cost for c in charges if c.cost is not None), Decimal(0))))


def tags_of(item: dict[str, Any]) -> dict[str, str]:
    """Tags of an item as EC2 shows it."""
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags") or ()}


def name_of(item: dict[str, Any]) -> str:
    """The tag Name, or ""."""
    return tags_of(item).get("Name", "")

