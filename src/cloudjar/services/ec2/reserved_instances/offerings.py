"""What is on offer: every type with a known price, for a Region or a zone, in two classes, two terms, three payments.

Prices are shares of on-demand (`spec.shares`); there is no marketplace. An offering's id says what it is, so that it is
the same whenever it is asked for.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ri-market-concepts-buying.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cache, lru_cache
from hashlib import sha256
from typing import NamedTuple

from cloudjar.services.ec2.spot.prices import on_demand
from cloudjar.spec import instance_types, regions, shares

PRODUCT = "Linux/UNIX"
CLASSES = ("standard", "convertible")
OPTIONS = (shares.NO_UPFRONT, shares.PARTIAL_UPFRONT, shares.ALL_UPFRONT)
YEARS = (1, 3)
YEAR = 31_536_000
priced = shares.priced


class Offering(NamedTuple):
    """`zone` is "" for the whole Region; `fixed` is paid at once, `hourly` every hour, per instance, in dollars."""

    id: str
    kind: str
    zone: str
    cls: str
    option: str
    years: int
    fixed: Decimal
    hourly: Decimal

    @property
    def seconds(self) -> int:
        """The length of the term."""
        return self.years * YEAR

    @property
    def hours(self) -> int:
        """The same in hours."""
        return self.seconds // 3600


@cache
def _numbers() -> dict[str, int]:
    return {name: number for number, name in enumerate(instance_types.names())}


def offerings(region: str, account: str, kinds: Iterable[str] | None = None) -> Iterator[Offering]:
    """All that is on offer in a region to an account, which names zones its own way."""
    zones = regions.zones(region, account)
    offered = instance_types.offered(region)
    for kind in sorted(kinds if kinds is not None else instance_types.names()):
        if not instance_types.exists(kind) or on_demand(region, kind) is None:
            continue
        places = [zone for zone in zones if kind in offered.get(zone.id, frozenset((kind,)))]
        for zone in [None, *places] if places else []:
            for cls in CLASSES:
                for years in YEARS:
                    for option in OPTIONS:
                        yield _offering(region, kind, zone, cls, years, option)


@lru_cache(4)
def every_offering(region: str, account: str) -> tuple[Offering, ...]:
    """All of `offerings`, remembered."""
    return tuple(offerings(region, account))


def _offering(region: str, kind: str, zone: regions.Zone | None, cls: str, years: int, option: str) -> Offering:
    fixed, hourly = priced(on_demand(region, kind) or Decimal(0), shares.RESERVED[cls][years][option], years, option)
    key = _id(region, kind, zone.id if zone is not None else "", cls, years, option)
    return Offering(key, kind, zone.name if zone is not None else "", cls, option, years, fixed, hourly)


def _id(region: str, kind: str, zone_id: str, cls: str, years: int, option: str) -> str:
    """A UUID whose beginning says what is offered: the type's number, the zone's, class, term and payment."""
    zone = int(zone_id.rpartition("az")[2]) if zone_id else 0
    head = f"{_numbers()[kind]:04x}{zone:x}{CLASSES.index(cls):x}{years:x}{OPTIONS.index(option):x}"
    tail = sha256(f"{region} {kind} {head}".encode()).hexdigest()[:24]
    return f"{head}-{tail[:4]}-{tail[4:8]}-{tail[8:12]}-{tail[12:]}"


def offering(region: str, account: str, key: str) -> Offering | None:
    """The offering with an id; None when there is none."""
    head = key.partition("-")[0]
    try:
        number = int(head[:4], 16)
    except ValueError:
        return None
    names = instance_types.names()
    if len(head) != 8 or number >= len(names):
        return None
    return next((one for one in offerings(region, account, [names[number]]) if one.id == key), None)
