"""Public names of interfaces: of an IPv4 address, of an IPv6 address, of both."""

from __future__ import annotations

from typing import Any

from cloudjar.planes.dns.names import outside
from tests.jar import TestJar
from tests.services.ec2.asking import code, interface_of, launch, make_gateway
from tests.services.ec2.test_launch_ipv6 import dual
from tests.services.ec2.test_private_names import POOL, hostnames, resolve

FOUR, SIX, BOTH = (f"public-{kind}-dns-name" for kind in ("ipv4", "ipv6", "dual-stack"))


def test_an_interface_is_named_by_what_its_owner_chooses(jar: TestJar, ec2: Any) -> None:
    subnet, _ = dual(ec2)
    [vpc] = (one["VpcId"] for one in ec2.describe_subnets(SubnetIds=[subnet])["Subnets"])
    hostnames(ec2, vpc)
    make_gateway(ec2, vpc)
    eni = interface_of(ec2, launch(ec2, SubnetId=subnet))
    key = {"NetworkInterfaceId": eni["NetworkInterfaceId"]}
    change = ec2.modify_public_ip_dns_name_options
    assert "PublicIpDnsNameOptions" not in eni
    assert code(change, **key, HostnameType=SIX) == "InvalidParameterValue"
    ec2.assign_ipv6_addresses(**key, Ipv6AddressCount=1)
    allocation = ec2.allocate_address(Domain="vpc")
    held = ec2.associate_address(**key, AllocationId=allocation["AllocationId"])["AssociationId"]

    def shown() -> dict[str, Any]:
        [found] = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni["NetworkInterfaceId"]])["NetworkInterfaces"]
        one: dict[str, Any] = found
        return one

    options = shown()["PublicIpDnsNameOptions"]
    assert options["DnsHostnameType"] == FOUR
    four, six, both = (options[f"Public{kind}DnsName"] for kind in ("Ipv4", "Ipv6", "DualStack"))
    assert shown()["PublicDnsName"] == four
    for kind, name in ((SIX, six), (BOTH, both)):
        assert change(**key, HostnameType=kind)["Successful"] is True
        assert (shown()["PublicDnsName"], shown()["PublicIpDnsNameOptions"]["DnsHostnameType"]) == (name, kind)
    address = shown()["Ipv6Address"]
    assert resolve(jar, vpc, six) == (address,)
    assert resolve(jar, vpc, both) == (address, eni["PrivateIpAddress"])
    seen = [outside(POOL, name) for name in (six, both)]
    assert [one.addresses for one in seen if one] == [(address,), (address, allocation["PublicIp"])]
    assert code(ec2.disassociate_address, AssociationId=held) == "OperationNotPermitted"
    change(**key, HostnameType=FOUR)
    ec2.disassociate_address(AssociationId=held)
    assert shown()["PublicIpDnsNameOptions"] == {"DnsHostnameType": FOUR, "PublicIpv6DnsName": six}
    assert "PublicDnsName" not in shown()
