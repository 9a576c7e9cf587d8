"""What the laws ask about private links: an endpoint service and who is told of its connections."""

from __future__ import annotations

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
