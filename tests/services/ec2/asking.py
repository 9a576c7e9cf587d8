"""Words that the tests of EC2's network share."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

ANYWHERE = "0.0.0.0/0"
NOWHERE = "00000000000000000"
UNBLOCKED = {"BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"}}
"""What is told of a VPC or subnet, beside what its making told."""


def refused(call: Any, /, **kwargs: Any) -> tuple[str, str]:
    """The code and the message with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**kwargs)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def code(call: Any, /, **kwargs: Any) -> str:
    """The code with which a call is refused."""
    return refused(call, **kwargs)[0]


def only(**filters: str) -> list[dict[str, Any]]:
    """EC2 filters; ``_`` for ``-`` and ``__`` for ``.``."""
    return [{"Name": k.replace("__", ".").replace("_", "-"), "Values": [v]} for k, v in filters.items()]


def make_vpc(ec2: Any, cidr: str = "10.0.0.0/16") -> str:
    return str(ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"])


def make_subnet(ec2: Any, vpc: str, cidr: str = "10.0.1.0/24", **more: Any) -> str:
    return str(ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, **more)["Subnet"]["SubnetId"])


def make_gateway(ec2: Any, vpc: str) -> str:
    gateway = str(ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"])
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    return gateway


def make_group(ec2: Any, vpc: str, name: str = "web") -> str:
    return str(ec2.create_security_group(GroupName=name, Description="for tests", VpcId=vpc)["GroupId"])


def main_table(ec2: Any, vpc: str) -> dict[str, Any]:
    found = ec2.describe_route_tables(Filters=only(vpc_id=vpc, association__main="true"))["RouteTables"]
    assert len(found) == 1
    table: dict[str, Any] = found[0]
    return table


def launch(ec2: Any, **more: Any) -> str:
    image = ec2.describe_images(
        Owners=["136693071363"], Filters=only(name="debian-12-amd64-*", architecture="x86_64")
    )["Images"][0]["ImageId"]
    answer = ec2.run_instances(**{"ImageId": image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, **more})
    return str(answer["Instances"][0]["InstanceId"])


def interface_of(ec2: Any, instance: str) -> dict[str, Any]:
    found = ec2.describe_network_interfaces(Filters=only(attachment__instance_id=instance))["NetworkInterfaces"]
    assert len(found) == 1
    eni: dict[str, Any] = found[0]
    return eni


def allow(jar: Any, quota: str = "L-1216C47A", value: int = 64) -> None:
    """Raise a quota of EC2 (its code; on-demand vCPUs of the standard families) and wait until it holds."""
    client = jar.client("service-quotas")
    client.request_service_quota_increase(ServiceCode="ec2", QuotaCode=quota, DesiredValue=value)
    jar.advance(minutes=10)
