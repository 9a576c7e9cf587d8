"""What a guest with IPv6 reaches that has none, by name; and a disk whose data goes to another guest as a copy."""

from __future__ import annotations

from typing import Any

import pytest

from cloudjar.planes.network.sixfour import spelled
from tests.host.jar.account import Account
from tests.host.jar.served import REGION, RealJar, until
from tests.host.jar.test_disks import booted, volume_is

pytestmark = [pytest.mark.host, pytest.mark.timeout(300)]


def way_out(account: Account, vpc: str, public: str) -> str:
    """A subnet of both families, whose machines ask for IPv6 of everything; its id."""
    ec2 = account.ec2
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=public, AllocationId=allocation)["NatGateway"]["NatGatewayId"]
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[nat], WaiterConfig={"Delay": 1})
    ec2.associate_vpc_cidr_block(VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)
    [block] = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
    subnet = account.subnet(vpc, "10.0.2.0/24")
    ec2.associate_subnet_cidr_block(SubnetId=subnet, Ipv6CidrBlock=block["Ipv6CidrBlock"].replace("/56", "/64"))
    for name in ("EnableDns64", "AssignIpv6AddressOnCreation", "EnableResourceNameDnsAAAARecordOnLaunch"):
        ec2.modify_subnet_attribute(**{"SubnetId": subnet, name: {"Value": True}})
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    ec2.create_route(RouteTableId=table, DestinationIpv6CidrBlock="64:ff9b::/96", NatGatewayId=nat)
    return subnet


def greeting(jar: RealJar, machine: str, address: str) -> str:
    """What the SSH server at an address says first."""
    script = f"exec 3<>/dev/tcp/{address}/22 && head -c 4 <&3"
    return jar.inside(machine, f"timeout 20 bash -c '{script}'")


def test_a_guest_with_ipv6_reaches_one_without(real: RealJar) -> None:
    account = Account(real)
    vpc = account.vpc()
    public = account.subnet(vpc, public=True)
    account.gateway(vpc)
    subnet, group = way_out(account, vpc, public), account.group(vpc, "ssh", 22)
    old, new = account.run(public, group), account.run(subnet, group)
    for machine in (old.id, new.id):
        booted(real, machine)
    for address in (old.private, old.public):
        assert greeting(real, new.id, spelled(address)) == "SSH-"
    name = f"ip-{old.private.replace('.', '-')}.{REGION}.compute.internal"
    assert spelled(old.private) in real.inside(new.id, f"getent ahostsv6 {name}")
    own = account.show(new.id)["Ipv6Address"]
    assert own in real.inside(old.id, f"getent ahostsv6 {new.id}.{REGION}.compute.internal")
    _copied(real, account.ec2, old.id, new.id)


def _copied(real: RealJar, ec2: Any, writer: str, reader: str) -> None:
    source = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1, VolumeType="gp3")["VolumeId"]
    volume_is(ec2, source, "available")
    ec2.attach_volume(VolumeId=source, InstanceId=writer, Device="/dev/sdf")
    volume_is(ec2, source, "in-use", "attached")
    real.inside(writer, "mkfs.ext4 -q /dev/xvdf && mount /dev/xvdf /mnt && echo data > /mnt/it && sync")
    [made] = ec2.copy_volumes(SourceVolumeId=source, Size=2, VolumeType="gp3")["Volumes"]
    volume_is(ec2, made["VolumeId"], "available")
    real.inside(writer, "echo more >> /mnt/it")
    ec2.attach_volume(VolumeId=made["VolumeId"], InstanceId=reader, Device="/dev/sdf")
    volume_is(ec2, made["VolumeId"], "in-use", "attached")
    until(lambda: "xvdf" in real.inside(reader, "lsblk"), "the disk to be seen")
    assert real.inside(reader, "mount /dev/xvdf /mnt && cat /mnt/it && lsblk -bno SIZE /dev/xvdf").split() == [
        "data", str(2 << 30)]  # fmt: skip
