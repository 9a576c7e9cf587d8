"""What a request does not name by its id, or not at all, is held against the policy of the resource that is meant:
who may act on one is refused on another, and a default counts as what it is."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, interface_of, launch, make_group, make_subnet, make_vpc, only
from tests.services.iam.people import allow, role, trust_service, user

EC2 = f"arn:aws:ec2:eu-west-3:{ACCOUNT}"
REFUSED = "UnauthorizedOperation"


def arn(key: str) -> str:
    """The ARN of a resource by its id."""
    noun = {"i": "instance", "eni": "network-interface", "sg": "security-group", "acl": "network-acl"}
    prefix = key.rpartition("-")[0]
    return f"{EC2}:{noun.get(prefix, prefix)}/{key}"


def within(action: str, *arns: str) -> dict[str, Any]:
    """A statement that allows an action on these resources."""
    return {"Effect": "Allow", "Action": action, "Resource": list(arns)}


def launcher(jar: TestJar, name: str, *arns: str) -> Any:
    """EC2 as who may launch anything, but only into these subnets and groups."""
    others = [f"{EC2}:{noun}/*" for noun in ("instance", "volume", "network-interface")]
    may = within("ec2:RunInstances", *others, "arn:aws:ec2:eu-west-3::image/*", *arns)
    return user(jar, name, allow("ec2:Describe*"), may).client("ec2")


def test_a_launch_without_a_subnet_is_one_into_the_default_subnet(jar: TestJar, ec2: Any) -> None:
    vpc = ec2.describe_vpcs(Filters=only(is_default="true"))["Vpcs"][0]["VpcId"]
    vm = launch(ec2)
    subnet = ec2.describe_instances(InstanceIds=[vm])["Reservations"][0]["Instances"][0]["SubnetId"]
    others = [
        s["SubnetId"] for s in ec2.describe_subnets(Filters=only(vpc_id=vpc))["Subnets"] if s["SubnetId"] != subnet
    ]
    group = ec2.describe_security_groups(Filters=only(vpc_id=vpc, group_name="default"))["SecurityGroups"][0]["GroupId"]
    other_group = make_group(ec2, vpc)
    assert launch(launcher(jar, "ann", arn(subnet), arn(group))).startswith("i-")
    elsewhere = launcher(jar, "bob", arn(others[0]), arn(group))
    assert code(launch, ec2=elsewhere) == REFUSED
    other = launcher(jar, "eve", arn(subnet), arn(other_group))
    assert code(launch, ec2=other) == REFUSED


def test_a_launch_with_an_interface_is_one_into_its_subnet(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    mine, other = make_subnet(ec2, vpc), make_subnet(ec2, vpc, "10.0.2.0/24")
    eni, foreign = (
        ec2.create_network_interface(SubnetId=s)["NetworkInterface"]["NetworkInterfaceId"] for s in (mine, other)
    )
    ann = launcher(jar, "ann", arn(mine), f"{EC2}:security-group/*")
    assert launch(ann, NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": eni}]).startswith("i-")
    plugged = [{"DeviceIndex": 0, "NetworkInterfaceId": foreign}]
    assert code(launch, ec2=ann, NetworkInterfaces=plugged) == REFUSED


def test_groups_by_name_are_those_of_the_default_vpc(jar: TestJar, ec2: Any) -> None:
    vpc = ec2.describe_vpcs(Filters=only(is_default="true"))["Vpcs"][0]["VpcId"]
    web, ssh = make_group(ec2, vpc), make_group(ec2, vpc, "ssh")
    ann = launcher(jar, "ann", f"{EC2}:subnet/*", arn(web))
    assert launch(ann, SecurityGroups=["web"]).startswith("i-")
    assert code(launch, ec2=ann, SecurityGroups=["ssh"]) == REFUSED
    keeper = user(jar, "bob", allow("ec2:DeleteSecurityGroup", on=arn(ssh))).client("ec2")
    assert code(keeper.delete_security_group, GroupName="web") == REFUSED
    keeper.delete_security_group(GroupName="ssh")


def test_a_group_without_a_vpc_is_made_in_the_default_one(jar: TestJar, ec2: Any) -> None:
    default, other = ec2.describe_vpcs(Filters=only(is_default="true"))["Vpcs"][0]["VpcId"], make_vpc(ec2)
    group = f"{EC2}:security-group/*"
    right = user(jar, "ann", within("ec2:CreateSecurityGroup", arn(default), group)).client("ec2")
    wrong = user(jar, "bob", within("ec2:CreateSecurityGroup", arn(other), group)).client("ec2")
    assert code(wrong.create_security_group, GroupName="a", Description="a") == REFUSED
    assert right.create_security_group(GroupName="a", Description="a")["GroupId"].startswith("sg-")


def test_attachments_belong_to_an_instance_and_an_interface(jar: TestJar, ec2: Any) -> None:
    vm, other = launch(ec2), launch(ec2)
    jar.settle()
    attachments = []
    for one in (vm, other):
        subnet = interface_of(ec2, one)["SubnetId"]
        eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
        attached = ec2.attach_network_interface(DeviceIndex=1, InstanceId=one, NetworkInterfaceId=eni)
        attachments.append(attached["AttachmentId"])
    ann = user(
        jar,
        "ann",
        allow("ec2:DetachNetworkInterface", on=arn(vm)),
        allow("ec2:DetachNetworkInterface", on=f"{EC2}:network-interface/*"),
    ).client("ec2")
    assert code(ann.detach_network_interface, AttachmentId=attachments[1]) == REFUSED
    ann.detach_network_interface(AttachmentId=attachments[0])


def test_profile_associations_belong_to_an_instance(jar: TestJar, ec2: Any, iam: Any) -> None:
    role(jar, "web", trust_service("ec2.amazonaws.com"))
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    vm, other = (launch(ec2, IamInstanceProfile={"Name": "web"}) for _ in range(2))
    found = ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
    of = {one["InstanceId"]: one["AssociationId"] for one in found}
    ann = user(jar, "ann", allow("ec2:DisassociateIamInstanceProfile", on=arn(vm))).client("ec2")
    assert code(ann.disassociate_iam_instance_profile, AssociationId=of[other]) == REFUSED
    ann.disassociate_iam_instance_profile(AssociationId=of[vm])


def test_a_block_belongs_to_its_vpc(jar: TestJar, ec2: Any) -> None:
    vpc, other = make_vpc(ec2), make_vpc(ec2, "10.2.0.0/16")
    added = [
        ec2.associate_vpc_cidr_block(VpcId=one, CidrBlock=block)["CidrBlockAssociation"]["AssociationId"]
        for one, block in ((vpc, "10.1.0.0/16"), (other, "10.3.0.0/16"))
    ]
    ann = user(jar, "ann", allow("ec2:DisassociateVpcCidrBlock", on=arn(vpc))).client("ec2")
    assert code(ann.disassociate_vpc_cidr_block, AssociationId=added[1]) == REFUSED
    ann.disassociate_vpc_cidr_block(AssociationId=added[0])


def test_network_acl_associations_belong_to_a_subnet(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    mine, other = make_subnet(ec2, vpc), make_subnet(ec2, vpc, "10.0.2.0/24")
    [default] = ec2.describe_network_acls(Filters=only(vpc_id=vpc, default="true"))["NetworkAcls"]
    of = {one["SubnetId"]: one["NetworkAclAssociationId"] for one in default["Associations"]}
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ann = user(
        jar,
        "ann",
        allow("ec2:ReplaceNetworkAclAssociation", on=arn(mine)),
        allow("ec2:ReplaceNetworkAclAssociation", on=f"{EC2}:network-acl/*"),
    ).client("ec2")
    assert code(ann.replace_network_acl_association, AssociationId=of[other], NetworkAclId=acl) == REFUSED
    ann.replace_network_acl_association(AssociationId=of[mine], NetworkAclId=acl)
