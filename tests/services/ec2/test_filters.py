"""Every filter that the model's documentation names is understood; any other is refused."""

from __future__ import annotations

import re

import botocore.session
import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import code

_NAMED = re.compile(r"<li>\s*<p>\s*<code>([a-z0-9.-]+)</code>")

CALLS = {
    "DescribeAddresses": "describe_addresses",
    "DescribeAvailabilityZones": "describe_availability_zones",
    "DescribeDhcpOptions": "describe_dhcp_options",
    "DescribeInternetGateways": "describe_internet_gateways",
    "DescribeKeyPairs": "describe_key_pairs",
    "DescribeNetworkAcls": "describe_network_acls",
    "DescribeNetworkInterfaces": "describe_network_interfaces",
    "DescribeRegions": "describe_regions",
    "DescribeRouteTables": "describe_route_tables",
    "DescribeSecurityGroupRules": "describe_security_group_rules",
    "DescribeSecurityGroups": "describe_security_groups",
    "DescribeSubnets": "describe_subnets",
    "DescribeTags": "describe_tags",
    "DescribeVpcs": "describe_vpcs",
}


def documented(operation: str) -> list[str]:
    model = botocore.session.get_session().get_service_model("ec2").operation_model(operation)
    names = _NAMED.findall(model.input_shape.members["Filters"].documentation)
    return ["tag:Name" if name == "tag" else name for name in names]


@pytest.mark.parametrize("operation", CALLS)
def test_documented_filters_are_understood(steady_jar: TestJar, operation: str) -> None:
    call = getattr(steady_jar.client("ec2"), CALLS[operation])
    names = documented(operation)
    assert names
    for name in names:
        found = call(Filters=[{"Name": name, "Values": ["nothing-is-called-this"]}])
        assert [items for items in found.values() if isinstance(items, list)] == [[]], name
    assert code(call, Filters=[{"Name": "colour", "Values": ["red"]}]) == "InvalidParameterValue"
