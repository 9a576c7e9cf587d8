"""Instances as `DescribeInstances` shows them: pure functions of records, loaded once for all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from cloudjar.kit import tags
from cloudjar.kit.db import Db
from cloudjar.kit.views import Views
from cloudjar.services.ec2 import naming
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.network_interfaces.making import borrowed_by, interfaces_of
from cloudjar.services.ec2.network_interfaces.records import BorrowedInterface, NetworkInterface
from cloudjar.services.ec2.network_interfaces.views import Scene, scene, show_interface
from cloudjar.services.ec2.volumes.records import Volume
from cloudjar.spec import regions
from cloudjar.wire.rendered import View

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


class Around(NamedTuple):
    """What an instance is shown with, by instance id."""

    interfaces: Mapping[str, list[NetworkInterface]]
    volumes: Mapping[str, list[Volume]]
    scene: Scene
    zone_ids: Mapping[str, str]


def around(db: Db, account: str, region: str, only: Iterable[str] | None = None) -> Around:
    """Everything that the views of instances need; `only` narrows to a few instance ids."""
    interfaces: dict[str, list[NetworkInterface]] = {}
    volumes: dict[str, list[Volume]] = {}
    if only is None:
        for eni in db[NetworkInterface].all():
            interfaces.setdefault(eni.instance_id, []).append(eni)
        for eni in borrowed_by(db, db[BorrowedInterface].all()):
            interfaces.setdefault(eni.instance_id, []).append(eni)
        for volume in db[Volume].all():
            volumes.setdefault(volume.instance_id, []).append(volume)
    else:
        for instance_id in only:
            interfaces[instance_id] = interfaces_of(db, instance_id)
            volumes[instance_id] = db[Volume].all(instance_id=instance_id)
    for attached in interfaces.values():
        attached.sort(key=lambda eni: eni.device_index)
    return Around(
        interfaces,
        volumes,
        scene(db),
        {zone.name: zone.id for zone in regions.zones(region, account)},
    )


_SHOWN = Views()


def show_instance(vm: Instance, near: Around) -> View:
    """One entry of ``Instances``; remembered while its records are the same."""
    interfaces = near.interfaces.get(vm.id, ())
    volumes = near.volumes.get(vm.id, ())
    named = "named" if vm.vpc_id in near.scene.named_vpcs else ""
    return _SHOWN.get(vm.id, (vm, named, *interfaces, *volumes), lambda: _instance(vm, near))


def _instance(vm: Instance, near: Around) -> dict[str, Any]:
    interfaces = near.interfaces.get(vm.id, [])
    primary = interfaces[0] if interfaces else None
    shown = [_interface(eni, near) for eni in interfaces]
    association = (shown[0]["Association"] or {}) if shown else {}
    return {
        "AmiLaunchIndex": vm.launch_index,
        "Architecture": vm.architecture,
        "BlockDeviceMappings": [_mapping(v) for v in sorted(near.volumes.get(vm.id, []), key=_root_first(vm))],
        "BootMode": "uefi-preferred",
        "CapacityReservationId": vm.capacity_reservation_id or None,
        "CapacityReservationSpecification": _reservation(vm),
        "ClientToken": vm.client_token,
        "CpuOptions": _cpu(vm),
        "CurrentInstanceBootMode": "uefi",
        "EbsOptimized": vm.ebs_optimized,
        "EnaSupport": True,
        "EnclaveOptions": {"Enabled": False},
        "HibernationOptions": {"Configured": False},
        "Hypervisor": "xen",
        "IamInstanceProfile": {"Arn": vm.profile.arn, "Id": vm.profile.profile_id} if vm.profile else None,
        "ImageId": vm.image_id,
        "InstanceId": vm.id,
        "InstanceLifecycle": "spot" if vm.spot_request_id else None,
        "InstanceType": vm.type,
        "Ipv6Address": primary.ipv6[0] if primary is not None and primary.ipv6 else None,
        "KeyName": vm.key_name or None,
        "LaunchTime": vm.launched,
        "MaintenanceOptions": {"AutoRecovery": vm.auto_recovery, "RebootMigration": vm.reboot_migration},
        "MetadataOptions": show_metadata_options(vm),
        "Monitoring": {"State": "enabled" if vm.monitoring else "disabled"},
        "NetworkInterfaces": shown,
        "Placement": _placement(vm, near),
        "PlatformDetails": "Linux/UNIX",
        "PrivateDnsName": naming.host_name(vm.hostname_type, vm.region, vm.id, vm.private_ip) if vm.private_ip else "",
        "PrivateDnsNameOptions": _dns_options(vm) if primary is not None else None,
        "PrivateIpAddress": vm.private_ip or None,
        "ProductCodes": [],
        "PublicDnsName": association.get("PublicDnsName", ""),
        "PublicIpAddress": association.get("PublicIp"),
        "RootDeviceName": vm.root_device,
        "RootDeviceType": "ebs",
        "SecurityGroups": shown[0]["Groups"] if shown else [],
        "SpotInstanceRequestId": vm.spot_request_id or None,
        "SourceDestCheck": primary.source_dest_check if primary is not None else None,
        "State": show_state(vm.state),
        "StateReason": {"Code": vm.state_code, "Message": vm.state_reason} if vm.state_code else None,
        "StateTransitionReason": vm.transition_reason,
        "SubnetId": vm.subnet_id or None,
        "Tags": tags.as_list(vm.tags) if vm.tags else None,
        "UsageOperation": "RunInstances",
        "UsageOperationUpdateTime": vm.created,
        "VirtualizationType": "hvm",
        "VpcId": vm.vpc_id or None,
    }


def _placement(vm: Instance, near: Around) -> dict[str, Any]:
    return {
        "Affinity": vm.affinity or None,
        "AvailabilityZone": vm.zone,
        "AvailabilityZoneId": near.zone_ids.get(vm.zone),
        "GroupId": vm.placement_group_id or None,
        "GroupName": vm.placement_group,
        "HostId": vm.host_id or None,
        "PartitionNumber": vm.partition or None,
        "Tenancy": vm.tenancy,
    }


def _reservation(vm: Instance) -> dict[str, Any]:
    if vm.reservation_target:
        return {"CapacityReservationTarget": {"CapacityReservationId": vm.reservation_target}}
    return {"CapacityReservationPreference": vm.reservation_preference}


def show_state(state: str) -> dict[str, Any]:
    """``{"Code": 16, "Name": "running"}``."""
    return {"Code": CODES[state], "Name": state}


def show_metadata_options(vm: Instance) -> dict[str, Any]:
    """How the instance may use IMDS."""
    options = vm.metadata
    return {
        "State": "applied",
        "HttpTokens": options.tokens,
        "HttpPutResponseHopLimit": options.hop_limit,
        "HttpEndpoint": options.endpoint,
        "HttpProtocolIpv6": "disabled",
        "InstanceMetadataTags": options.tags,
    }


def show_reservations(items: Iterable[Instance], near: Around) -> list[dict[str, Any]]:
    """Instances grouped by the call that launched them, in the order given."""
    found: dict[str, dict[str, Any]] = {}
    for vm in items:
        reservation = found.get(vm.reservation_id)
        if reservation is None:
            reservation = found[vm.reservation_id] = {
                "ReservationId": vm.reservation_id,
                "OwnerId": vm.account,
                "Groups": [],
                "Instances": [],
            }
        reservation["Instances"].append(show_instance(vm, near))
    return list(found.values())


def _cpu(vm: Instance) -> dict[str, int]:
    from cloudjar.spec import instance_types

    if vm.cpu is not None:
        return {"CoreCount": vm.cpu.cores, "ThreadsPerCore": vm.cpu.threads}
    vcpus = instance_types.size(vm.type).vcpus
    threads = 2 if vm.architecture == "x86_64" and vcpus > 1 else 1
    return {"CoreCount": max(vcpus // threads, 1), "ThreadsPerCore": threads}


def _dns_options(vm: Instance) -> dict[str, Any]:
    return {
        "HostnameType": vm.hostname_type,
        "EnableResourceNameDnsARecord": vm.name_record,
        "EnableResourceNameDnsAAAARecord": vm.name_record6,
    }


def _root_first(vm: Instance) -> Callable[[Volume], tuple[bool, str]]:
    return lambda volume: (volume.device != vm.root_device, volume.device)


def _mapping(volume: Volume) -> dict[str, Any]:
    return {
        "DeviceName": volume.device,
        "Ebs": {
            "AttachTime": volume.attached,
            "DeleteOnTermination": volume.delete_on_termination,
            "Status": "detaching" if volume.attachment == "busy" else volume.attachment or "attached",
            "VolumeId": volume.id,
        },
    }


def _interface(eni: NetworkInterface, near: Around) -> dict[str, Any]:
    """Like `DescribeNetworkInterfaces`, less what the instance itself says."""
    view = show_interface(eni, near.scene)
    view["Attachment"] = {k: v for k, v in (view["Attachment"] or {}).items() if not k.startswith("Instance")}
    for name in (
        "AvailabilityZone",
        "AvailabilityZoneId",
        "PublicDnsName",
        "RequesterId",
        "RequesterManaged",
        "TagSet",
    ):
        del view[name]
    return view
