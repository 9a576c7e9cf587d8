"""Every waiter of every built operation comes to its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore import xform_name

from cloudjar.app import SERVICES
from cloudjar.spec import models
from tests.jar import TestJar
from tests.laws import (
    balancing,
    scenes_cloudwatch,
    scenes_databases,
    scenes_ec2,
    scenes_links,
    scenes_mail,
    scenes_s3,
    scenes_streams,
    ways_in,
)
from tests.laws.built import operations
from tests.laws.seeds_network import nat_gateway, peering

TRUST = {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
Params = dict[str, Any]


def waiters() -> list[tuple[str, str]]:
    """(service, waiter) of all whose operation is built."""
    built = {(service, operation.name) for service, operation, _ in operations()}
    return [
        (service, name)
        for service in sorted(SERVICES)
        for name, waiter in models.waiters(service).items()
        if (service, waiter.operation) in built
    ]


def image(jar: TestJar) -> str:
    """A public image that every jar has."""
    found = jar.client("ec2").describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])
    return str(found["Images"][0]["ImageId"])


def machine(jar: TestJar, *then: str, keep_disk: bool = False) -> str:
    """An instance on which further operations were called."""
    ec2 = jar.client("ec2")
    disk = [{"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": not keep_disk}}]
    ran = ec2.run_instances(
        ImageId=image(jar), InstanceType="t3.micro", MinCount=1, MaxCount=1, BlockDeviceMappings=disk
    )
    found = str(ran["Instances"][0]["InstanceId"])
    for operation in then:
        jar.settle()
        getattr(ec2, operation)(InstanceIds=[found])
    return found


def volume(jar: TestJar, instance: str) -> str:
    """The root volume of an instance."""
    found = jar.client("ec2").describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [instance]}])
    return str(found["Volumes"][0]["VolumeId"])


def snapshot(jar: TestJar) -> str:
    """A snapshot of the root volume of an instance."""
    instance = machine(jar)
    jar.settle()
    return str(jar.client("ec2").create_snapshot(VolumeId=volume(jar, instance))["SnapshotId"])


def kept_volume(jar: TestJar) -> str:
    """A volume whose instance is gone."""
    instance = machine(jar, keep_disk=True)
    found = volume(jar, instance)
    jar.client("ec2").terminate_instances(InstanceIds=[instance])
    return found


def lost_volume(jar: TestJar) -> str:
    """A volume that goes with its instance."""
    instance = machine(jar)
    found = volume(jar, instance)
    jar.client("ec2").terminate_instances(InstanceIds=[instance])
    return found


def vpc(jar: TestJar) -> str:
    """A new VPC."""
    return str(jar.client("ec2").create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"])


def subnet(jar: TestJar) -> str:
    """A new subnet."""
    return str(jar.client("ec2").create_subnet(VpcId=vpc(jar), CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"])


def made(jar: TestJar, service: str, operation: str, **params: Any) -> Any:
    """The answer of a call."""
    return getattr(jar.client(service), operation)(**params)


def policy(jar: TestJar) -> str:
    """A new managed policy."""
    return str(made(jar, "iam", "create_policy", PolicyName="w", PolicyDocument=POLICY)["Policy"]["Arn"])


def group(jar: TestJar) -> str:
    """A new security group."""
    return str(made(jar, "ec2", "create_security_group", GroupName="w", Description="w", VpcId=vpc(jar))["GroupId"])


def gateway(jar: TestJar) -> str:
    """A new internet gateway."""
    return str(made(jar, "ec2", "create_internet_gateway")["InternetGateway"]["InternetGatewayId"])


def card(jar: TestJar) -> str:
    """A new network interface."""
    answer = made(jar, "ec2", "create_network_interface", SubnetId=subnet(jar))
    return str(answer["NetworkInterface"]["NetworkInterfaceId"])


def spot_request(jar: TestJar) -> Params:
    """A request for a spot instance."""
    spec = {"ImageId": image(jar), "InstanceType": "t3.micro"}
    answer = made(jar, "ec2", "request_spot_instances", LaunchSpecification=spec)
    return {"SpotInstanceRequestIds": [answer["SpotInstanceRequests"][0]["SpotInstanceRequestId"]]}


SCENES: dict[str, Callable[[TestJar], Params]] = {
    **balancing.WAITERS,
    **scenes_cloudwatch.WAITERS,
    **scenes_databases.WAITERS,
    **scenes_ec2.WAITERS,
    **scenes_links.WAITERS,
    **scenes_mail.WAITERS,
    **scenes_s3.WAITERS,
    **scenes_streams.WAITERS,
    **ways_in.WAITERS,
    "VpcPeeringConnectionDeleted": lambda jar: peering(jar, "delete_vpc_peering_connection"),
    "VpcPeeringConnectionExists": peering,
    "ImageAvailable": lambda jar: {"ImageIds": [image(jar)]},
    "ImageExists": lambda jar: {"ImageIds": [image(jar)]},
    "InstanceExists": lambda jar: {"InstanceIds": [machine(jar)]},
    "InstanceRunning": lambda jar: {"InstanceIds": [machine(jar)]},
    "InstanceStatusOk": lambda jar: {"InstanceIds": [machine(jar)]},
    "InstanceStopped": lambda jar: {"InstanceIds": [machine(jar, "stop_instances")]},
    "InstanceTerminated": lambda jar: {"InstanceIds": [machine(jar, "terminate_instances")]},
    "InternetGatewayExists": lambda jar: {"InternetGatewayIds": [gateway(jar)]},
    "KeyPairExists": lambda jar: {"KeyNames": [made(jar, "ec2", "create_key_pair", KeyName="w")["KeyName"]]},
    "NatGatewayAvailable": nat_gateway,
    "NatGatewayDeleted": lambda jar: nat_gateway(jar, "delete_nat_gateway"),
    "NetworkInterfaceAvailable": lambda jar: {"NetworkInterfaceIds": [card(jar)]},
    "SecurityGroupExists": lambda jar: {"GroupIds": [group(jar)]},
    "SpotInstanceRequestFulfilled": spot_request,
    "SubnetAvailable": lambda jar: {"SubnetIds": [subnet(jar)]},
    "SystemStatusOk": lambda jar: {"InstanceIds": [machine(jar)]},
    "SnapshotCompleted": lambda jar: {"SnapshotIds": [snapshot(jar)]},
    "VolumeAvailable": lambda jar: {"VolumeIds": [kept_volume(jar)]},
    "VolumeDeleted": lambda jar: {"VolumeIds": [lost_volume(jar)]},
    "VolumeInUse": lambda jar: {"VolumeIds": [volume(jar, machine(jar))]},
    "VpcAvailable": lambda jar: {"VpcIds": [vpc(jar)]},
    "VpcExists": lambda jar: {"VpcIds": [vpc(jar)]},
    "InstanceProfileExists": lambda jar: {
        "InstanceProfileName": made(jar, "iam", "create_instance_profile", InstanceProfileName="w")["InstanceProfile"][
            "InstanceProfileName"
        ]
    },
    "PolicyExists": lambda jar: {"PolicyArn": policy(jar)},
    "RoleExists": lambda jar: {
        "RoleName": made(jar, "iam", "create_role", RoleName="w", AssumeRolePolicyDocument=DOCUMENT)["Role"]["RoleName"]
    },
    "UserExists": lambda jar: {"UserName": made(jar, "iam", "create_user", UserName="w")["User"]["UserName"]},
}
_NO_CONVERSION = "instances and volumes are imported by images and snapshots: there are no such tasks"
NOT_YET = {
    "BundleTaskComplete": "only Windows instances on instance stores can be bundled",
    "ConversionTaskCancelled": _NO_CONVERSION,
    "ConversionTaskCompleted": _NO_CONVERSION,
    "ConversionTaskDeleted": _NO_CONVERSION,
    "LogAlarmExists": "alarms on log queries are not built, and DescribeAlarms lists none",
    "PasswordDataAvailable": "only Windows has a password to wait for",
}


def test_every_waiter_has_a_scene_or_a_reason() -> None:
    names = {name for _, name in waiters()}
    assert names == set(SCENES) | set(NOT_YET)


@pytest.mark.parametrize(("service", "name"), [pair for pair in waiters() if pair[1] not in NOT_YET])
def test_a_waiter_comes_to_its_end(steady_jar: TestJar, service: str, name: str) -> None:
    params = SCENES[name](steady_jar)
    steady_jar.settle()
    waiter = steady_jar.client(service).get_waiter(xform_name(name))
    waiter.wait(**params, WaiterConfig={"Delay": 0, "MaxAttempts": 2})
    assert waiter.config.operation == models.waiters(service)[name].operation
