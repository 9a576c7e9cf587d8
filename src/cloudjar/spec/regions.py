"""Regions and Availability Zones: names, ids, where they are, how bills call them.

https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

# Enabled in every account; any other region must be opted into.
DEFAULT = frozenset({
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1",
    "us-east-1", "us-east-2", "us-west-1", "us-west-2",
})  # fmt: skip
OPT_IN = frozenset({
    "af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4",
    "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1",
    "eu-south-2", "il-central-1", "me-central-1", "me-south-1", "mx-central-1",
})  # fmt: skip
NAMES = DEFAULT | OPT_IN
GLOBAL = "us-east-1"  # where global services (IAM, Organizations, Route 53) live
WITHOUT_REGIONS = frozenset(
    ("iam", "organizations", "account", "route53", "cloudfront", "budgets", "ce", "savingsplans")
)

# Regions up to 2012 deal out their zones anew to every account; the others name them alike for all.
SHUFFLED = frozenset({
    "us-east-1", "us-west-1", "us-west-2", "eu-west-1", "ap-northeast-1", "ap-southeast-1",
    "ap-southeast-2", "sa-east-1",
})  # fmt: skip
# Letters of the zones that an account sees, where they are not simply a, b, c...
LETTERS = {"ap-northeast-1": "acd", "ca-central-1": "abd", "us-west-1": "ab", "eu-west-2": "abc"}
# Zones that exist but that newer accounts do not see.
HIDDEN = frozenset({"apne1-az3", "usw1-az2", "euw2-az4"})
# The one zone that has the same letter for nearly everybody: Virginia's oldest, which lacks current types.
FIXED = {"us-east-1": ("use1-az3", 4)}
# Which zone (its place in the list of ids) has which letter, where the order is not the ids' own.
ORDER = {"eu-west-2": (1, 2, 0), "eu-central-1": (1, 2, 0), "ap-south-1": (0, 2, 1)}

# What stands before the usage types of a region in price lists and bills.
USAGE_PREFIX = {
    "us-east-1": "", "us-east-2": "USE2", "us-west-1": "USW1", "us-west-2": "USW2", "ca-central-1": "CAN1",
    "ca-west-1": "CAN2", "eu-west-1": "EU", "eu-west-2": "EUW2", "eu-west-3": "EUW3", "eu-central-1": "EUC1",
    "eu-central-2": "EUC2", "eu-north-1": "EUN1", "eu-south-1": "EUS1", "eu-south-2": "EUS2",
    "ap-northeast-1": "APN1", "ap-northeast-2": "APN2", "ap-northeast-3": "APN3", "ap-southeast-1": "APS1",
    "ap-southeast-2": "APS2", "ap-south-1": "APS3", "ap-southeast-3": "APS4", "ap-south-2": "APS5",
    "ap-southeast-4": "APS6", "ap-east-1": "APE1", "sa-east-1": "SAE1", "me-south-1": "MES1",
    "me-central-1": "MEC1", "af-south-1": "AFS1", "il-central-1": "ILC1",
}  # fmt: skip


class UnknownRegion(KeyError):
    """AWS's standard partition has no region of this name."""


class Zone(NamedTuple):
    """An Availability Zone as one account sees it: ``eu-west-3a`` and ``euw3-az1``."""

    name: str
    id: str
    region: str


class Region(NamedTuple):
    """A region: `long_name` is what consoles say ("Europe (Paris)"), `zone_ids` are the same for everyone."""

    name: str
    long_name: str
    country: str
    geolocation: str
    zone_ids: tuple[str, ...]

    @property
    def opt_in_status(self) -> str:
        """``opt-in-not-required`` or ``not-opted-in`` (what an account has done about it is the account's)."""
        return "opt-in-not-required" if self.name in DEFAULT else "not-opted-in"

    @property
    def location(self) -> str:
        """The name that the price list uses: "EU (Paris)" where consoles say "Europe (Paris)"."""
        old = ("eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1", "eu-south-1")
        return self.long_name.replace("Europe", "EU") if self.name in old else self.long_name

    @property
    def zone_group(self) -> str:
        """The group name of the region's ordinary zones (``eu-west-3-zg-1``)."""
        return f"{self.name}-zg-1"


@cache
def _all() -> dict[str, Region]:
    raw = (Path(__file__).with_name("data") / "regions" / "regions.json").read_bytes()
    table = msgspec.json.decode(raw, type=dict[str, tuple[str, str, str, tuple[str, ...]]])
    return {name: Region(name, *row) for name, row in table.items()}


def region(name: str) -> Region:
    """Facts of a region; `UnknownRegion` when there is none."""
    try:
        return _all()[name]
    except KeyError:
        raise UnknownRegion(name) from None


def regions() -> tuple[Region, ...]:
    """Every region of the standard partition, by name."""
    return tuple(_all().values())


@cache
def zones(name: str, account: str) -> tuple[Zone, ...]:
    """The zones that an account sees in a region, by letter.

    In the oldest regions the ids behind the letters differ from account to account; here they follow from the
    account number, so that they are always the same for one account.
    """
    ids = [i for i in region(name).zone_ids if i not in HIDDEN]
    if name in SHUFFLED:
        ids.sort(key=lambda zone: sha256(f"{account} {zone}".encode()).digest())
        if name in FIXED:
            fixed, place = FIXED[name]
            ids.remove(fixed)
            ids.insert(place, fixed)
    elif name in ORDER:
        ids = [ids[i] for i in ORDER[name]]
    letters = LETTERS.get(name, "abcdefghi")
    return tuple(Zone(name + letter, zone, name) for letter, zone in zip(letters, ids, strict=False))


def zone(name_or_id: str, account: str) -> Zone | None:
    """A zone by its name or id as an account sees it; None when there is none."""
    for place in NAMES:
        if name_or_id.startswith(place) or any(name_or_id == i for i in region(place).zone_ids):
            for found in zones(place, account):
                if name_or_id in (found.name, found.id):
                    return found
    return None


def usage_prefix(name: str) -> str | None:
    """What stands before usage types (``EUW3-``; "" in us-east-1); None where it is not known."""
    prefix = USAGE_PREFIX.get(name)
    return f"{prefix}-" if prefix else prefix
