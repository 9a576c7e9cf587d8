"""Which type an instance (or each of a group) should have, and why."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from cloudjar.billing import rightsizing, using
from cloudjar.billing.rightsizing import MONTH, Need, Option, Used
from cloudjar.services.compute_optimizer import savings
from cloudjar.services.compute_optimizer.preferring import Preferred
from cloudjar.services.compute_optimizer.seeing import Seeing
from cloudjar.spec import instance_types

_RISKS = ((0.005, "VeryLow"), (0.05, "Low"), (0.2, "Medium"))
"""The share of the time in which all of the CPUs were busy, and what it is called up to that."""
_RATES = {
    "EBS_READ_OPS_PER_SECOND": "EBSReadOps", "EBS_WRITE_OPS_PER_SECOND": "EBSWriteOps",
    "EBS_READ_BYTES_PER_SECOND": "EBSReadBytes", "EBS_WRITE_BYTES_PER_SECOND": "EBSWriteBytes",
    "NETWORK_IN_BYTES_PER_SECOND": "NetworkIn", "NETWORK_OUT_BYTES_PER_SECOND": "NetworkOut",
    "NETWORK_PACKETS_IN_PER_SECOND": "NetworkPacketsIn", "NETWORK_PACKETS_OUT_PER_SECOND": "NetworkPacketsOut",
}  # fmt: skip


class Verdict(NamedTuple):
    """What is said of a type that a load runs on."""

    kind: str
    load: Used
    wanted: Need
    price: Decimal
    options: list[Option]
    finding: str
    reasons: list[str]

    @property
    def saved(self) -> Decimal:
        """Dollars an hour by the best option."""
        return max(self.price - self.options[0].price, Decimal(0)) if self.options and self.price else Decimal(0)


def judge(seeing: Seeing, kind: str, load: Used, preferred: Preferred, *, arm: bool = False) -> Verdict:
    """Too small, when the load with its headroom does not fit; too large, when it fits into something cheaper that has
    less of something. What memory is used is not known without an agent: then it is never made smaller."""
    region, size = seeing.ctx.region, instance_types.size(kind)
    wanted = rightsizing.need(
        load, kind, percent=preferred.percent, headroom=preferred.headroom, memory_headroom=preferred.memory_headroom
    )
    price, small = using.on_demand(region, kind), not rightsizing.fits(wanted, kind)
    options = rightsizing.options(
        region, kind, wanted, below=None if small else price, arm=arm, allowed=preferred.allows,
        memory_mib=size.memory_mib if small or load.memory is None else 0,
    )  # fmt: skip
    if small:
        reasons = []
        if wanted.memory > size.memory_mib:
            reasons.append("MemoryUnderprovisioned")
        if wanted.cpus > size.vcpus or not reasons:
            reasons.append("CPUUnderprovisioned")
        return Verdict(kind, load, wanted, price, options, "Underprovisioned", reasons)
    reasons = []
    if options:
        best = instance_types.size(options[0].kind)
        reasons += ["CPUOverprovisioned"] if best.vcpus < size.vcpus else []
        reasons += ["MemoryOverprovisioned"] if best.memory_mib < size.memory_mib else []
    return Verdict(kind, load, wanted, price, options, "Overprovisioned" if reasons else "Optimized", reasons)


def risk(load: Used) -> str:
    """How probable it is that a type does not suffice, by how often its CPUs were all busy."""
    share = _busy(load.cpu, 1, 1)
    return next((name for most, name in _RISKS if share <= most), "High")


def _busy(cpu: Sequence[float], old: int, new: int) -> float:
    return sum(one * old >= 99.5 * new for one in cpu) / len(cpu) if cpu else 0.0


def show_option(verdict: Verdict, option: Option, rank: int) -> dict[str, Any]:
    """One of ``recommendationOptions``, but for its configuration."""
    old, new = instance_types.size(verdict.kind), instance_types.size(option.kind)
    projected = [_metric("Cpu", rightsizing.expected(max(verdict.load.cpu, default=0.0), old.vcpus, new.vcpus))]
    if verdict.load.memory:
        memory = rightsizing.expected(max(verdict.load.memory), old.memory_mib, new.memory_mib)
        projected.append(_metric("Memory", memory))
    differences = rightsizing.differences(option.kind, verdict.kind)
    shown = {
        "projectedUtilizationMetrics": projected,
        "platformDifferences": differences,
        "performanceRisk": round(4 * _busy(verdict.load.cpu, old.vcpus, new.vcpus), 2),
        "rank": rank,
        "migrationEffort": "Medium" if "Architecture" in differences else "VeryLow",
    }
    if verdict.price:
        saved = max(verdict.price - option.price, Decimal(0))
        shown["savingsOpportunity"] = savings.opportunity(saved * MONTH, verdict.price * MONTH)
    return shown


def utilization(seeing: Seeing, load: Used, dimension: tuple[str, str], days: int) -> list[dict[str, Any]]:
    """``utilizationMetrics``: what was used at most."""
    found = [_metric("Cpu", max(load.cpu, default=0.0))]
    if load.memory:
        found.append(_metric("Memory", max(load.memory)))
    for name, metric in _RATES.items():
        values = seeing.per_second("AWS/EC2", metric, dimension, days=days)
        if values:
            found.append(_metric(name, max(values.values())))
    return found


def _metric(name: str, value: float) -> dict[str, Any]:
    return {"name": name, "statistic": "Maximum", "value": round(value, 6)}


def is_idle(seeing: Seeing, load: Used, dimension: tuple[str, str]) -> bool:
    """Peaks below 5 % CPU, and less than 5 MB a day by network.

    https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html
    """
    if max(load.cpu, default=100.0) >= _IDLE_CPU:
        return False
    days = max(load.hours / 24, 1.0)
    carried = sum(
        sum(seeing.values("AWS/EC2", name, dimension, "Sum", days=rightsizing.DAYS).values())
        for name in ("NetworkIn", "NetworkOut")
    )
    return carried / days < _IDLE_BYTES


_IDLE_CPU, _IDLE_BYTES = 5.0, 5e6
