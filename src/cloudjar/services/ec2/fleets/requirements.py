"""Attribute-based selection: which instance types meet what is required of them.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-attribute-based-instance-type-selection.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from cloudjar.kit import filters
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.spot import prices
from cloudjar.spec import instance_types

Facts = Mapping[str, Any]
Asked = Mapping[str, Any]
_MAKERS = {"intel": "Intel", "amd": "AMD", "amazon-web-services": "AWS", "apple": "Apple"}
SPOT_PROTECTION, ON_DEMAND_PROTECTION = 100, 20
"""Percent above the cheapest that is still taken, where nothing else was said."""


def matching(region: str, architectures: Iterable[str], virtualization: Iterable[str], asked: Asked) -> list[str]:
    """The types that a region offers and that meet everything, in alphabetical order."""
    _check(asked)
    wanted, kinds = set(architectures), set(virtualization)
    found = []
    for facts in instance_types.all_facts():
        name = facts["InstanceType"]
        fits = wanted & set(facts["ProcessorInfo"]["SupportedArchitectures"])
        fits = fits and kinds & set(facts["SupportedVirtualizationTypes"])
        if fits and meets(facts, asked) and instance_types.offered_in(region, name):
            found.append(name)
    return sorted(found)


def _check(asked: Asked) -> None:
    for name in ("VCpuCount", "MemoryMiB"):
        if (asked.get(name) or {}).get("Min") is None:
            raise errors.missing_one(f"InstanceRequirements.{name}.Min")
    if asked.get("AllowedInstanceTypes") and asked.get("ExcludedInstanceTypes"):
        raise errors.combination("AllowedInstanceTypes and ExcludedInstanceTypes cannot be specified together.")
    if (asked.get("BaselinePerformanceFactors") or {}).get("Cpu"):
        raise errors.not_built("The parameter BaselinePerformanceFactors")
    if asked.get("SpotMaxPricePercentageOverLowestPrice") and asked.get(
        "MaxSpotPriceAsPercentageOfOptimalOnDemandPrice"
    ):
        raise errors.combination(
            "Only one of SpotMaxPricePercentageOverLowestPrice and MaxSpotPriceAsPercentageOfOptimalOnDemandPrice may "
            "be specified."
        )


def meets(facts: Facts, asked: Asked) -> bool:
    """Whether a type meets all requirements but those about its price."""
    return all(test(facts, asked) for test in _TESTS)


def _within(value: float | None, bounds: Mapping[str, Any] | None) -> bool:
    if not bounds or (bounds.get("Min") is None and bounds.get("Max") is None):
        return True
    if value is None:
        return False
    least, most = bounds.get("Min"), bounds.get("Max")
    return (least is None or value >= least) and (most is None or value <= most)


def _named(facts: Facts, asked: Asked) -> bool:
    name = facts["InstanceType"]
    allowed, excluded = asked.get("AllowedInstanceTypes"), asked.get("ExcludedInstanceTypes")
    if allowed and not _admits(allowed, name):
        return False
    return not (excluded and _admits(excluded, name))


def _admits(patterns: list[str], name: str) -> bool:
    return bool(filters.apply([{"Name": "n", "Values": patterns}], {"n": lambda value: value}, [name]))


def _size(facts: Facts, asked: Asked) -> bool:
    vcpus, memory = facts["VCpuInfo"]["DefaultVCpus"], facts["MemoryInfo"]["SizeInMiB"]
    return (
        _within(vcpus, asked.get("VCpuCount"))
        and _within(memory, asked.get("MemoryMiB"))
        and _within(memory / 1024 / vcpus, asked.get("MemoryGiBPerVCpu"))
    )


def _kind(facts: Facts, asked: Asked) -> bool:
    generations = asked.get("InstanceGenerations")
    if generations and ("current" if facts["CurrentGeneration"] else "previous") not in generations:
        return False
    makers = asked.get("CpuManufacturers")
    if makers and facts["ProcessorInfo"].get("Manufacturer") not in {_MAKERS[name] for name in makers}:
        return False
    bare, burst = bool(facts.get("BareMetal")), bool(facts.get("BurstablePerformanceSupported"))
    if asked.get("RequireHibernateSupport") and not facts.get("HibernationSupported"):
        return False
    if asked.get("RequireEncryptionInTransit") and not facts["NetworkInfo"].get("EncryptionInTransitSupported"):
        return False
    return _switch(asked.get("BareMetal") or "excluded", bare) and _switch(
        asked.get("BurstablePerformance") or "excluded", burst
    )


def _switch(wanted: str, has: bool) -> bool:
    return wanted == "included" or has == (wanted == "required")


def _storage(facts: Facts, asked: Asked) -> bool:
    held = facts.get("InstanceStorageInfo") or {}
    if not _switch(asked.get("LocalStorage") or "included", bool(facts.get("InstanceStorageSupported"))):
        return False
    kinds = asked.get("LocalStorageTypes")
    if kinds and held and not {disk.get("Type") for disk in held.get("Disks") or ()} & set(kinds):
        return False
    return _within(held.get("TotalSizeInGB"), asked.get("TotalLocalStorageGB"))


def _speed(facts: Facts, asked: Asked) -> bool:
    network = facts["NetworkInfo"]
    card = (network.get("NetworkCards") or [{}])[0]
    disk = facts["EbsInfo"].get("EbsOptimizedInfo") or {}
    return (
        _within(network.get("MaximumNetworkInterfaces"), asked.get("NetworkInterfaceCount"))
        and _within(card.get("BaselineBandwidthInGbps"), asked.get("NetworkBandwidthGbps"))
        and _within(disk.get("BaselineBandwidthInMbps"), asked.get("BaselineEbsBandwidthMbps"))
    )


_ACCELERATORS = (("gpu", "GpuInfo", "Gpus"), ("fpga", "FpgaInfo", "Fpgas"), ("media", "MediaAcceleratorInfo",
    "Accelerators"), ("inference", "InferenceAcceleratorInfo", "Accelerators"))  # fmt: skip
_ABOUT_ACCELERATORS = ("AcceleratorTypes", "AcceleratorCount", "AcceleratorManufacturers", "AcceleratorNames",
                       "AcceleratorTotalMemoryMiB")  # fmt: skip


def _accelerators(facts: Facts, asked: Asked) -> bool:
    """Without a word about accelerators types with and without them are taken; with `AcceleratorCount` of at most 0
    those without."""
    if not any(asked.get(name) for name in _ABOUT_ACCELERATORS):
        return True
    held = [
        {**one, "Kind": kind, "Memory": (one.get("MemoryInfo") or {}).get("SizeInMiB") or 0}
        for kind, info, many in _ACCELERATORS
        for one in (facts.get(info) or {}).get(many) or ()
    ]
    count = sum(int(one.get("Count") or 0) for one in held)
    if not _within(count, asked.get("AcceleratorCount")):
        return False
    memory = sum(int(one.get("Count") or 0) * int(one["Memory"]) for one in held)
    if not _within(memory, asked.get("AcceleratorTotalMemoryMiB")):
        return False
    return all(
        not asked.get(member) or any(_word(one.get(key)) in asked[member] for one in held)
        for member, key in (
            ("AcceleratorTypes", "Kind"),
            ("AcceleratorManufacturers", "Manufacturer"),
            ("AcceleratorNames", "Name"),
        )
    )


def _word(text: Any) -> str:
    word = str(text or "").lower().replace(" ", "-")
    return {"aws": "amazon-web-services"}.get(word, word)


_TESTS: tuple[Callable[[Facts, Asked], bool], ...] = (_named, _size, _kind, _storage, _speed, _accelerators)


def affordable(region: str, zone_id: str, names: list[str], asked: Asked, *, spot: bool) -> list[str]:
    """Types whose price is not too far above the cheapest one's: price protection. Types without a known price are
    left out where any has one."""
    priced = {
        name: price
        for name in names
        if (price := prices.spot(region, zone_id, name) if spot else prices.on_demand(region, name)) is not None
    }
    if not priced:
        return names
    limit = _limit(region, min(priced.values()), min(priced, key=lambda name: priced[name]), asked, spot=spot)
    return [name for name in names if name in priced and priced[name] <= limit]


def _limit(region: str, least: Decimal, cheapest: str, asked: Asked, *, spot: bool) -> Decimal:
    if not spot:
        over = asked.get("OnDemandMaxPricePercentageOverLowestPrice")
        return least * (100 + (ON_DEMAND_PROTECTION if over is None else int(over))) / 100
    share = asked.get("MaxSpotPriceAsPercentageOfOptimalOnDemandPrice")
    if share is not None:
        return (prices.on_demand(region, cheapest) or least) * int(share) / 100
    over = asked.get("SpotMaxPricePercentageOverLowestPrice")
    return least * (100 + (SPOT_PROTECTION if over is None else int(over))) / 100
