"""EC2 instance types: what DescribeInstanceTypes answers, which zones offer them, and burst credits.

https://docs.aws.amazon.com/ec2/latest/instancetypes/
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

_DATA = Path(__file__).with_name("data") / "instance_types"


class UnknownInstanceType(KeyError):
    """EC2 has no such instance type."""


class Size(NamedTuple):
    """What a scheduler and a quota need to know of a type: virtual CPUs and memory in MiB."""

    vcpus: int
    memory_mib: int


class Burst(NamedTuple):
    """CPU credits of a burstable type.

    A credit is one virtual CPU at 100 % for one minute. `earned_per_hour` and `maximum` are for the whole
    instance; `baseline` is the share of each virtual CPU that is sustained (0.1 is 10 %); `launch` credits
    exist on T2 only; `unlimited` is whether new instances may spend surplus credits by default.
    """

    earned_per_hour: float
    maximum: float
    baseline: float
    launch: float
    unlimited: bool


class _Row(msgspec.Struct, array_like=True):
    place: int
    length: int
    vcpus: int
    memory: int


@cache
def _index() -> dict[str, _Row]:
    return msgspec.json.decode((_DATA / "index.json").read_bytes(), type=dict[str, _Row])


def names() -> tuple[str, ...]:
    """Every type's name, in alphabetical order."""
    return tuple(_index())


def exists(name: str) -> bool:
    """Whether EC2 has the type."""
    return name in _index()


def _row(name: str) -> _Row:
    try:
        return _index()[name]
    except KeyError:
        raise UnknownInstanceType(name) from None


def size(name: str) -> Size:
    """Virtual CPUs and memory, without reading the type's facts."""
    row = _row(name)
    return Size(row.vcpus, row.memory)


@cache
def facts(name: str) -> dict[str, Any]:
    """The type as DescribeInstanceTypes answers it; shared, not to be changed. `UnknownInstanceType` if none."""
    row = _row(name)
    with (_DATA / "types.jsonl").open("rb") as file:
        file.seek(row.place)
        found: dict[str, Any] = msgspec.json.decode(file.read(row.length))
    return found


def all_facts() -> Iterator[dict[str, Any]]:
    """Every type as DescribeInstanceTypes answers it, in alphabetical order; read at once, not kept."""
    with (_DATA / "types.jsonl").open("rb") as file:
        for line in file:
            yield msgspec.json.decode(line)


@cache
def _offerings() -> dict[str, dict[str, list[int]]]:
    raw = (_DATA / "offerings.json").read_bytes()
    return msgspec.json.decode(raw, type=dict[str, dict[str, list[int]]])


@cache
def offered(region: str) -> dict[str, frozenset[str]]:
    """Zone id -> the types that it offers. Empty where it is not known: the newest regions."""
    order = names()
    return {
        zone: frozenset(
            order[i] for first, count in zip(r[::2], r[1::2], strict=True) for i in range(first, first + count)
        )
        for zone, r in _offerings().get(region, {}).items()
    }


def offered_in(region: str, name: str) -> bool:
    """Whether any zone of a region offers the type; where offerings are unknown, every current type is."""
    zones = offered(region)
    if zones:
        return any(name in types for types in zones.values())
    return exists(name) and bool(facts(name)["CurrentGeneration"])


# Credits per hour and share of a CPU, by size; T2 differs in its smallest, T3a and T4g are as T3.
_T3 = {"nano": (6, 0.05), "micro": (12, 0.1), "small": (24, 0.2), "medium": (24, 0.2), "large": (36, 0.3),
       "xlarge": (96, 0.4), "2xlarge": (192, 0.4)}  # fmt: skip
_T2 = {"nano": (3, 0.05), "micro": (6, 0.1), "small": (12, 0.2), "medium": (24, 0.2), "large": (36, 0.3),
       "xlarge": (54, 0.225), "2xlarge": (81.6, 0.17)}  # fmt: skip


def burst(name: str) -> Burst | None:
    """CPU credits of a burstable type; None for the others."""
    family, _, kind = name.partition(".")
    if family == "t2" and kind in _T2:
        hourly, share = _T2[kind]
        return Burst(hourly, round(hourly * 24, 1), share, 30.0 * size(name).vcpus, unlimited=False)
    if family in ("t3", "t3a", "t4g") and kind in _T3:
        hourly, share = _T3[kind]
        return Burst(hourly, hourly * 24, share, 0.0, unlimited=True)
    return None


# First letters of a family -> the quota code (service ec2) that counts its running virtual CPUs.
_ON_DEMAND = (("u-", "L-43DA4232"), ("u7", "L-43DA4232"), ("hpc", "L-F7808C92"), ("dl", "L-6E869C2A"),
              ("inf", "L-1945791B"), ("trn", "L-2C3B7624"), ("vt", "L-DB2E81BA"), ("mac", None),
              ("f", "L-74FC7D96"), ("g", "L-DB2E81BA"), ("p", "L-417A185B"), ("x", "L-7295265B"))  # fmt: skip
STANDARD = "L-1216C47A"


def vcpu_quota(name: str) -> str | None:
    """The ec2 quota that the running on-demand vCPUs of a type count against; None for dedicated hosts' types."""
    family = name.partition(".")[0]
    return next((code for start, code in _ON_DEMAND if family.startswith(start)), STANDARD)


_SPOT = (("dl", "L-85EED4F7"), ("inf", "L-B5D1601B"), ("trn", "L-6B0D517C"), ("vt", "L-3819A6DF"),
         ("f", "L-88CF9481"), ("g", "L-3819A6DF"), ("p5", "L-C4BD4855"), ("p", "L-7212CCBC"),
         ("x", "L-E3A00192"), ("u-", None), ("u7", None), ("hpc", None), ("mac", None))  # fmt: skip
STANDARD_SPOT = "L-34B43A08"


def spot_quota(name: str) -> str | None:
    """The ec2 quota that the vCPUs of a type's spot instances and open requests count against; None where there is
    no spot capacity of it."""
    family = name.partition(".")[0]
    return next((code for start, code in _SPOT if family.startswith(start)), STANDARD_SPOT)
