"""How many virtual CPUs an account may run on demand, by the families that share a quota.

Spot instances and those of Dedicated Hosts have quotas of their own; a Capacity Reservation counts, used or not, and
what runs in one counts no second time.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances.html#ec2-on-demand-instances-limits
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.capacity_reservations import matching
from cloudjar.services.ec2.instances import options
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.spot import quota as spot_quota
from cloudjar.spec import instance_types


def free(ctx: Ctx, kind: str) -> int | None:
    """vCPUs that are left for a type on demand; None without a limit."""
    code = instance_types.vcpu_quota(kind)
    limit = ctx.limit("ec2", code) if code else None
    return None if limit is None else int(limit) - in_use(ctx, str(code))


def in_use(ctx: Ctx, code: str) -> int:
    """vCPUs of this account that count towards a quota of running on-demand instances."""
    running = sum(
        options.vcpus(vm.type, vm.cpu)
        for state in ("pending", "running")
        for vm in ctx.db[Instance].all(state=state)
        if _counts(vm) and instance_types.vcpu_quota(vm.type) == code
    )
    return running + matching.vcpus(ctx, code)


def _counts(vm: Instance) -> bool:
    return not (vm.spot_request_id or vm.capacity_reservation_id or vm.host_id)


def refuse_more(ctx: Ctx, kind: str, vcpus: int) -> None:
    """Raise VcpuLimitExceeded when so many more do not fit."""
    left = free(ctx, kind)
    if left is not None and vcpus > max(left, 0):
        raise too_many(ctx, kind)


def too_many(ctx: Ctx, kind: str) -> AwsError:
    """The quota of a type's family is used up."""
    limit = ctx.limit("ec2", str(instance_types.vcpu_quota(kind)))
    return AwsError(
        "VcpuLimitExceeded",
        f"You have requested more vCPU capacity than your current vCPU limit of {int(limit or 0)} allows for the "
        "instance bucket that the specified instance type belongs to. Please visit "
        "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
    )


def refuse_start(ctx: Ctx, vm: Instance, *, reserved: bool) -> None:
    """Raise when what runs already leaves a stopped instance no room; one for which room is kept, or paid for as a
    host, needs none."""
    vcpus = options.vcpus(vm.type, vm.cpu)
    if vm.spot_request_id:
        spot_quota.refuse_too_many(ctx, vm.type, 1, vcpus)
    elif not reserved and not vm.host_id:
        refuse_more(ctx, vm.type, vcpus)
