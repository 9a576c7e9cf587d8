"""What the laws ask about private links: an endpoint service and who is told of its connections."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.jar import ACCOUNT, TestJar

Scene = Callable[[Any], dict[str, Any]]
_TOPIC = f"arn:aws:sns:eu-west-3:{ACCOUNT}:"


def _balancer(jar: TestJar, name: str) -> str:
    """A network load balancer in the default VPC."""
    ec2, elb = jar.client("ec2"), jar.client("elbv2")
    subnet = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"][0]["SubnetId"]
    asked = {"Name": name, "Type": "network", "Scheme": "internal", "Subnets": [subnet]}
    return str(elb.create_load_balancer(**asked)["LoadBalancers"][0]["LoadBalancerArn"])


def service(jar: TestJar, name: str = "offered") -> str:
    """An endpoint service."""
    asked = {"NetworkLoadBalancerArns": [_balancer(jar, name)]}
    made = jar.client("ec2").create_vpc_endpoint_service_configuration(**asked)
    return str(made["ServiceConfiguration"]["ServiceId"])


def _notification(jar: TestJar, service_id: str, name: str) -> str:
    made = jar.client("ec2").create_vpc_endpoint_connection_notification(
        ServiceId=service_id, ConnectionNotificationArn=_TOPIC + name, ConnectionEvents=["Accept"]
    )["ConnectionNotification"]
    return str(made["ConnectionNotificationId"])


def _to_notify(things: Any) -> dict[str, Any]:
    return {"ServiceId": service(things.jar, "a"), "ConnectionNotificationArn": _TOPIC + "a",
            "ConnectionEvents": ["Accept"]}  # fmt: skip


SCENES: dict[str, Scene] = {
    "ec2:CancelImportTask": lambda _: {"ImportTaskId": "import-snap-0123456789abcdef0"},
    "ec2:CreateVpcEndpointConnectionNotification": _to_notify,
    "ec2:ModifyVpcEndpointConnectionNotification": lambda t: {
        "ConnectionNotificationId": _notification(t.jar, service(t.jar, "b"), "b"), "ConnectionEvents": ["Reject"],
    },
    "ec2:DeleteVpcEndpointConnectionNotifications": lambda t: {
        "ConnectionNotificationIds": [_notification(t.jar, service(t.jar, "c"), "c")],
    },
}  # fmt: skip


def many(jar: TestJar) -> dict[str, Any]:
    """Several services, permissions, connections and notifications, for the law about pages."""
    ec2 = jar.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    for n in range(7):
        key = service(jar, f"many-{n}")
        _notification(jar, key, f"many-{n}")
        name = f"com.amazonaws.vpce.eu-west-3.{key}"
        ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=name, VpcEndpointType="Interface")
    people = [f"arn:aws:iam::{ACCOUNT}:user/{n}" for n in range(7)]
    ec2.modify_vpc_endpoint_service_permissions(ServiceId=key, AddAllowedPrincipals=people)
    return {"DescribeVpcEndpointServicePermissions": {"ServiceId": key}}


def _bucket(jar: TestJar) -> Any:
    """A bucket with a disk image."""
    s3 = jar.client("s3")
    s3.create_bucket(Bucket="law-images", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    s3.put_object(Bucket="law-images", Key="disk.raw", Body=b"disk")
    return s3


def _imported(jar: TestJar) -> dict[str, Any]:
    """How a waiter asks about a disk image that is fetched."""
    _bucket(jar)
    trust = _statement(Principal={"Service": "vmie.amazonaws.com"}, Action="sts:AssumeRole")
    iam = jar.client("iam")
    iam.create_role(RoleName="vmimport", AssumeRolePolicyDocument=trust)
    may = _statement(Action="s3:GetObject", Resource="*")
    iam.put_role_policy(RoleName="vmimport", PolicyName="fetch", PolicyDocument=may)
    place = {"UserBucket": {"S3Bucket": "law-images", "S3Key": "disk.raw"}}
    return {"ImportTaskIds": [jar.client("ec2").import_snapshot(DiskContainer=place)["ImportTaskId"]]}


def _statement(**more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **more}]})


def _stored(jar: TestJar) -> dict[str, Any]:
    """How a waiter asks about an image on its way into a bucket."""
    _bucket(jar)
    ec2 = jar.client("ec2")
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"][0]["ImageId"]
    ran = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]
    jar.settle()
    own = ec2.create_image(InstanceId=ran["InstanceId"], Name="law", NoReboot=True)["ImageId"]
    jar.settle()
    ec2.create_store_image_task(ImageId=own, Bucket="law-images")
    return {"ImageIds": [own]}


WAITERS: dict[str, Scene] = {"SnapshotImported": _imported, "StoreImageTaskComplete": _stored}
