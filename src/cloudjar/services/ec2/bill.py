"""What costs money here: machines that run, disks that exist, and every public IPv4 address, used or idle.

https://aws.amazon.com/vpc/pricing/ (Public IPv4 addresses; billed under Amazon VPC since February 2024)
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.usage import Meter, meters
from cloudjar.services.ec2.addresses.records import PublicIp
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.volumes.records import Volume

IN_USE = Meter("AmazonVPC", "PublicIPv4:InUseAddress", "AssociateAddressVPC", "Hrs")
IDLE = Meter("AmazonVPC", "PublicIPv4:IdleAddress", "AllocateAddressVPC", "Hrs")


@meters(PublicIp)
def address_hours(address: PublicIp) -> Iterable[Meter]:
    """One of the two for as long as the address is held."""
    return (IN_USE if address.in_use else IDLE,)


@meters(Instance)
def instance_hours(vm: Instance) -> Iterable[Meter]:
    """The machine, while it runs; stopping and stopped cost nothing."""
    if vm.state == "running":
        return (Meter("AmazonEC2", f"BoxUsage:{vm.type}", "RunInstances", "Hrs"),)
    return ()


@meters(Volume)
def volume_storage(volume: Volume) -> Iterable[Meter]:
    """The disk, for as long as it exists, whether the machine runs or not."""
    return (Meter("AmazonEC2", f"EBS:VolumeUsage.{volume.type}", "", "GB-Mo", Decimal(volume.size)),)
