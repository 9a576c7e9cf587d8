"""DHCP options sets: made, associated, obeyed by guests, removed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import NOWHERE, code, launch, make_subnet, make_vpc, only, refused


def configured(**options: str) -> list[dict[str, Any]]:
    return [{"Key": key.replace("_", "-"), "Values": value.split()} for key, value in options.items()]


def make(ec2: Any, **options: str) -> str:
    return str(ec2.create_dhcp_options(DhcpConfigurations=configured(**options))["DhcpOptions"]["DhcpOptionsId"])


def told(jar: TestJar, machine: str) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """Resolvers, domain and time servers of a machine at its last start."""
    jar.settle()
    spec = jar.host.host.machines[machine].spec
    return tuple(a for a in (spec.resolver, *spec.fallbacks) if a), spec.domain, spec.time_servers


def test_a_set_says_what_it_was_given(ec2: Any) -> None:
    made = ec2.create_dhcp_options(
        DhcpConfigurations=[
            {"Key": "domain-name", "Values": ["corp.example"]},
            {"Key": "domain-name-servers", "Values": ["10.0.0.53,10.0.0.54", "AmazonProvidedDNS"]},
            *configured(ntp_servers="10.0.0.99 fd00::99", netbios_name_servers="10.0.0.7", netbios_node_type="2"),
        ],
        TagSpecifications=[{"ResourceType": "dhcp-options", "Tags": [{"Key": "Name", "Value": "corp"}]}],
    )["DhcpOptions"]
    said = {one["Key"]: [v["Value"] for v in one["Values"]] for one in made["DhcpConfigurations"]}
    assert said == {
        "domain-name": ["corp.example"],
        "domain-name-servers": ["10.0.0.53", "10.0.0.54", "AmazonProvidedDNS"],
        "ntp-servers": ["10.0.0.99", "fd00::99"],
        "netbios-name-servers": ["10.0.0.7"],
        "netbios-node-type": ["2"],
    }
    assert made["Tags"] == [{"Key": "Name", "Value": "corp"}]
    [found] = ec2.describe_dhcp_options(Filters=only(key="ntp-servers", value="10.0.0.99"))["DhcpOptions"]
    assert found == made
    assert len(ec2.describe_dhcp_options()["DhcpOptions"]) == 2


@pytest.mark.parametrize("wrong", [
    {"domain_name_servers": "1.2.3.4 1.2.3.5 1.2.3.6 1.2.3.7 1.2.3.8"},
    {"domain_name_servers": "amazon"},
    {"domain_name": "one two"},
    {"domain_name": "-/-"},
    {"ntp_servers": "time.example"},
    {"netbios_node_type": "3"},
    {"ipv6_address_preferred_lease_time": "1"},
    {"colour": "blue"},
])  # fmt: skip
def test_what_cannot_be_is_refused(steady_jar: TestJar, wrong: dict[str, str]) -> None:
    create = steady_jar.client("ec2").create_dhcp_options
    assert code(create, DhcpConfigurations=configured(**wrong)) == "InvalidParameterValue"


def test_guests_obey_the_set_of_their_vpc_from_their_next_start(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2, "10.7.0.0/16")
    machine = launch(ec2, SubnetId=make_subnet(ec2, vpc, "10.7.1.0/24"))
    domain = "eu-west-3.compute.internal"
    assert told(jar, machine) == (("10.7.0.2",), domain, ())
    servers = "10.7.1.53 AmazonProvidedDNS"
    own = make(ec2, domain_name="corp.example", domain_name_servers=servers, ntp_servers="10.9.9.9")
    for wanted, heard in (
        (own, (("10.7.1.53", "10.7.0.2"), "corp.example", ("10.9.9.9",))),
        (make(ec2, domain_name="corp.example"), ((), "corp.example", ())),
        ("default", (("169.254.169.253",), "", ())),
    ):
        ec2.associate_dhcp_options(DhcpOptionsId=wanted, VpcId=vpc)
        before = told(jar, machine)
        ec2.stop_instances(InstanceIds=[machine])
        assert told(jar, machine) == before
        ec2.start_instances(InstanceIds=[machine])
        assert told(jar, machine) == heard


def test_running_guests_hear_of_a_set_when_they_renew_their_leases(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2, "10.7.0.0/16")
    subnet = make_subnet(ec2, vpc, "10.7.1.0/24")
    first = launch(ec2, SubnetId=subnet)
    jar.settle()
    jar.advance(minutes=20)
    second = launch(ec2, SubnetId=subnet)
    before, boots = told(jar, first), jar.host.host.machines[first].boots
    own = make(ec2, domain_name="corp.example", domain_name_servers="10.7.1.53", ntp_servers="10.9.9.9")
    ec2.associate_dhcp_options(DhcpOptionsId=own, VpcId=vpc)
    assert told(jar, first) == before
    jar.advance(minutes=11)
    after = (("10.7.1.53",), "corp.example", ("10.9.9.9",))
    assert (told(jar, first), told(jar, second)) == (after, before)
    jar.advance(minutes=20)
    assert told(jar, second) == after
    assert jar.host.host.machines[first].boots == boots
    # A reboot asks at once.
    ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=vpc)
    ec2.reboot_instances(InstanceIds=[first])
    jar.settle()
    assert told(jar, first) == (("169.254.169.253",), "", ())
    assert told(jar, second) == after
    assert jar.host.host.machines[first].boots == boots + 1


def test_a_set_in_use_stays(ec2: Any) -> None:
    vpc, key = make_vpc(ec2), make(ec2, ntp_servers="10.0.0.9")
    ec2.associate_dhcp_options(DhcpOptionsId=key, VpcId=vpc)
    assert refused(ec2.delete_dhcp_options, DhcpOptionsId=key) == (
        "DependencyViolation", f"The dhcpOptions '{key}' has dependencies and cannot be deleted.",
    )  # fmt: skip
    ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=vpc)
    ec2.delete_dhcp_options(DhcpOptionsId=key)
    assert code(ec2.delete_dhcp_options, DhcpOptionsId=key) == "InvalidDhcpOptionID.NotFound"
    assert code(ec2.associate_dhcp_options, DhcpOptionsId=f"dopt-{NOWHERE}", VpcId=vpc) == (
        "InvalidDhcpOptionID.NotFound"
    )
