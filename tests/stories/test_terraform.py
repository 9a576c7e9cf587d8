"""Terraform's AWS provider against a jar: what it makes it finds again, changes in place, and takes away whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.stories.served import Served
from tests.stories.terraform import Terraform, why_not

pytestmark = [
    pytest.mark.story,
    pytest.mark.slow,
    pytest.mark.timeout(1200),  # the provider itself waits, ten seconds at a time
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "it is there"),
]
HCL = Path(__file__).with_name("hcl")


def public_key() -> str:
    """A fresh ED25519 key as ssh-keygen writes it."""
    key = Ed25519PrivateKey.generate().public_key()
    return f"{key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} somebody@somewhere"


def tags_of(instance: dict[str, Any]) -> dict[str, str]:
    """Tags as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in instance["Tags"]}


def test_a_project_lives_and_dies(served: Served) -> None:
    terraform = Terraform(served, HCL / "project", *served.user("admin-dev"), public_key=public_key())
    terraform.apply()
    assert terraform.changes() == ""
    ec2, iam = served.client("ec2"), served.client("iam")
    vm = ec2.describe_instances(InstanceIds=[terraform.output("instance")])["Reservations"][0]["Instances"][0]
    assert vm["State"]["Name"] == "running"
    assert vm["PublicIpAddress"] == terraform.output("public_ip")
    assert tags_of(vm) == {"Name": "server", "Stage": "test", "Project": "devops"}
    assert terraform.output("al2023").startswith("ami-")

    changed = terraform.apply(stage="prod")
    assert "0 added, 1 changed, 0 destroyed" in changed
    assert terraform.changes(stage="prod") == ""
    again = ec2.describe_instances(InstanceIds=[vm["InstanceId"]])["Reservations"][0]["Instances"][0]
    assert tags_of(again)["Stage"] == "prod"
    assert again["LaunchTime"] == vm["LaunchTime"]

    terraform.destroy()
    assert_nothing_is_left(ec2, iam, vm["InstanceId"])


def assert_nothing_is_left(ec2: Any, iam: Any, instance: str) -> None:
    """All that the project made is gone; the account has what it had before."""
    vm = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    assert vm["State"]["Name"] == "terminated"
    assert [vpc["IsDefault"] for vpc in ec2.describe_vpcs()["Vpcs"]] == [True]
    assert {group["GroupName"] for group in ec2.describe_security_groups()["SecurityGroups"]} == {"default"}
    assert ec2.describe_volumes()["Volumes"] == []
    assert ec2.describe_addresses()["Addresses"] == []
    assert ec2.describe_key_pairs()["KeyPairs"] == []
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert iam.list_instance_profiles()["InstanceProfiles"] == []
    assert iam.list_policies(Scope="Local")["Policies"] == []
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName="server")


def test_a_grown_project_is_seen_as_it_is(served: Served) -> None:
    terraform = Terraform(served, HCL / "wide", *served.user("admin-dev"), public_key=public_key())
    terraform.apply()
    assert terraform.changes() == ""
    assert terraform.output("vpcs") == "5"
    assert terraform.output("micro") == "1024 3"
    assert "10.0.1.10" in terraform.output("running").split(",")
    assert "1 added, 1 changed, 1 destroyed" in terraform.apply(port="9000")

    ec2, iam = served.client("ec2"), served.client("iam")
    iam.untag_user(UserName="ann", TagKeys=["Team"])
    mine = [{"Name": "tag:Name", "Values": ["app"]}]
    [rule] = ec2.describe_security_group_rules(Filters=mine)["SecurityGroupRules"]
    ec2.revoke_security_group_ingress(GroupId=rule["GroupId"], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
    found = terraform.changes(port="9000")
    assert "aws_iam_user.ann will be updated in-place" in found
    assert "aws_vpc_security_group_ingress_rule.app will be created" in found
    assert "1 added, 1 changed, 0 destroyed" in terraform.apply(port="9000")
    assert terraform.changes(port="9000") == ""

    terraform.destroy()
    assert [vpc["IsDefault"] for vpc in ec2.describe_vpcs()["Vpcs"]] == [True]
    assert ec2.describe_addresses()["Addresses"] == []
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["admin-dev"]
    assert [iam.list_groups()["Groups"], iam.list_roles()["Roles"]] == [[], []]
    [request] = served.client("service-quotas").list_requested_service_quota_change_history()["RequestedQuotas"]
    assert (request["QuotaName"], request["DesiredValue"]) == ("EC2-VPC Elastic IPs", 8)


def test_who_may_only_look_makes_nothing(served: Served) -> None:
    looker = served.user("looker", "AmazonEC2ReadOnlyAccess")
    status, text = Terraform(served, HCL / "vpc", *looker).run("apply", "-auto-approve", "-input=false")
    assert status == 1
    assert "UnauthorizedOperation" in text
    assert "user/looker is not authorized to perform: ec2:CreateVpc" in text
    assert len(served.client("ec2").describe_vpcs()["Vpcs"]) == 1
