"""How the checks see an account: through the services' own operations, as the service-linked role of Trusted Advisor.

What was asked once in a run is not asked again. A question that nobody can answer (the product does not have the
service, the role is refused by a service control policy) makes a check not available; it never makes it green.

https://docs.aws.amazon.com/awssupport/latest/user/using-service-linked-roles-ta.html
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base import caller as callers
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.billing import lines, rate
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import Record, by_noun
from cloudjar.kit.usage import Span
from cloudjar.spec import models, regions

PRINCIPAL = "trustedadvisor.amazonaws.com"
ROLE = "AWSServiceRoleForTrustedAdvisor"
HOME = "us-east-1"


class NotAvailable(Exception):
    """A check cannot look; the message says why."""


class Look:
    """One look at an account by any number of checks."""

    def __init__(self, ctx: Ctx) -> None:
        self.ctx = ctx
        self.now: datetime = ctx.now
        self._asked: dict[str, dict[str, Any]] = {}

    @cached_property
    def _who(self) -> Caller:
        """The role's session. AWS makes the role when the account is made; here it is made when it is first needed."""
        service = callers.service(PRINCIPAL, self.ctx.account)
        there = self.ctx.at(self.ctx.account, HOME)
        if there.find("iam", "role", ROLE) is None:
            there.call("iam", "CreateServiceLinkedRole", {"AWSServiceName": PRINCIPAL}, caller=service)
        role = arns.make("iam", "", self.ctx.account, f"role/aws-service-role/{PRINCIPAL}/{ROLE}")
        return there.as_role(role, service=PRINCIPAL, session_name="TrustedAdvisor")

    @cached_property
    def regions(self) -> list[str]:
        """The regions in which the account has anything, by name."""
        state = self.ctx.world.state
        found: set[str] = set()
        for table in state.tables.names():
            rows = state.database.query(f'SELECT DISTINCT region FROM "{table}" WHERE account=?', (self.ctx.account,))
            found.update(region for (region,) in rows if region)
        return sorted(found & regions.NAMES)

    def ask(self, service: str, operation: str, region: str = HOME, **params: Any) -> dict[str, Any]:
        """An answer; the `AwsError` that a service gives, or `NotAvailable`."""
        key = json.dumps((service, operation, region, params), sort_keys=True, default=str)
        found = self._asked.get(key)
        if found is None:
            found = self._asked[key] = self._call(service, operation, region, params)
        return found

    def _need(self, service: str) -> None:
        if not self.ctx.world.load(service):
            raise NotAvailable(f"this jar has no {service}")

    def _call(self, service: str, operation: str, region: str, params: dict[str, Any]) -> dict[str, Any]:
        self._need(service)
        try:
            return self.ctx.at(self.ctx.account, region).call(service, operation, params, caller=self._who)
        except AwsError as error:
            if error.status == 501 or error.code.startswith(("AccessDenied", "UnauthorizedOperation")):
                raise NotAvailable(f"{service}:{operation}: {error.message}") from None
            raise

    def each(
        self, service: str, operation: str, member: str, region: str = HOME, **params: Any
    ) -> Iterator[dict[str, Any]]:
        """Everything that an operation lists, over all its pages."""
        paginator = models.service(service).operations[operation].paginator
        more: dict[str, Any] = {}
        while True:
            page = self.ask(service, operation, region, **params, **more)
            yield from page.get(member) or ()
            if paginator is None or (paginator.more_results and not page.get(paginator.more_results)):
                return
            names = zip(paginator.input_token, paginator.output_token, strict=True)
            more = {name: page[out] for name, out in names if page.get(out)}
            if not more:
                return

    def everywhere(
        self, service: str, operation: str, member: str, **params: Any
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """(region, item) of everything that an operation lists in every region in use."""
        self._need(service)
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

    def records(self, service: str, noun: str, region: str = "") -> list[Record]:
        """Stored records of a service, by their type in IAM; `NotAvailable` when the product has no such service."""
        self._need(service)
        declared = by_noun(service, noun)
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

