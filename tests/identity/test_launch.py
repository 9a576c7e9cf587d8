"""What a launch must be allowed, resource by resource, and by which facts it can be bounded."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, make_subnet, make_vpc, refused
from tests.services.iam.people import allow, policy, root, trust_service, user

DENIED = "UnauthorizedOperation"
EC2 = f"arn:aws:ec2:eu-west-3:{ACCOUNT}"
SUPPORT = allow("ec2:RunInstances", on="arn:aws:ec2:*::image/*")
PARTS = [f"{EC2}:{noun}/*" for noun in ("network-interface", "security-group", "subnet", "volume", "key-pair")]


def bounded(key: str, value: str, operator: str = "StringEquals") -> dict[str, Any]:
    return {operator: {key: value}}


def launcher(jar: TestJar, *statements: dict[str, Any], name: str = "ann") -> Any:
    """A client of somebody who may use everything that a launch needs but what the statements are about."""
    return user(jar, name, *statements).client("ec2")


def x86(ec2: Any) -> str:
    found = ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}])["Images"]
    return str(found[0]["ImageId"])


def launched(ec2: Any) -> str:
    """An instance, made by root."""
    made = ec2.run_instances(ImageId=x86(ec2), MinCount=1, MaxCount=1, InstanceType="t3.micro")
    return str(made["Instances"][0]["InstanceId"])


def run(client: Any, image: str, **more: Any) -> str:
    """What EC2 says to a dry run of a launch."""
    request = {"ImageId": image, "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro", "DryRun": True, **more}
    return code(client.run_instances, **request)


# Key, its value in an ordinary launch, which resource has it.
FACTS = [
    ("ec2:InstanceType", "t3.micro", "instance"),
    ("ec2:Tenancy", "default", "instance"),
    ("ec2:RootDeviceType", "ebs", "instance"),
    ("ec2:EbsOptimized", "false", "instance"),
    ("ec2:InstanceMarketType", "on-demand", "instance"),
    ("ec2:MetadataHttpTokens", "required", "instance"),
    ("ec2:MetadataHttpEndpoint", "enabled", "instance"),
    ("ec2:MetadataHttpPutResponseHopLimit", "2", "instance"),
    ("ec2:InstanceMetadataTags", "disabled", "instance"),
    ("ec2:ImageType", "machine", "image"),
    ("ec2:Owner", "amazon", "image"),
    ("ec2:Public", "true", "image"),
    ("ec2:VolumeSize", "8", "volume"),
    ("ec2:VolumeType", "gp3", "volume"),
    ("ec2:Encrypted", "false", "volume"),
    ("ec2:VolumeIops", "3000", "volume"),
    ("ec2:VolumeThroughput", "125", "volume"),
    ("ec2:AssociatePublicIpAddress", "true", "network-interface"),
    ("ec2:Region", "eu-west-3", "subnet"),
]


@pytest.mark.parametrize(("key", "value", "noun"), FACTS, ids=[fact[0] for fact in FACTS])
def test_a_launch_is_bounded_by_each_of_its_facts(steady_jar: TestJar, key: str, value: str, noun: str) -> None:
    ec2 = steady_jar.client("ec2")
    image = x86(ec2)
    bound = f"arn:aws:ec2:*:*:{noun}/*"
    elsewhere = {"Effect": "Allow", "Action": "ec2:RunInstances", "NotResource": bound}
    right = launcher(steady_jar, elsewhere, allow("ec2:RunInstances", on=bound, Condition=bounded(key, value)))
    assert run(right, image) == "DryRunOperation"
    wrong = allow("ec2:RunInstances", on=bound, Condition=bounded(key, value, "StringNotEquals"))
    assert run(launcher(steady_jar, elsewhere, wrong, name="bob"), image) == DENIED
    denied = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": bounded(key, value)}
    cat = launcher(steady_jar, allow("ec2:RunInstances"), denied, name="cat")
    assert run(cat, image) == DENIED


def test_only_the_instance_has_a_type(jar: TestJar, ec2: Any) -> None:
    everywhere = allow("ec2:RunInstances", Condition=bounded("ec2:InstanceType", "t3.micro"))
    said = refused(
        launcher(jar, everywhere).run_instances, ImageId=x86(ec2), MinCount=1, MaxCount=1, InstanceType="t3.micro"
    )
    assert said[0] == DENIED
    assert "because no identity-based policy allows the ec2:RunInstances action" in said[1]
    assert ":image/ami-" in said[1]
    on_instances = allow("ec2:RunInstances", on=f"{EC2}:instance/*", Condition=bounded("ec2:InstanceType", "t3.micro"))
    parts = [allow("ec2:RunInstances", on=arn) for arn in PARTS]
    bob = launcher(jar, SUPPORT, on_instances, *parts, name="bob")
    assert run(bob, x86(ec2)) == "DryRunOperation"
    assert run(bob, x86(ec2), InstanceType="t3.small") == DENIED


def test_developers_launch_in_their_vpc_alone(jar: TestJar, ec2: Any) -> None:
    mine, other = make_vpc(ec2), make_vpc(ec2, "10.1.0.0/16")
    here, there = make_subnet(ec2, mine), make_subnet(ec2, other, "10.1.1.0/24")
    placed = [f"{EC2}:{noun}/*" for noun in ("subnet", "network-interface", "security-group")]
    inside = [allow("ec2:RunInstances", on=arn, Condition=bounded("ec2:Vpc", f"{EC2}:vpc/{mine}")) for arn in placed]
    rest = [allow("ec2:RunInstances", on=f"{EC2}:{noun}/*") for noun in ("instance", "volume")]
    ann = launcher(jar, SUPPORT, *inside, *rest)
    groups = {
        vpc: ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"][0]["GroupId"]
        for vpc in (mine, other)
    }
    assert run(ann, x86(ec2), SubnetId=here, SecurityGroupIds=[groups[mine]]) == "DryRunOperation"
    assert run(ann, x86(ec2), SubnetId=there, SecurityGroupIds=[groups[other]]) == DENIED
    assert run(ann, x86(ec2), SubnetId=here, SecurityGroupIds=[groups[other]]) == DENIED


def test_every_made_thing_is_asked_about_with_its_own_tags(jar: TestJar, ec2: Any) -> None:
    tagged = bounded("aws:RequestTag/team", "blue")
    made = [allow("ec2:RunInstances", on=f"{EC2}:{noun}/*", Condition=tagged) for noun in ("instance", "volume")]
    used = [
        allow("ec2:RunInstances", on=f"{EC2}:{noun}/*") for noun in ("network-interface", "subnet", "security-group")
    ]
    tagging = allow("ec2:CreateTags", Condition=bounded("ec2:CreateAction", "RunInstances"))
    ann = launcher(jar, SUPPORT, *made, *used, tagging)

    def tags(*kinds: str, value: str = "blue") -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": [{"Key": "team", "Value": value}]} for kind in kinds]

    image = x86(ec2)
    assert run(ann, image) == DENIED
    assert run(ann, image, TagSpecifications=tags("instance")) == DENIED  # the volume has none
    assert run(ann, image, TagSpecifications=tags("instance", "volume")) == "DryRunOperation"
    assert run(ann, image, TagSpecifications=tags("instance", "volume", value="red")) == DENIED
    everywhere = launcher(jar, allow("ec2:RunInstances", Condition=tagged), tagging, name="bob")
    assert run(everywhere, image, TagSpecifications=tags("instance", "volume")) == DENIED


def test_who_may_tag_at_creation_and_with_what(jar: TestJar, ec2: Any) -> None:
    only = {
        "StringEquals": {"ec2:CreateAction": "CreateVpc", "aws:RequestTag/env": "dev"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["env", "Name"]},
    }
    ann = launcher(jar, allow("ec2:CreateVpc"), allow("ec2:CreateTags", on=f"{EC2}:vpc/*", Condition=only))

    def make(**tags: str) -> str:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        specs = [{"ResourceType": "vpc", "Tags": listed}]
        return code(ann.create_vpc, CidrBlock="10.0.0.0/16", DryRun=True, TagSpecifications=specs)

    assert make(env="dev", Name="x") == "DryRunOperation"
    assert make(env="prod") == DENIED
    assert make(Name="x") == DENIED
    assert make(env="dev", owner="ann") == DENIED


def test_who_may_tag_is_asked_about_the_tags_that_are_there(jar: TestJar, ec2: Any) -> None:
    mine, other = make_vpc(ec2), make_vpc(ec2, "10.1.0.0/16")
    ec2.create_tags(Resources=[mine], Tags=[{"Key": "Cost Center:Ärger/2", "Value": "42"}])
    when = bounded("aws:ResourceTag/cost center:ärger/2", "42")
    ann = launcher(jar, allow("ec2:CreateTags", "ec2:DeleteTags", "ec2:DeleteVpc", Condition=when))
    note = [{"Key": "note", "Value": "x"}]
    assert code(ann.create_tags, Resources=[mine, other], Tags=note) == DENIED
    ann.create_tags(Resources=[mine], Tags=note)
    ann.delete_tags(Resources=[mine], Tags=note)
    assert code(ann.delete_vpc, VpcId=other) == DENIED
    ann.delete_vpc(VpcId=mine)


@pytest.mark.parametrize(
    ("name", "allowed", "other"),
    [
        ("HttpTokens", "required", "optional"),
        ("HttpPutResponseHopLimit", "1", "3"),
        ("HttpEndpoint", "enabled", "disabled"),
    ],
)
def test_an_attribute_may_be_set_to_one_value_alone(steady_jar: TestJar, name: str, allowed: str, other: str) -> None:
    ec2 = steady_jar.client("ec2")
    vm = launched(ec2)
    when = bounded(f"ec2:Attribute/{name}", allowed)
    ann = launcher(steady_jar, allow("ec2:ModifyInstanceMetadataOptions", Condition=when))

    def value(text: str) -> Any:
        return int(text) if text.isdecimal() else text

    ann.modify_instance_metadata_options(InstanceId=vm, **{name: value(allowed)})
    again = {"InstanceId": vm, name: value(other)}
    assert code(ann.modify_instance_metadata_options, **again) == DENIED


def test_which_attribute_may_be_changed(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    subnet = make_subnet(ec2, vpc)
    ann = launcher(
        jar,
        allow("ec2:ModifyVpcAttribute", Condition=bounded("ec2:Attribute", "EnableDnsHostnames")),
        allow("ec2:ModifySubnetAttribute", Condition=bounded("ec2:Attribute/MapPublicIpOnLaunch", "false")),
    )
    ann.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    assert code(ann.modify_vpc_attribute, VpcId=vpc, EnableDnsSupport={"Value": False}) == DENIED
    ann.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": False})
    public = {"SubnetId": subnet, "MapPublicIpOnLaunch": {"Value": True}}
    assert code(ann.modify_subnet_attribute, **public) == DENIED


def test_passing_a_role_is_a_permission_of_its_own(jar: TestJar, ec2: Any) -> None:
    iam = root(jar, "iam")
    arns = {}
    for name in ("app", "admin"):
        iam.create_role(RoleName=name, Path="/svc/", AssumeRolePolicyDocument=trust_service("ec2.amazonaws.com"))
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        arns[name] = f"arn:aws:iam::{ACCOUNT}:role/svc/{name}"
    image = x86(ec2)
    vm = launched(ec2)
    run_any = allow("ec2:RunInstances", "ec2:AssociateIamInstanceProfile", "ec2:ReplaceIamInstanceProfileAssociation")
    passing = allow("iam:PassRole", on=arns["app"], Condition=bounded("iam:PassedToService", "ec2.amazonaws.com"))
    nobody = launcher(jar, run_any, name="nobody")
    said = refused(nobody.run_instances, ImageId=image, MinCount=1, MaxCount=1, IamInstanceProfile={"Name": "app"})
    assert said[0] == DENIED
    assert f"is not authorized to perform: iam:PassRole on resource: {arns['app']}" in said[1]
    ann = launcher(jar, run_any, passing)
    assert run(ann, image, IamInstanceProfile={"Name": "app"}) == "DryRunOperation"
    assert run(ann, image, IamInstanceProfile={"Name": "admin"}) == DENIED
    admin = {"Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/admin"}
    assert run(ann, image, IamInstanceProfile=admin) == DENIED
    assert code(ann.associate_iam_instance_profile, InstanceId=vm, IamInstanceProfile=admin) == DENIED
    ann.associate_iam_instance_profile(InstanceId=vm, IamInstanceProfile={"Name": "app"})
    key = ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"][0]["AssociationId"]
    swap = {"AssociationId": key, "IamInstanceProfile": {"Name": "admin"}}
    assert code(ann.replace_iam_instance_profile_association, **swap) == DENIED


def test_a_role_is_passed_to_one_service_and_one_instance(jar: TestJar, ec2: Any) -> None:
    iam = root(jar, "iam")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust_service("ec2.amazonaws.com"))
    iam.create_instance_profile(InstanceProfileName="app")
    iam.add_role_to_instance_profile(InstanceProfileName="app", RoleName="app")
    one, two = launched(ec2), launched(ec2)
    associate = allow("ec2:AssociateIamInstanceProfile")
    wrong = allow("iam:PassRole", Condition=bounded("iam:PassedToService", "lambda.amazonaws.com"))
    bob = launcher(jar, associate, wrong, name="bob")
    profile = {"Name": "app"}
    assert code(bob.associate_iam_instance_profile, InstanceId=one, IamInstanceProfile=profile) == DENIED
    here = allow("iam:PassRole", Condition={"ArnEquals": {"iam:AssociatedResourceArn": f"{EC2}:instance/{one}"}})
    ann = launcher(jar, associate, here)
    assert code(ann.associate_iam_instance_profile, InstanceId=two, IamInstanceProfile=profile) == DENIED
    ann.associate_iam_instance_profile(InstanceId=one, IamInstanceProfile=profile)
    new = allow(
        "ec2:AssociateIamInstanceProfile",
        Condition=bounded("ec2:NewInstanceProfile", f"arn:aws:iam::{ACCOUNT}:instance-profile/other"),
    )
    cat = launcher(jar, new, allow("iam:PassRole"), name="cat")
    assert code(cat.associate_iam_instance_profile, InstanceId=two, IamInstanceProfile=profile) == DENIED


def test_a_role_for_ec2_is_not_put_into_a_profile_without_passing_it(jar: TestJar) -> None:
    iam = root(jar, "iam")
    iam.create_role(RoleName="admin", AssumeRolePolicyDocument=trust_service("ec2.amazonaws.com"))
    iam.create_instance_profile(InstanceProfileName="mine")
    ann = user(jar, "ann", allow("iam:AddRoleToInstanceProfile")).client("iam")
    said = refused(ann.add_role_to_instance_profile, InstanceProfileName="mine", RoleName="admin")
    assert said[0] == "AccessDenied"
    assert "iam:PassRole" in said[1]


def test_people_are_tagged_at_creation_by_who_may_tag(jar: TestJar) -> None:
    tags = [{"Key": "team", "Value": "blue"}]
    ann = user(jar, "ann", allow("iam:CreateUser", "iam:CreateRole", "iam:CreatePolicy")).client("iam")
    for call, more in (
        (ann.create_user, {"UserName": "new"}),
        (ann.create_role, {"RoleName": "new", "AssumeRolePolicyDocument": trust_service("ec2.amazonaws.com")}),
        (ann.create_policy, {"PolicyName": "new", "PolicyDocument": policy(allow("s3:*"))}),
    ):
        said = refused(call, Tags=tags, **more)
        assert said[0] == "AccessDenied"
        assert "iam:Tag" in said[1]
        call(**more)
    blue = bounded("aws:RequestTag/team", "blue")
    bob = user(jar, "bob", allow("iam:CreateUser", "iam:TagUser", Condition=blue)).client("iam")
    bob.create_user(UserName="other", Tags=tags)
    assert code(bob.create_user, UserName="third", Tags=[{"Key": "team", "Value": "red"}]) == "AccessDenied"
    assert code(bob.create_user, UserName="third") == "AccessDenied"
