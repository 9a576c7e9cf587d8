"""Reservations: how much of them was used, and how much usage they covered.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetReservationUtilization.html
https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetReservationCoverage.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from cloudjar.billing import dimensions, using
from cloudjar.billing.covering import flexible, worth
from cloudjar.billing.ledger import Period
from cloudjar.billing.measured import RESERVED, ZERO
from cloudjar.billing.using import Used, percent
from cloudjar.kit.commitments import Commitment
from cloudjar.services.ce import commitments, errors, periods
from cloudjar.services.ce.asking import Asking, amount, asks

_GROUPS = {
    "AZ": "availabilityZone", "INSTANCE_TYPE": "instanceType", "LINKED_ACCOUNT": "linkedAccount",
    "PLATFORM": "platform", "REGION": "region", "TENANCY": "tenancy",
}  # fmt: skip
_RDS = "Amazon Relational Database Service"
_METRICS = {"Hour": "CoverageHours", "Unit": "CoverageNormalizedUnits", "Cost": "CoverageCost"}


@asks("GetReservationUtilization")
def get_reservation_utilization(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """Hours bought, used and not; what they saved. By subscription, or by period."""
    groups = list(req.get("GroupBy") or ())
    if groups and req.get("Granularity"):
        raise errors.invalid("GroupBy and Granularity cannot both be set.")
    if groups and [group.get("Key") for group in groups] != ["SUBSCRIPTION_ID"]:
        raise errors.invalid("Utilization can be grouped by SUBSCRIPTION_ID alone.")
    start, end, step, whole = commitments.span(req, asking.now)
    deals = commitments.mine(asking, start, end, reserved=True, keep=req.get("Filter"))
    found = commitments.used(asking, start, end, step, deals, whole=whole)
    shown = []
    for index, period in enumerate(found.periods):
        held = [_group(asking, found.deals[arn], column[index]) for arn, column in found.used.items()] if groups else []
        shown.append({
            "TimePeriod": periods.shown(period, step),
            "Groups": commitments.ordered(req, held, "Utilization"),
            "Total": _aggregates(found.total(index)),
        })  # fmt: skip
    answer = {"UtilizationsByTime": shown if deals else [], "Total": _aggregates(found.total())}
    if groups and answer["UtilizationsByTime"]:
        (only,) = shown
        return {**answer, **_paged("GetReservationUtilization", req, only, answer, "UtilizationsByTime")}
    return commitments.cut("GetReservationUtilization", req, "UtilizationsByTime", answer)


def _paged(
    operation: str, req: Mapping[str, Any], only: dict[str, Any], answer: Mapping[str, Any], member: str
) -> dict[str, Any]:
    """A page of the groups of the only period."""
    page = commitments.cut(operation, req, "Groups", {"Groups": only["Groups"]})
    token = {"NextPageToken": page["NextPageToken"]} if "NextPageToken" in page else {}
    return {**answer, member: [{**only, "Groups": page["Groups"]}], **token}


def _aggregates(used: Used) -> dict[str, str]:
    fee = used.recurring + used.upfront
    spent = fee - used.unused
    figures = {
        "UtilizationPercentage": percent(used.used, used.hours),
        "UtilizationPercentageInUnits": percent(used.used_units, used.units),
        "PurchasedHours": used.hours,
        "PurchasedUnits": used.units,
        "TotalActualHours": used.used,
        "TotalActualUnits": used.used_units,
        "UnusedHours": used.hours - used.used,
        "UnusedUnits": used.units - used.used_units,
        "OnDemandCostOfRIHoursUsed": used.on_demand,
        "NetRISavings": used.on_demand - fee,
        "TotalPotentialRISavings": used.all_on_demand - fee,
        "AmortizedUpfrontFee": used.upfront,
        "AmortizedRecurringFee": used.recurring,
        "TotalAmortizedFee": fee,
        "RICostForUnusedHours": used.unused,
        "RealizedSavings": used.on_demand - spent,
        "UnrealizedSavings": used.all_on_demand - fee - (used.on_demand - spent),
    }
    return {name: amount(value) for name, value in figures.items()}


def _group(asking: Asking, deal: Commitment, used: Used) -> dict[str, Any]:
    terms, about = deal.terms, using.about(deal)
    each = worth(deal) / terms.count
    attributes = {
        "accountId": deal.account,
        "accountName": asking.account_name(deal.account),
        "availabilityZone": about.zone,
        "effectiveHourlyRate": amount(each),
        "endDateTime": f"{terms.end:%Y-%m-%dT%H:%M:%S.000Z}",
        "hourlyRecurringFee": amount(terms.hourly / terms.count),
        "instanceType": terms.type.partition(":")[0],
        "leaseId": deal.resource,
        "numberOfInstances": str(terms.count),
        "offeringType": terms.cls.capitalize(),
        "onDemandHourlyRate": amount(using.own_rate(terms)),
        "paymentOption": terms.option,
        "platform": "Linux/UNIX" if about.service == "AmazonEC2" else "",
        "region": terms.region,
        "reservationARN": terms.arn,
        "scope": "Availability Zone" if terms.zone else "Region",
        "service": dimensions.EC2_COMPUTE if about.service == "AmazonEC2" else dimensions.service(about),
        "sizeFlexibility": "FlexRI" if flexible(terms.type) and not terms.zone else "Not FlexRI",
        "startDateTime": f"{terms.start:%Y-%m-%dT%H:%M:%S.000Z}",
        "subscriptionId": deal.resource,
        "subscriptionStatus": "Active" if deal.stop is None and terms.end > asking.now else "Expired",
        "subscriptionType": terms.option,
        "upfrontFee": amount(terms.upfront / terms.count),
    }
    return {"Key": "SubscriptionId", "Value": deal.resource, "Attributes": attributes, "Utilization": _aggregates(used)}


class Covered(NamedTuple):
    """Hours, normalized units and dollars on demand, and hours and units that were reserved."""

    hours: Decimal = ZERO
    reserved: Decimal = ZERO
    units: Decimal = ZERO
    reserved_units: Decimal = ZERO
    cost: Decimal = ZERO

    def plus(self, other: Covered) -> Covered:
        """The sum."""
        return Covered(*(one + more for one, more in zip(self, other, strict=True)))

    def shown(self, metrics: Sequence[str]) -> dict[str, Any]:
        """AWS's Coverage."""
        whole, units = self.hours + self.reserved, self.units + self.reserved_units
        found = {
            "CoverageHours": {
                "OnDemandHours": amount(self.hours),
                "ReservedHours": amount(self.reserved),
                "TotalRunningHours": amount(whole),
                "CoverageHoursPercentage": amount(percent(self.reserved, whole)),
            },
            "CoverageNormalizedUnits": {
                "OnDemandNormalizedUnits": amount(self.units),
                "ReservedNormalizedUnits": amount(self.reserved_units),
                "TotalRunningNormalizedUnits": amount(units),
                "CoverageNormalizedUnitsPercentage": amount(percent(self.reserved_units, units)),
            },
            "CoverageCost": {"OnDemandCost": amount(self.cost)},
        }
        return {name: found[name] for name in (metrics or found)}


@asks("GetReservationCoverage")
def get_reservation_coverage(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """Instance hours that were reserved, of all; by at most some dimensions."""
    start, end, step, whole = commitments.span(req, asking.now)
    metrics = [_METRICS.get(name) or "" for name in req.get("Metrics") or ()]
    if "" in metrics:
        raise errors.invalid(f"Metrics are {sorted(_METRICS)}")
    keys = [group.get("Key") or "" for group in req.get("GroupBy") or ()]
    if any(key not in _GROUPS for key in keys):
        raise errors.invalid(f"Coverage can be grouped by {sorted(_GROUPS)}")
    names = [asking.naming({"Type": "DIMENSION", "Key": key}) for key in keys]
    wanted = asking.keep(req.get("Filter"))
    service = _service(req.get("Filter"))
    spans, groups = asking.ledger.sums(
        start, end, step, keep=lambda line: using.reservable(line, service) and wanted(line),
        key=lambda line: (tuple(name(line) for name in names), line.kind == RESERVED, dimensions.normalized(line)),
    )  # fmt: skip
    found: dict[tuple[str, ...], list[Covered]] = {}
    for (name, reserved, factor), group in groups.items():
        column = found.setdefault(name, [Covered()] * len(spans))
        for index in range(len(spans)):
            column[index] = column[index].plus(_covered(group.usage[index], group.unblended[index], factor, reserved))
    if whole:
        spans, found = [Period(start, end)], {name: [_sum(column)] for name, column in found.items()}
    shown = [
        {
            "TimePeriod": periods.shown(period, step),
            "Groups": _groups(req, keys, found, index, metrics) if keys else [],
            "Total": _sum(column[index] for column in found.values()).shown(metrics),
        }
        for index, period in enumerate(spans)
    ]
    total = _sum(one for column in found.values() for one in column).shown(metrics)
    answer = {"CoveragesByTime": shown, "Total": total}
    if keys and len(shown) == 1:
        return _paged("GetReservationCoverage", req, shown[0], answer, "CoveragesByTime")
    return commitments.cut("GetReservationCoverage", req, "CoveragesByTime", answer)


def _service(expression: Mapping[str, Any] | None) -> str:
    """Of which service coverage is asked for: EC2, unless a filter names RDS."""
    for part in ((expression or {}).get("And") or [expression or {}]):
        named = part.get("Dimensions") or {}
        if named.get("Key") == "SERVICE" and _RDS in (named.get("Values") or ()):
            return "AmazonRDS"
    return "AmazonEC2"


def _covered(usage: Decimal, cost: Decimal, factor: Decimal, reserved: bool) -> Covered:
    if reserved:
        return Covered(reserved=usage, reserved_units=usage * factor)
    return Covered(hours=usage, units=usage * factor, cost=cost)


def _sum(column: Any) -> Covered:
    sums = Covered()
    for one in column:
        sums = sums.plus(one)
    return sums


def _groups(
    req: Mapping[str, Any], keys: list[str], found: Mapping[tuple[str, ...], list[Covered]], index: int,
    metrics: list[str],
) -> list[dict[str, Any]]:  # fmt: skip
    shown = [
        {
            "Attributes": {_GROUPS[key]: value for key, value in zip(keys, names, strict=True)},
            "Coverage": column[index].shown(metrics),
        }
        for names, column in sorted(found.items())
    ]
    return commitments.ordered(req, shown, "Coverage")
