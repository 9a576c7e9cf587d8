"""What kinds of things there are.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Operations.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling.records import LAUNCHING, TERMINATING
from cloudjar.services.autoscaling.rules import PROCESSES
from cloudjar.services.autoscaling.termination import POLICIES


@op("DescribeLifecycleHookTypes")
def describe_lifecycle_hook_types(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The transitions that hooks can hold up."""
    return {"LifecycleHookTypes": [LAUNCHING, TERMINATING]}


@op("DescribeScalingProcessTypes")
def describe_scaling_process_types(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The processes that can be suspended."""
    return {"Processes": [{"ProcessName": name} for name in PROCESSES]}


@op("DescribeTerminationPolicyTypes")
def describe_termination_policy_types(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The policies by which a shrinking group chooses."""
    return {"TerminationPolicyTypes": list(POLICIES)}
