"""Recommendations for instances that do little: end them, or take a smaller type.

An instance that never used more than one percent of its CPUs in fourteen days is to be ended; another one is to become
the cheapest type into which its peak fits (with a fifth of headroom), where that costs less.

https://docs.aws.amazon.com/cost-management/latest/userguide/ce-rightsizing.html
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from cloudjar.billing import dimensions, rightsizing, using
from cloudjar.billing.measured import COVERED, RESERVED, USAGE, ZERO, Line
from cloudjar.billing.rightsizing import MONTH, Option, Used
from cloudjar.kit.usage import Usage
from cloudjar.services.ce import errors
from cloudjar.services.ce.asking import Asking, amount, asks
from cloudjar.services.ce.reservation_advice import metadata
from cloudjar.spec import instance_types

SERVICE = "AmazonEC2"
IDLE = 1.0
"""Percent of its CPUs that an idle instance never exceeds."""
_KINDS = {"TERMINATE": "Terminate", "MODIFY": "Modify"}


class Ran(NamedTuple):
    """An instance that runs, and its hours in the days looked at by what paid for them."""

    line: Line
    hours: dict[str, Decimal]
    load: Used

    @property
    def kind(self) -> str:
        """Its type."""
        return dimensions.instance_type(self.line)

    @property
    def rate(self) -> Decimal:
        """Dollars an hour on demand."""
        return using.on_demand(self.line.region, self.kind)

    @property
    def peak(self) -> float:
        """Percent of its CPUs, at most."""
        return rightsizing.percentile(self.load.cpu, 100)

    @property
    def total(self) -> Decimal:
        return sum(self.hours.values(), ZERO)


class Advice(NamedTuple):
    """What should become of one; no targets: it should be ended. `share` of its hours is what it pays on demand, of
    which alone something can be saved."""

    ran: Ran
    targets: list[Option]
    share: Decimal

    @property
    def monthly(self) -> Decimal:
        return self.ran.rate * MONTH * self.share

    @property
    def saved(self) -> Decimal:
        """Dollars a month, by the best."""
        return self.saved_by(self.targets[0]) if self.targets else self.monthly

    def saved_by(self, target: Option) -> Decimal:
        """Dollars a month."""
        return (self.ran.rate - target.price) * MONTH * self.share


@asks("GetRightsizingRecommendation")
def get_rightsizing_recommendation(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """Instances that are idle or too large, those first by which most is saved."""
    if req["Service"] != SERVICE:
        raise errors.invalid(f"Service {req['Service']} is not supported: choose from ['{SERVICE}']")
    how = req.get("Configuration") or {"RecommendationTarget": "SAME_INSTANCE_FAMILY", "BenefitsConsidered": False}
    keep, wanted = _filter(asking, req.get("Filter"))
    found = [
        advice
        for ran in _running(asking, keep)
        if (advice := _advice(ran, how)) is not None and _type(advice) in wanted
    ]
    found.sort(key=lambda one: (-one.saved, one.ran.line.resource))
    about = {**metadata(asking), "AdditionalMetadata": f"Usage of the last {rightsizing.DAYS} days"}
    shown = [_shown(one, asking.active) for one in found]
    return {
        "Metadata": about, "Summary": _summary(found), "Configuration": how, "RightsizingRecommendations": shown,
    }  # fmt: skip


def _filter(asking: Asking, given: dict[str, Any] | None) -> tuple[Any, frozenset[str]]:
    """Which lines, and which kinds of recommendations: RIGHTSIZING_TYPE is no line's dimension."""
    parts = (given or {}).get("And") or ([given] if given else [])
    kinds, rest = frozenset(_KINDS), []
    for part in parts:
        named = part.get("Dimensions") or {}
        if named.get("Key") == "RIGHTSIZING_TYPE":
            kinds &= frozenset(value.upper() for value in named.get("Values") or ())
        else:
            rest.append(part)
    left = None if not rest else rest[0] if len(rest) == 1 else {"And": rest}
    return asking.keep(left), kinds


def _running(asking: Asking, keep: Any) -> Iterator[Ran]:
    """Instances that run now, whom who asks may see, and that were measured for long enough."""
    end = asking.now.replace(minute=0, second=0, microsecond=0)
    start = end - timedelta(days=rightsizing.DAYS)
    usage: Usage = asking.ctx.world.ports["usage"]
    up = {
        (span.account, span.region, span.resource): span.meter.usage_type
        for span in usage.spans(asking.now, asking.now + timedelta(seconds=1))
        if span.end is None and span.meter.service == SERVICE and span.meter.usage_type.startswith("BoxUsage:")
    }
    for line, hours in _hours(asking, keep, up).items():
        load = rightsizing.used(
            asking.ctx.world, line.account, line.region, line.resource, start.timestamp(), end.timestamp()
        )
        if load.enough:
            yield Ran(line, hours, load)


def _hours(
    asking: Asking, keep: Any, up: dict[tuple[str, str, str], str]
) -> dict[Line, dict[str, Decimal]]:
    """Hours of each instance that is up (as what its last line says) by kind of line, over the days that are over and
    today."""
    today = asking.now.replace(hour=0, minute=0, second=0, microsecond=0)

    def kept(line: Line) -> bool:
        return up.get((line.account, line.region, line.resource)) == line.usage_type and keep(line)

    _, groups = asking.ledger.sums(
        today - timedelta(days=rightsizing.DAYS), today + timedelta(days=1), "MONTHLY", keep=kept,
        key=lambda line: line._replace(commitment=""), resources=True,
    )  # fmt: skip
    found: dict[tuple[str, str, str], tuple[Line, dict[str, Decimal]]] = {}
    for line, group in groups.items():
        if line.kind not in (USAGE, RESERVED, COVERED):
            continue
        _, sums = found.get((line.account, line.region, line.resource)) or (line, {})
        sums[line.kind] = sums.get(line.kind, ZERO) + sum(group.usage, ZERO)
        found[line.account, line.region, line.resource] = (line, sums)
    return dict(found.values())


def _advice(ran: Ran, how: dict[str, Any]) -> Advice | None:
    share = Decimal(1)
    if how["BenefitsConsidered"] and ran.total:
        share = ran.hours.get(USAGE, ZERO) / ran.total
    if not ran.rate or not share:
        return None
    if ran.peak <= IDLE:
        return Advice(ran, [], share)
    targets = rightsizing.options(
        ran.line.region, ran.kind, rightsizing.need(ran.load, ran.kind), below=ran.rate,
        family=how["RecommendationTarget"] == "SAME_INSTANCE_FAMILY",
    )  # fmt: skip
    return Advice(ran, targets, share) if targets else None


def _type(advice: Advice) -> str:
    return "MODIFY" if advice.targets else "TERMINATE"


def _shown(advice: Advice, active: Container[str]) -> dict[str, Any]:
    ran = advice.ran
    shown: dict[str, Any] = {
        "AccountId": ran.line.account,
        "CurrentInstance": {
            "ResourceId": ran.line.resource,
            "InstanceName": dict(ran.line.tags).get("Name", ""),
            "Tags": [{"Key": key, "Values": [value]} for key, value in ran.line.tags if key in active],
            "ResourceDetails": _details(ran.kind, ran.line.region, ran.rate),
            "ResourceUtilization": _utilization(ran, ran.kind),
            "ReservationCoveredHoursInLookbackPeriod": amount(ran.hours.get(RESERVED, ZERO)),
            "SavingsPlansCoveredHoursInLookbackPeriod": amount(ran.hours.get(COVERED, ZERO)),
            "OnDemandHoursInLookbackPeriod": amount(ran.hours.get(USAGE, ZERO)),
            "TotalRunningHoursInLookbackPeriod": amount(ran.total),
            "MonthlyCost": amount(advice.monthly),
            "CurrencyCode": "USD",
        },
        "RightsizingType": _type(advice),
    }
    if not advice.targets:
        detail = {"EstimatedMonthlySavings": amount(advice.saved), "CurrencyCode": "USD"}
        return {**shown, "TerminateRecommendationDetail": detail}
    targets = [_target(advice, target, first=not place) for place, target in enumerate(advice.targets)]
    reasons = ["CPU_OVER_PROVISIONED"]
    if ran.load.memory is not None and _smaller(advice):
        reasons.append("MEMORY_OVER_PROVISIONED")
    return {**shown, "ModifyRecommendationDetail": {"TargetInstances": targets}, "FindingReasonCodes": reasons}


def _smaller(advice: Advice) -> bool:
    then, now = (instance_types.size(kind).memory_mib for kind in (advice.targets[0].kind, advice.ran.kind))
    return then < now


def _target(advice: Advice, target: Option, *, first: bool) -> dict[str, Any]:
    names = {"Hypervisor": "HYPERVISOR", "NetworkInterface": "NETWORK_INTERFACE",
             "StorageInterface": "STORAGE_INTERFACE", "InstanceStoreAvailability": "INSTANCE_STORE_AVAILABILITY",
             "VirtualizationType": "VIRTUALIZATION_TYPE"}  # fmt: skip
    found = rightsizing.differences(target.kind, advice.ran.kind)
    return {
        "EstimatedMonthlyCost": amount(target.price * MONTH * advice.share),
        "EstimatedMonthlySavings": amount(advice.saved_by(target)),
        "CurrencyCode": "USD",
        "DefaultTargetInstance": first,
        "ResourceDetails": _details(target.kind, advice.ran.line.region, target.price),
        "ExpectedResourceUtilization": _utilization(advice.ran, target.kind),
        "PlatformDifferences": [names[one] for one in found if one in names],
    }


def _details(kind: str, region: str, price: Decimal) -> dict[str, Any]:
    facts, size = instance_types.facts(kind), instance_types.size(kind)
    disks = facts.get("InstanceStorageInfo") or {}
    return {"EC2ResourceDetails": {
        "HourlyOnDemandRate": amount(price),
        "InstanceType": kind,
        "Platform": "Linux/UNIX",
        "Region": region,
        "Memory": f"{amount(Decimal(size.memory_mib) / 1024)} GiB",
        "NetworkPerformance": facts["NetworkInfo"]["NetworkPerformance"],
        "Storage": f"{disks['TotalSizeInGB']} GB" if disks else "EBS only",
        "Vcpu": str(size.vcpus),
    }}  # fmt: skip


def _utilization(ran: Ran, kind: str) -> dict[str, Any]:
    """Percent at the peak, of what a type has."""
    old, new = instance_types.size(ran.kind), instance_types.size(kind)
    shown = {"MaxCpuUtilizationPercentage": _percent(rightsizing.expected(ran.peak, old.vcpus, new.vcpus))}
    if ran.load.memory is not None:
        peak = rightsizing.percentile(ran.load.memory, 100)
        memory = rightsizing.expected(peak, old.memory_mib, new.memory_mib)
        shown["MaxMemoryUtilizationPercentage"] = _percent(memory)
    return {"EC2ResourceUtilization": shown}


def _percent(value: float) -> str:
    return amount(Decimal(value))


def _summary(found: list[Advice]) -> dict[str, str]:
    saved = sum((one.saved for one in found), ZERO)
    spent = sum((one.monthly for one in found), ZERO)
    return {
        "TotalRecommendationCount": str(len(found)),
        "EstimatedTotalMonthlySavingsAmount": amount(saved),
        "SavingsCurrencyCode": "USD",
        "SavingsPercentage": amount(using.percent(saved, spent)),
    }
