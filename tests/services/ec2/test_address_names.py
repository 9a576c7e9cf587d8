"""Reverse names of Elastic IPs: asked for, looked at, believed, told."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

from cloudjar.kit import certificates, names
from cloudjar.planes.dns.names import outside
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import NOWHERE, code, make_gateway, make_subnet, make_vpc

POOL = IPv4Network("198.18.0.0/16")


def attribute(ec2: Any, allocation: str) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_addresses_attribute(AllocationIds=[allocation], Attribute="domain-name")[
        "Addresses"
    ][0]
    return found


def reversed_name(jar: TestJar, address: str) -> str:
    """What the host is told of an address."""
    asked = f"{'.'.join(reversed(address.split('.')))}.in-addr.arpa"
    known = outside(POOL, asked, lambda vpc, name: names.addresses(jar.jar.world, vpc, name))
    return known.pointer if known is not None else ""


def test_a_name_that_leads_elsewhere_is_not_taken_without_somebodys_word(jar: TestJar, ec2: Any) -> None:
    held = ec2.allocate_address(Domain="vpc")
    allocation, address = held["AllocationId"], held["PublicIp"]
    assert attribute(ec2, allocation) == {"AllocationId": allocation, "PublicIp": address}
    asked = ec2.modify_address_attribute(AllocationId=allocation, DomainName="Mail.Example.com")["Address"]
    assert asked["PtrRecordUpdate"] == {"Value": "mail.example.com.", "Status": "PENDING"}
    jar.settle()
    shown = attribute(ec2, allocation)
    assert (shown["PtrRecordUpdate"]["Status"], "PtrRecord" in shown) == ("FAILED", False)
    assert shown["PtrRecordUpdate"]["Reason"] == f"No A record of mail.example.com. maps to {address}."
    arn = f"arn:aws:ec2:eu-west-3:{ACCOUNT}:elastic-ip/{allocation}"
    assert certificates.prove(jar.jar.world, arn) == []
    assert attribute(ec2, allocation)["PtrRecord"] == "mail.example.com."
    assert reversed_name(jar, address) == "mail.example.com"
    assert code(ec2.release_address, AllocationId=allocation) == "InvalidAddress.Locked"
    assert "PtrRecord" not in ec2.reset_address_attribute(AllocationId=allocation, Attribute="domain-name")["Address"]
    assert reversed_name(jar, address) == ""
    ec2.release_address(AllocationId=allocation)


def test_a_name_of_the_jars_own_is_looked_up(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    make_gateway(ec2, vpc)
    subnet = make_subnet(ec2, vpc)
    held = ec2.allocate_address(Domain="vpc")
    elbv2 = jar.client("elbv2")
    mapped = [{"SubnetId": subnet, "AllocationId": held["AllocationId"]}]
    made = elbv2.create_load_balancer(Name="mail", Type="network", SubnetMappings=mapped)["LoadBalancers"][0]
    jar.settle()
    ec2.modify_address_attribute(AllocationId=held["AllocationId"], DomainName=made["DNSName"])
    jar.settle()
    shown = attribute(ec2, held["AllocationId"])
    assert shown["PtrRecord"] == f"{made['DNSName'].lower()}."
    assert "PtrRecordUpdate" not in shown


def test_what_is_no_name_is_refused(ec2: Any) -> None:
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    for wrong in ("-.com", "nothing", "a" * 300 + ".com"):
        assert code(ec2.modify_address_attribute, AllocationId=allocation, DomainName=wrong) == "InvalidParameterValue"
    assert code(ec2.modify_address_attribute, AllocationId=allocation) == "MissingParameter"
    assert code(ec2.modify_address_attribute, AllocationId=f"eipalloc-{NOWHERE}", DomainName="a.example") == (
        "InvalidAllocationID.NotFound"
    )
