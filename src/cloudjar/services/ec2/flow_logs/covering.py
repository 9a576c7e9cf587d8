"""Which interfaces a flow log covers."""

from __future__ import annotations

from collections.abc import Iterable

from cloudjar.kit.db import Db
from cloudjar.services.ec2.flow_logs.records import FlowLog
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface


def covers(log: FlowLog, eni: NetworkInterface) -> bool:
    """Whether a log is of this interface, its subnet or its VPC."""
    return log.resource_id in (eni.id, eni.subnet_id, eni.vpc_id)


def logged(db: Db, vpc_id: str, interfaces: Iterable[NetworkInterface]) -> frozenset[str]:
    """The ids of the interfaces that any log covers."""
    logs = db[FlowLog].all(vpc_id=vpc_id)
    return frozenset(eni.id for eni in interfaces if any(covers(log, eni) for log in logs)) if logs else frozenset()
