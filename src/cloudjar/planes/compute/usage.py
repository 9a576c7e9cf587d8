"""What a machine uses: counters that its guest cannot reach."""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Counters of one boot, which only grow: a smaller number than before means that they began anew.

    `at` is when they were read, in seconds of the host's own time; network counters are the guest's (what it received
    and sent), disk counters those of its block devices.
    """

    at: float
    cpu_seconds: float = 0.0
    received_bytes: float = 0.0
    sent_bytes: float = 0.0
    received_packets: float = 0.0
    sent_packets: float = 0.0
    read_ops: float = 0.0
    write_ops: float = 0.0
    read_bytes: float = 0.0
    written_bytes: float = 0.0
    cpus_now: float | None = None
    """CPUs in use at this moment, where the driver knows."""


class DiskUse(msgspec.Struct, frozen=True, kw_only=True):
    """Counters of one block device, as the host's kernel keeps them; `born` differs when they are another device's.

    `at` is when they were read, in seconds of the host's own time; milliseconds are those that requests took together
    (`read_ms`, `write_ms`), in which there was any (`busy_ms`), and in which each of them waited (`queued_ms`).
    """

    born: str
    at: float
    read_ops: float = 0.0
    write_ops: float = 0.0
    read_bytes: float = 0.0
    written_bytes: float = 0.0
    read_ms: float = 0.0
    write_ms: float = 0.0
    busy_ms: float = 0.0
    queued_ms: float = 0.0
