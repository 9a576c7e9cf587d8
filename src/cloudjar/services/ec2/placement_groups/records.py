"""A placement group as it is stored."""

from __future__ import annotations

from cloudjar.kit.record import Record, record

PER_REGION = 500
"""Service Quotas has no code for it."""


@record(
    "ec2",
    "placement-group",
    key="name",
    index=("id",),
    missing=("InvalidPlacementGroup.Unknown", "The Placement Group '{key}' is unknown."),
)
class PlacementGroup(Record, frozen=True, kw_only=True):
    """`strategy` is ``cluster``, ``spread`` or ``partition``; `partitions` and `level` belong to one of them each."""

    name: str
    id: str
    strategy: str = "cluster"
    partitions: int = 0
    level: str = ""
    tags: dict[str, str] = {}
