"""Names of machines by their id rather than by their address."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar
from tests.services.ec2.asking import code, launch, make_subnet, make_vpc, only
from tests.services.ec2.test_launch_ipv6 import dual
from tests.services.ec2.test_private_names import resolve

ZONE = "eu-west-3.compute.internal"


def shown(ec2: Any, machine: str) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0]
    return found


def test_a_subnet_says_how_its_machines_are_called(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    subnet = make_subnet(ec2, vpc)
    ec2.modify_subnet_attribute(SubnetId=subnet, PrivateDnsHostnameTypeOnLaunch="resource-name")
    ec2.modify_subnet_attribute(SubnetId=subnet, EnableResourceNameDnsARecordOnLaunch={"Value": True})
    machine = launch(ec2, SubnetId=subnet)
    vm = shown(ec2, machine)
    assert vm["PrivateDnsName"] == f"{machine}.{ZONE}"
    assert vm["PrivateDnsNameOptions"] == {
        "HostnameType": "resource-name", "EnableResourceNameDnsARecord": True, "EnableResourceNameDnsAAAARecord": False,
    }  # fmt: skip
    assert resolve(jar, vpc, f"{machine}.{ZONE}") == (vm["PrivateIpAddress"],)
    by_address = f"ip-{vm['PrivateIpAddress'].replace('.', '-')}.{ZONE}"
    assert resolve(jar, vpc, by_address) == (vm["PrivateIpAddress"],)
    plain = launch(ec2, SubnetId=subnet, PrivateDnsNameOptions={
        "HostnameType": "ip-name", "EnableResourceNameDnsARecord": False})  # fmt: skip
    assert shown(ec2, plain)["PrivateDnsName"].startswith("ip-")
    assert resolve(jar, vpc, f"{plain}.{ZONE}") == ()
    found = ec2.describe_instances(Filters=only(private_dns_name=f"{machine}.{ZONE}"))["Reservations"]
    assert [one["Instances"][0]["InstanceId"] for one in found] == [machine]


def test_a_machine_s_name_is_changed_while_it_is_stopped_and_its_record_at_any_time(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    machine = launch(ec2, SubnetId=make_subnet(ec2, vpc))
    jar.settle()
    change = ec2.modify_private_dns_name_options
    assert change(InstanceId=machine, EnableResourceNameDnsARecord=True)["Return"]
    address = shown(ec2, machine)["PrivateIpAddress"]
    assert resolve(jar, vpc, f"{machine}.{ZONE}") == (address,)
    assert code(change, InstanceId=machine, PrivateDnsHostnameType="resource-name") == "IncorrectInstanceState"
    change(InstanceId=machine, EnableResourceNameDnsAAAARecord=True)  # it has no IPv6 address that could be told
    assert resolve(jar, vpc, f"{machine}.{ZONE}") == (address,)
    ec2.stop_instances(InstanceIds=[machine])
    jar.settle()
    change(InstanceId=machine, PrivateDnsHostnameType="resource-name", EnableResourceNameDnsARecord=False)
    ec2.start_instances(InstanceIds=[machine])
    assert shown(ec2, machine)["PrivateDnsName"] == f"{machine}.{ZONE}"
    assert resolve(jar, vpc, f"{machine}.{ZONE}") == ()


def test_a_machine_s_id_leads_to_its_ipv6_address_where_that_is_asked_for(jar: TestJar, ec2: Any) -> None:
    subnet, _ = dual(ec2)
    attribute = {"EnableResourceNameDnsAAAARecordOnLaunch": {"Value": True}}
    plain = make_subnet(ec2, make_vpc(ec2, "10.7.0.0/16"), "10.7.1.0/24")
    assert code(ec2.modify_subnet_attribute, SubnetId=plain, **attribute) == "InvalidParameterValue"
    ec2.modify_subnet_attribute(SubnetId=subnet, **attribute)
    [shown_subnet] = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    assert shown_subnet["PrivateDnsNameOptionsOnLaunch"]["EnableResourceNameDnsAAAARecord"] is True
    machine = launch(ec2, SubnetId=subnet, Ipv6AddressCount=1)
    vm = shown(ec2, machine)
    assert vm["PrivateDnsNameOptions"]["EnableResourceNameDnsAAAARecord"] is True
    name = f"{machine}.{ZONE}"
    assert resolve(jar, vm["VpcId"], name) == (vm["Ipv6Address"],)
    ec2.modify_private_dns_name_options(InstanceId=machine, EnableResourceNameDnsARecord=True)
    assert resolve(jar, vm["VpcId"], name) == (vm["PrivateIpAddress"], vm["Ipv6Address"])
    ec2.modify_private_dns_name_options(InstanceId=machine, EnableResourceNameDnsAAAARecord=False)
    assert resolve(jar, vm["VpcId"], name) == (vm["PrivateIpAddress"],)
