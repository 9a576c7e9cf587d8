"""Options of an instance that have operations of their own, and attributes back to their defaults.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstancePlacement.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.capacity_reservations.matching import asked_for
from cloudjar.services.ec2.hosts import placing as hosts
from cloudjar.services.ec2.instances import options
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.instances.standing import refuse_tenancy
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.network_interfaces.making import interfaces_of
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.placement_groups.finding import Place, places


def _stopped(vm: Instance) -> None:
    if vm.state != "stopped":
        raise AwsError("IncorrectInstanceState", f"The instance '{vm.id}' is not in the 'stopped' state.")


@op("ResetInstanceAttribute")
def reset_instance_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Source/destination check on again; kernel and RAM disk, which no instance here has, stay as they are."""
    vm = need(ctx, Instance, req["InstanceId"])
    if req["Attribute"] not in ("sourceDestCheck", "kernel", "ramdisk"):
        raise errors.invalid_parameter(req["Attribute"], "attribute", "This attribute cannot be reset.")
    if req["Attribute"] == "sourceDestCheck":
        eni = interfaces_of(ctx.db, vm.id)[0]
        ctx.db[NetworkInterface].put(replace(eni, source_dest_check=True))
    else:
        _stopped(vm)
    return {}


@op("ModifyInstanceMaintenanceOptions")
def modify_instance_maintenance_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether AWS may bring the instance back after a failure of its host, and move it when it reboots."""
    vm = need(ctx, Instance, req["InstanceId"])
    changed = ctx.db[Instance].put(
        replace(
            vm,
            auto_recovery=req.get("AutoRecovery") or vm.auto_recovery,
            reboot_migration=req.get("RebootMigration") or vm.reboot_migration,
        )
    )
    return {
        "InstanceId": vm.id,
        "AutoRecovery": changed.auto_recovery,
        "RebootMigration": changed.reboot_migration,
    }


@op("ModifyInstanceCpuOptions")
def modify_instance_cpu_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Other cores and threads for a stopped instance."""
    vm = need(ctx, Instance, req["InstanceId"])
    if req.get("NestedVirtualization") == "enabled":
        raise errors.not_built("The value enabled of the parameter NestedVirtualization")
    chosen = options.cpu(req, vm.type)
    if chosen is None:
        raise errors.missing_one("CoreCount")
    _stopped(vm)
    ctx.db[Instance].put(replace(vm, cpu=chosen))
    return {"InstanceId": vm.id, "CoreCount": chosen.cores, "ThreadsPerCore": chosen.threads}


@op("ModifyInstancePlacement")
def modify_instance_placement(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Move a stopped instance into a placement group, or with an empty name out of it; or to another host."""
    vm = need(ctx, Instance, req["InstanceId"])
    errors.refuse(req, "HostResourceGroupArn")
    grouped = any(req.get(name) is not None for name in ("GroupName", "GroupId", "PartitionNumber"))
    hosted = any(req.get(name) for name in ("Affinity", "HostId", "Tenancy"))
    if not grouped and not hosted:
        raise errors.missing("The request must contain a placement group, an affinity, a tenancy or a host.")
    _stopped(vm)
    if hosted:
        vm = ctx.db[Instance].put(_rehosted(ctx, vm, req))
    if not grouped:
        return {"Return": True}
    asked = dict(req)
    if req.get("GroupName") is None and req.get("GroupId") is None:
        asked["GroupName"] = vm.placement_group  # another partition of the same group
    leaves = not asked.get("GroupName") and not asked.get("GroupId")
    place = Place() if leaves else places(ctx, asked, vm.type, vm.zone, 1)[0]
    ctx.db[Instance].put(
        replace(vm, placement_group=place.group, placement_group_id=place.id, partition=place.partition)
    )
    return {"Return": True}


def _rehosted(ctx: Ctx, vm: Instance, req: dict[str, Any]) -> Instance:
    """Between hosts, and between dedicated hardware and hosts; shared tenancy is left or come to by a new launch."""
    tenancy = req.get("Tenancy") or ("host" if req.get("HostId") else vm.tenancy)
    if tenancy != vm.tenancy and "default" in (tenancy, vm.tenancy):
        raise errors.combination("The tenancy can be changed between 'dedicated' and 'host' only.")
    if tenancy != "host":
        return replace(vm, tenancy=tenancy, host_id="", affinity="")
    refuse_tenancy(vm.type, tenancy)
    host = hosts.places(ctx, {"HostId": req["HostId"]}, vm.type, vm.zone, 1)[0] if req.get("HostId") else vm.host_id
    affinity = req.get("Affinity") or vm.affinity or ("host" if req.get("HostId") else "default")
    return replace(vm, tenancy=tenancy, host_id=host, affinity=affinity)


@op("ModifyInstanceCapacityReservationAttributes")
def modify_instance_capacity_reservation_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """In which Capacity Reservation a stopped instance is to run: one, any that matches, or none."""
    vm = need(ctx, Instance, req["InstanceId"])
    asked = req["CapacityReservationSpecification"]
    if not asked.get("CapacityReservationPreference") and not asked.get("CapacityReservationTarget"):
        raise errors.missing_one("CapacityReservationPreference")
    preference, target = asked_for(ctx, req)
    _stopped(vm)
    ctx.db[Instance].put(replace(vm, reservation_preference=preference, reservation_target=target))
    return {"Return": True}


@op("GetPasswordData")
def get_password_data(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Nothing: only Windows has a password to tell, and AWS answers for the others with an empty text."""
    vm = need(ctx, Instance, req["InstanceId"])
    return {"InstanceId": vm.id, "PasswordData": "", "Timestamp": ctx.now}
