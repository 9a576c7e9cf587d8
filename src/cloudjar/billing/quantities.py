"""Quantities as usage lines: one per resource, usage type and hour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cloudjar.billing.lines import UsageLine
from cloudjar.kit.quantities import HOUR, Quantity


def lines(quantities: Iterable[Quantity]) -> Iterator[UsageLine]:
    """Each in the unit of its price."""
    for one in quantities:
        account, region, resource = one.owner
        tally = one.tally
        yield UsageLine(
            account, region, tally.service, tally.usage_type, tally.operation, tally.unit, resource, one.units,
            one.hour, one.hour + HOUR,
        )  # fmt: skip
