"""What load balancers' nodes had counted when they were last read, and how many targets were well when."""

from __future__ import annotations

import msgspec

from cloudjar.kit.record import Record, record


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one process of a node had counted in all, and its means; see `planes.proxy.port.Counted`."""

    amounts: dict[str, int]
    means: dict[str, int] = {}


@record("elasticloadbalancing", "node-count", key="node")
class NodeCount(Record, frozen=True, kw_only=True):
    """A node's last readings, by the birth of the process."""

    node: str
    readings: dict[str, Reading] = {}


class Change(msgspec.Struct, frozen=True):
    """From an instant on (Unix seconds) so many targets are well and unwell; -1 when nobody looks any more."""

    at: float
    healthy: int
    unhealthy: int


@record("elasticloadbalancing", "host-count", key="key", index=("arn", "balancer", "group"))
class HostCount(Record, frozen=True, kw_only=True):
    """How the targets of a target group were, as a load balancer sees them; the newest change is the last one."""

    key: str
    arn: str
    """The load balancer's."""
    balancer: str
    """``app/web/0123456789abcdef``"""
    group: str
    """``targetgroup/web/0123456789abcdef``"""
    changes: tuple[Change, ...] = ()
