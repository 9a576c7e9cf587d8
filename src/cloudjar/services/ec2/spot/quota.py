"""How many virtual CPUs an account may have on the spot market: running instances and requests that wait.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-spot-limits.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.instances import options
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.linked_roles import SPOT
from cloudjar.services.ec2.spot.records import SpotRequest
from cloudjar.services.ec2.spot.terms import too_many
from cloudjar.spec import instance_types


def free(ctx: Ctx, kind: str) -> int | None:
    """vCPUs that are left for a type; None without a limit. Raises for types that spot does not have."""
    code = instance_types.spot_quota(kind)
    if code is None or "spot" not in instance_types.facts(kind).get("SupportedUsageClasses", ()):
        raise AwsError("Unsupported", f"The instance type '{kind}' is not available as a Spot Instance.")
    limit = ctx.limit("ec2", code)
    return None if limit is None else int(limit) - _used(ctx, code)


def _used(ctx: Ctx, code: str) -> int:
    running = sum(
        options.vcpus(vm.type, vm.cpu)
        for state in ("pending", "running")
        for vm in ctx.db[Instance].all(state=state)
        if vm.spot_request_id and instance_types.spot_quota(vm.type) == code
    )
    waiting = ctx.db[SpotRequest].all(state="open")
    if SPOT.is_caller(ctx):  # what Spot launches now was counted when it was asked for
        waiting = []
    return running + sum(
        instance_types.size(request.kind).vcpus
        for request in waiting
        if instance_types.spot_quota(request.kind) == code
    )


def refuse_too_many(ctx: Ctx, kind: str, count: int, each: int) -> None:
    """Raise MaxSpotInstanceCountExceeded when there is no room for so many."""
    left = free(ctx, kind)
    if left is not None and each * count > left:
        raise too_many()
