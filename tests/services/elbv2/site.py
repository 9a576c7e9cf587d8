"""A VPC with two public subnets, and load balancers in it, said in few words."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.kit import certificates
from tests.jar import TestJar


class Site:
    """Made in the default VPC of a fresh account."""

    def __init__(self, jar: TestJar) -> None:
        self.jar = jar
        self.elb: Any = jar.client("elbv2")
        self.ec2: Any = jar.client("ec2")
        self.vpc = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
        subnets = self.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["Subnets"]
        self.subnets = [s["SubnetId"] for s in sorted(subnets, key=lambda s: str(s["AvailabilityZone"]))]

    def balancer(self, name: str = "web", **more: Any) -> dict[str, Any]:
        """A load balancer in two zones."""
        asked = {"Name": name, "Subnets": self.subnets[:2], **more}
        made: dict[str, Any] = self.elb.create_load_balancer(**asked)["LoadBalancers"][0]
        return made

    def group(self, name: str = "web", **more: Any) -> str:
        """A target group of addresses."""
        asked = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": self.vpc, "TargetType": "ip", **more}
        return str(self.elb.create_target_group(**asked)["TargetGroups"][0]["TargetGroupArn"])

    def certificate(self, domain: str = "www.example.com") -> str:
        """A certificate that is issued."""
        asked = {"DomainName": domain, "ValidationMethod": "DNS", "KeyAlgorithm": "EC_prime256v1"}
        arn = str(self.jar.client("acm").request_certificate(**asked)["CertificateArn"])
        certificates.prove(self.jar.jar.world, arn)
        self.jar.settle()
        return arn

    def listener(self, balancer: str, group: str, port: int = 80) -> str:
        """A listener that forwards."""
        made = self.elb.create_listener(
            LoadBalancerArn=balancer, Protocol="HTTP", Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )  # fmt: skip
        return str(made["Listeners"][0]["ListenerArn"])

    def health(self, group: str) -> dict[str, tuple[str, str]]:
        """Target to (state, reason)."""
        found = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {f["Target"]["Id"]: (f["TargetHealth"]["State"], f["TargetHealth"].get("Reason", "")) for f in found}

    def nodes(self) -> list[str]:
        """Names of the nodes that the host runs."""
        return self.jar.proxy.nodes()


def refused(code: str, message: str = "") -> Any:
    """The call is answered with this error."""
    return pytest.raises(ClientError, match=rf"\({code}\).*{message}")
