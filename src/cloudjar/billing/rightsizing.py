"""What an instance used, and which types would do for it: for Cost Explorer and Compute Optimizer, which ask alike.

AWS judges by models that it does not publish. Here it is plain arithmetic: what was used at the peak (or a percentile
of the peaks of five minutes), with headroom, has to fit into what a type has.

https://docs.aws.amazon.com/cost-management/latest/userguide/ce-rightsizing.html
https://docs.aws.amazon.com/compute-optimizer/latest/ug/requirements.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import cache
from itertools import islice
from math import ceil
from typing import Any, NamedTuple

from cloudjar.billing import using
from cloudjar.kit import metrics
from cloudjar.kit.context import World
from cloudjar.kit.metrics import Metric
from cloudjar.spec import instance_types
from cloudjar.spec.instance_types import Size

NEEDED_HOURS = 30
"""Hours with measurements of which a recommendation can be made."""
DAYS = 14
"""Days that are looked at."""
MONTH = Decimal(730)
"""Hours of a month in estimates."""
MOST = 3
"""Types that are proposed for one instance."""
_STEP = 300
_MEMORY = (
    ("CWAgent", "mem_used_percent"), ("CWAgent", "Memory % Committed Bytes In Use"),
    ("System/Linux", "MemoryUtilization"), ("System/Windows", "MemoryUtilization"),
)  # fmt: skip
"""What agents call the share of memory that is used.

https://docs.aws.amazon.com/compute-optimizer/latest/ug/metrics.html
"""
_EXTRAS = ("GpuInfo", "FpgaInfo", "InferenceAcceleratorInfo", "NeuronInfo", "MediaAcceleratorInfo")


class Used(NamedTuple):
    """What an instance used: CPU and memory (None: not measured) in percent of what it has, peak by peak of five
    minutes; its mean CPU; the hours in which it was measured."""

    cpu: tuple[float, ...]
    mean: float
    memory: tuple[float, ...] | None
    hours: int

    @property
    def enough(self) -> bool:
        """Whether that suffices for a recommendation."""
        return self.hours >= NEEDED_HOURS


class Need(NamedTuple):
    """What has to fit: virtual CPUs at the peak and on average, and MiB of memory."""

    cpus: float
    mean: float
    memory: float


def used(
    world: World, account: str, region: str, instance: str, start: float, stop: float, *, named: str = "InstanceId"
) -> Used:
    """What an instance used in [start, stop), Unix seconds that are whole five minutes; all instances of a group, when
    that is what the dimension `named` names."""
    metric = Metric("AWS/EC2", "CPUUtilization", ((named, instance),))
    cpu = metrics.values(world, account, region, metric, "Maximum", period=_STEP, start=start, stop=stop)
    mean = metrics.values(world, account, region, metric, "Average", period=_STEP, start=start, stop=stop)
    memory = _memory(world, account, region, (named, instance), start, stop)
    hours = len({int(at) // 3600 for at in cpu})
    return Used(tuple(cpu.values()), sum(mean.values()) / len(mean) if mean else 0.0, memory, hours)


def _memory(
    world: World, account: str, region: str, named: tuple[str, str], start: float, stop: float
) -> tuple[float, ...] | None:
    """Of the first of the agents' metrics that has the dimension; it may have more beside it."""
    for namespace, name in _MEMORY:
        for series in metrics.points(world).listed(
            account, region, namespace=namespace, name=name, dimensions=[named], since=start,
            after=None, limit=1,
        ):  # fmt: skip
            metric = Metric(namespace, name, series.dimensions)
            found = metrics.values(world, account, region, metric, "Maximum", period=_STEP, start=start, stop=stop)
            if found:
                return tuple(found.values())
    return None


def percentile(values: Iterable[float], percent: float) -> float:
    """The value that so many percent of them do not exceed; 100: the greatest. 0 of nothing."""
    ranked = sorted(values)
    return ranked[max(ceil(len(ranked) * percent / 100) - 1, 0)] if ranked else 0.0


def need(load: Used, kind: str, *, percent: float = 100, headroom: float = 0.2, memory_headroom: float = 0.2) -> Need:
    """What has to fit for a load of an instance of a type. Memory that nobody measured counts as 0."""
    size = instance_types.size(kind)
    cpus = percentile(load.cpu, percent) / 100 * size.vcpus * (1 + headroom)
    memory = percentile(load.memory or (), 100) / 100 * size.memory_mib * (1 + memory_headroom)
    return Need(cpus, load.mean / 100 * size.vcpus, memory)


def fits(wanted: Need, kind: str) -> bool:
    """Whether a type has enough; a burstable one must earn on average what is used on average."""
    size, burst = instance_types.size(kind), instance_types.burst(kind)
    if wanted.cpus > size.vcpus or wanted.memory > size.memory_mib:
        return False
    return burst is None or wanted.mean <= burst.baseline * size.vcpus


class Option(NamedTuple):
    """A type that would do, with its dollars an hour."""

    kind: str
    price: Decimal


def options(
    region: str, kind: str, wanted: Need, *, below: Decimal | None, family: bool = False, arm: bool = False,
    memory_mib: int = 0, allowed: Callable[[str], bool] = lambda _: True, most: int = MOST,
) -> list[Option]:  # fmt: skip
    """Other types that would do, the cheapest first: `below` so many dollars an hour, of the same `family` alone, of
    ARM's architecture, with at least `memory_mib`, `allowed` by name. None of those of which no price is known."""
    found = _candidates(region, kind, wanted, below, family=family, arm=arm, memory_mib=memory_mib)
    return list(islice((one for one in found if allowed(one.kind)), most))


def _candidates(
    region: str, kind: str, wanted: Need, below: Decimal | None, *, family: bool, arm: bool, memory_mib: int
) -> Iterator[Option]:
    own = kind.partition(".")[0]
    for option in _priced(region):
        if below is not None and option.price >= below:
            return
        same = option.kind.partition(".")[0] == own
        size: Size = instance_types.size(option.kind)
        if option.kind == kind or size.memory_mib < memory_mib or (family and not same):
            continue
        if fits(wanted, option.kind) and _replaces(option.kind, kind, arm=arm, same=same):
            yield option


@cache
def _priced(region: str) -> tuple[Option, ...]:
    """Every type that a region offers and of which a price is known, the cheapest first."""
    found = [
        Option(kind, price)
        for kind in instance_types.names()
        if (price := using.on_demand(region, kind)) and instance_types.offered_in(region, kind)
    ]
    return tuple(sorted(found, key=lambda one: (one.price, one.kind)))


def _replaces(new: str, old: str, *, arm: bool, same: bool) -> bool:
    """Whether what ran on one type can run on another: of this generation (or the same family), with as special
    hardware, and disks of its own where the old one had some."""
    then, now = instance_types.facts(new), instance_types.facts(old)
    architectures = {"arm64"} if arm else set(now["ProcessorInfo"]["SupportedArchitectures"])
    return (
        bool(architectures & set(then["ProcessorInfo"]["SupportedArchitectures"]))
        and (same or bool(then.get("CurrentGeneration")))
        and not (then.get("BareMetal") and not now.get("BareMetal"))
        and all(bool(then.get(name)) == bool(now.get(name)) for name in _EXTRAS)
        and bool(then.get("InstanceStorageSupported") or not now.get("InstanceStorageSupported"))
    )


def differences(new: str, old: str) -> list[str]:
    """How platforms differ, in Compute Optimizer's words."""
    then, now = instance_types.facts(new), instance_types.facts(old)

    def differs(*path: str) -> bool:
        return bool(_at(then, path) != _at(now, path))

    found = {
        "Hypervisor": differs("Hypervisor"),
        "NetworkInterface": differs("NetworkInfo", "EnaSupport"),
        "StorageInterface": differs("EbsInfo", "NvmeSupport"),
        "InstanceStoreAvailability": differs("InstanceStorageSupported"),
        "VirtualizationType": differs("SupportedVirtualizationTypes"),
        "Architecture": differs("ProcessorInfo", "SupportedArchitectures"),
    }
    return [name for name, yes in found.items() if yes]


def _at(facts: dict[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = facts
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def expected(peak: float, old: int, new: int) -> float:
    """What a percentage of so much is of so much else."""
    return min(peak * old / new, 100.0) if new else 0.0
