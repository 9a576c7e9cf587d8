"""What costs money here: machines that run, disks that exist, and every public IPv4 address, used or idle.

https://aws.amazon.com/vpc/pricing/ (Public IPv4 addresses; billed under Amazon VPC since February 2024)
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.usage import Meter, meters
from cloudjar.services.ec2.addresses.records import PublicIp
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.snapshots.records import FastRestore, Snapshot
from cloudjar.services.ec2.volumes.records import Volume
from cloudjar.spec import regions, shares

IN_USE = Meter("AmazonVPC", "PublicIPv4:InUseAddress", "AssociateAddressVPC", "Hrs")
IDLE = Meter("AmazonVPC", "PublicIPv4:IdleAddress", "AllocateAddressVPC", "Hrs")


@meters(PublicIp)
def address_hours(address: PublicIp) -> Iterable[Meter]:
    """One of the two for as long as the address is held."""
    return (IN_USE if address.in_use else IDLE,)


@meters(Instance)
def instance_hours(vm: Instance) -> Iterable[Meter]:
    """The machine, while it runs; stopping and stopped cost nothing."""
    if vm.state != "running":
        return ()
    if vm.spot_request_id:
        zone = regions.zone(vm.zone, vm.account)
        operation = shares.spot_operation(zone.id if zone is not None else "")
        return (Meter("AmazonEC2", f"SpotUsage:{vm.type}", operation, "Hrs"),)
    if vm.tenancy == "host":
        return ()  # the host is paid for
    usage = "DedicatedUsage" if vm.tenancy == "dedicated" else "BoxUsage"
    return (Meter("AmazonEC2", f"{usage}:{vm.type}", "RunInstances", "Hrs"),)


_USAGE = {"io1": "EBS:VolumeUsage.piops", "standard": "EBS:VolumeUsage"}
_IOPS = {"io1": "EBS:VolumeP-IOPS.piops", "io2": "EBS:VolumeP-IOPS.io2", "gp3": "EBS:VolumeP-IOPS.gp3"}
_FREE_IOPS, _FREE_THROUGHPUT = 3000, 125
"""What every gp3 volume has without paying for it."""


@meters(Volume)
def volume_storage(volume: Volume) -> Iterable[Meter]:
    """The disk, for as long as it exists, attached or not, its machine running or not; and bought performance."""
    usage = _USAGE.get(volume.type, f"EBS:VolumeUsage.{volume.type}")
    found = [Meter("AmazonEC2", usage, "", "GB-Mo", Decimal(volume.size))]
    bought = volume.iops - (_FREE_IOPS if volume.type == "gp3" else 0)
    if volume.type in _IOPS and bought > 0:
        found.append(Meter("AmazonEC2", _IOPS[volume.type], "", "IOPS-Mo", Decimal(bought)))
    if volume.type == "gp3" and volume.throughput > _FREE_THROUGHPUT:
        extra = Decimal(volume.throughput - _FREE_THROUGHPUT) / 1024
        found.append(Meter("AmazonEC2", "EBS:VolumeP-Throughput.gp3", "", "GiBps-mo", extra))
    return found


@meters(Snapshot)
def snapshot_storage(snapshot: Snapshot) -> Iterable[Meter]:
    """The blocks that it holds and its parent does not, from when it is complete; all of them in the archive, and
    once more while they are restored."""
    if snapshot.state != "completed":
        return
    if snapshot.archived and snapshot.all_blocks:
        yield Meter("AmazonEC2", "EBS:SnapshotArchiveStorage", "", "GB-Mo", Decimal(snapshot.all_blocks) / 2048)
    restored = snapshot.tiering is not None and snapshot.tiering.expires is not None
    if snapshot.blocks and (restored or not snapshot.archived):
        yield Meter("AmazonEC2", "EBS:SnapshotUsage", "", "GB-Mo", Decimal(snapshot.blocks) / 2048)


@meters(FastRestore)
def fast_restore_hours(one: FastRestore) -> Iterable[Meter]:
    """A snapshot in a zone, from when its volumes are fast until that is over."""
    if one.state == "enabled":
        yield Meter("AmazonEC2", "EBS:FastSnapshotRestore", "", "DSU-Hrs")
