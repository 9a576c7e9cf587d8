"""Condition keys of flow logs."""

from __future__ import annotations

from typing import Any

from cloudjar.kit.operation import resource_keys
from cloudjar.services.ec2.flow_logs.records import FlowLog


@resource_keys("ec2", "vpc-flow-log")
def _flow_log(log: FlowLog) -> dict[str, Any]:
    return {"ec2:Region": log.region}
