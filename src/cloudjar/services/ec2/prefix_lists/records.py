"""A managed prefix list as it is stored, with every version of it.

https://docs.aws.amazon.com/vpc/latest/userguide/managed-prefix-lists.html
"""

from __future__ import annotations

from typing import Literal

import msgspec

from cloudjar.kit.record import Record, record

PER_REGION = 100
"""How many lists an account may have in a region; Service Quotas has no code for it."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A block of a list, in canonical form."""

    cidr: str
    description: str = ""


@record(
    "ec2",
    "prefix-list",
    missing=("InvalidPrefixListID.NotFound", "The prefix list ID '{key}' does not exist"),
)
class PrefixList(Record, frozen=True, kw_only=True):
    """A named set of blocks that rules and routes refer to; it weighs `max_entries` in their quotas."""

    id: str
    name: str
    family: Literal["IPv4", "IPv6"]
    max_entries: int
    state: str = "create-complete"
    version: int = 1
    versions: tuple[tuple[Entry, ...], ...] = ()
    """What each version held, from the first on."""
    tags: dict[str, str] = {}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What it holds now."""
        return self.versions[-1]
