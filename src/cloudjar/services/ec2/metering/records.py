"""What is kept of an instance that is measured."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Record, record
from cloudjar.planes.compute.usage import Usage
from cloudjar.services.ec2.metering.bursting import Account


class Rates(msgspec.Struct, frozen=True, array_like=True):
    """What an instance uses per second: virtual CPUs, bytes, packets, operations."""

    cpus: float = 0.0
    received_bytes: float = 0.0
    sent_bytes: float = 0.0
    received_packets: float = 0.0
    sent_packets: float = 0.0
    read_ops: float = 0.0
    write_ops: float = 0.0
    read_bytes: float = 0.0
    written_bytes: float = 0.0


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What an instance is, for the dimensions of its metrics."""

    type: str
    image: str
    group: str = ""
    vcpus: float
    detailed: bool = False


class Stretch(msgspec.Struct, frozen=True, array_like=True):
    """What a segment says: rates, monitoring, whether the guest was dead, credits at its beginning."""

    rates: Rates
    detailed: bool
    failed: bool = False
    unlimited: bool = False
    credits: Account | None = None


@record("ec2", "instance-load", index=("open",))
class Load(Record, frozen=True, kw_only=True):
    """The present stretch of an instance, from when it was last looked at; `open` while the instance runs."""

    id: str
    open: bool
    facts: Facts
    since: datetime
    usage: Usage
    rates: Rates = Rates()
    detailed: bool = False
    failed: bool = False
    unlimited: bool = False
    credits: Account | None = None
    limited: bool = False
    """Out of credits: held to the baseline."""
