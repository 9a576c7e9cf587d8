"""Developers may use dev and test, but not production: by account, by tag, by VPC. What interviewers ask first."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import Person, allow, deny, policy, refused, root, trust, user
from tests.services.organizations.estate import ROLE, Estate, administrator

REGION = "eu-west-3"


def image(ec2: Any) -> str:
    """A public image."""
    found = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])
    return str(found["Images"][0]["ImageId"])


def launch(ec2: Any, **more: Any) -> str:
    """A small machine."""
    wanted = {"ImageId": image(ec2), "InstanceType": "t2.micro", "MinCount": 1, "MaxCount": 1, **more}
    return str(ec2.run_instances(**wanted)["Instances"][0]["InstanceId"])


def tagged(env: str) -> list[dict[str, Any]]:
    """The tags of a machine of an environment, at its launch."""
    return [{"ResourceType": "instance", "Tags": [{"Key": "env", "Value": env}]}]


# By account ------------------------------------------------------------------------------------------------


def test_by_account(jar: TestJar) -> None:
    """A role in each account; the developers' group may assume those of dev and test. Production is walled off by its
    OU besides: not even its own administrators launch anything there but through the deployment role."""
    estate = Estate(jar)
    production = estate.unit("production")
    only_deploy = {"StringNotLike": {"aws:PrincipalArn": [f"arn:aws:iam::*:role/{name}" for name in ("deploy", ROLE)]}}
    estate.policy("hands-off", {**deny("ec2:RunInstances", "ec2:TerminateInstances"), "Condition": only_deploy},
                  on=production)  # fmt: skip
    accounts = {name: estate.account(name) for name in ("dev", "test")}
    accounts["prod"] = estate.account("prod", production)
    boss = administrator(jar, ACCOUNT)
    roles = {name: developer_role(boss, number) for name, number in accounts.items()}
    ann = developer(jar, roles["dev"], roles["test"])
    for name in ("dev", "test"):
        ec2 = ann.assume(roles[name]).client("ec2")
        assert launch(ec2)
        owner = ec2.describe_instances()["Reservations"][0]["OwnerId"]
        assert owner == accounts[name]
    with refused("AccessDenied", "user/ann is not authorized to perform: sts:AssumeRole"):
        ann.assume(roles["prod"])
    not_even_its_administrator(jar, accounts["prod"])
    deploy = root(jar, "iam", accounts["prod"]).create_role(
        RoleName="deploy", AssumeRolePolicyDocument=trust(accounts["prod"])
    )["Role"]["Arn"]
    root(jar, "iam", accounts["prod"]).put_role_policy(
        RoleName="deploy", PolicyName="may", PolicyDocument=policy(allow("ec2:*"))
    )
    pipeline = user(jar, "pipeline", allow("sts:AssumeRole", on=deploy), account=accounts["prod"])
    assert launch(pipeline.assume(deploy).client("ec2"))


def developer_role(boss: Person, number: str) -> str:
    """The role for developers in an account, made by the management account's administrator through the way in that
    Organizations leaves; its ARN."""
    iam = boss.assume(f"arn:aws:iam::{number}:role/{ROLE}").client("iam")
    iam.create_role(RoleName="Developer", AssumeRolePolicyDocument=trust(ACCOUNT))
    iam.put_role_policy(RoleName="Developer", PolicyName="ec2", PolicyDocument=policy(allow("ec2:*")))
    return f"arn:aws:iam::{number}:role/Developer"


def developer(jar: TestJar, *roles: str) -> Person:
    """Ann, of the group that may become developer in some accounts."""
    iam = root(jar, "iam")
    iam.create_group(GroupName="developers")
    statement = {**allow("sts:AssumeRole"), "Resource": list(roles)}
    iam.put_group_policy(GroupName="developers", PolicyName="environments", PolicyDocument=policy(statement))
    ann = user(jar, "ann")
    iam.add_user_to_group(GroupName="developers", UserName="ann")
    return ann


def not_even_its_administrator(jar: TestJar, number: str) -> None:
    """The wall binds whoever is in the account, its root user too."""
    admin = user(jar, "admin", allow("*"), account=number)
    words = "with an explicit deny in a service control policy"
    with refused("UnauthorizedOperation", words):
        launch(admin.client("ec2"))
    with refused("UnauthorizedOperation", words):
        launch(root(jar, "ec2", number))


# By tag ----------------------------------------------------------------------------------------------------

ENVIRONMENTS = ["dev", "test"]
OWN_TAG = {"StringEquals": {"aws:ResourceTag/env": ENVIRONMENTS}}


def test_by_tag(jar: TestJar, ec2: Any) -> None:
    """One account: machines carry their environment, and nobody can take that tag off, or launch without it."""
    everywhere = launch(ec2, TagSpecifications=tagged("prod"))
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/*"
    born = {"StringEquals": {"aws:RequestTag/env": ENVIRONMENTS}}
    parts = [f"arn:aws:ec2:{REGION}:{ACCOUNT}:{noun}/*" for noun in ("subnet", "security-group", "network-interface",
             "volume", "key-pair")]  # fmt: skip
    ann = user(
        jar, "ann",
        allow("ec2:Describe*"),
        {**allow("ec2:RunInstances", on=arn), "Condition": born},
        {**allow("ec2:RunInstances"), "Resource": [*parts, f"arn:aws:ec2:{REGION}::image/*"]},
        {**allow("ec2:CreateTags", on=arn), "Condition": {"StringEquals": {"ec2:CreateAction": "RunInstances"}}},
        {**allow("ec2:StartInstances", "ec2:StopInstances", "ec2:TerminateInstances", on=arn), "Condition": OWN_TAG},
    )  # fmt: skip
    hers = ann.client("ec2")
    mine = launch(hers, TagSpecifications=tagged("dev"))
    jar.settle()
    hers.stop_instances(InstanceIds=[mine])
    for env in ("prod", "Dev"):
        with refused("UnauthorizedOperation", "ec2:RunInstances"):
            launch(hers, TagSpecifications=tagged(env))
    with refused("UnauthorizedOperation", "ec2:RunInstances"):
        launch(hers)  # without the tag
    with refused("UnauthorizedOperation", "ec2:StopInstances"):
        hers.stop_instances(InstanceIds=[everywhere])
    with refused("UnauthorizedOperation"):
        hers.stop_instances(InstanceIds=[mine, everywhere])  # one that is not hers spoils the whole
    with refused("UnauthorizedOperation", "ec2:CreateTags"):
        hers.create_tags(Resources=[everywhere], Tags=[{"Key": "env", "Value": "dev"}])
    with refused("UnauthorizedOperation", "ec2:DeleteTags"):
        hers.delete_tags(Resources=[mine], Tags=[{"Key": "env"}])
    states = {
        i["InstanceId"]: i["State"]["Name"] for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]
    }
    assert states[everywhere] in ("pending", "running")


# By VPC ----------------------------------------------------------------------------------------------------


def test_by_vpc(jar: TestJar, ec2: Any) -> None:
    """One account, a VPC for each environment: what stands in production's is out of reach."""
    places = {}
    for number, env in enumerate(("dev", "prod"), 1):
        vpc = ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{number}.1.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(GroupName=env, Description=env, VpcId=vpc)["GroupId"]
        places[env] = (f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/{vpc}", subnet, group)
    inside = {"ArnEquals": {"ec2:Vpc": places["dev"][0]}}
    theirs = [f"arn:aws:ec2:{REGION}:{ACCOUNT}:{noun}/*" for noun in ("subnet", "security-group", "network-interface")]
    made = [f"arn:aws:ec2:{REGION}:{ACCOUNT}:{noun}/*" for noun in ("instance", "volume")]
    ann = user(
        jar, "ann",
        allow("ec2:Describe*"),
        {**allow("ec2:RunInstances"), "Resource": theirs, "Condition": inside},
        {**allow("ec2:RunInstances"), "Resource": [*made, f"arn:aws:ec2:{REGION}::image/*"]},
        {**allow("ec2:AuthorizeSecurityGroupIngress", "ec2:DeleteSubnet"), "Condition": inside},
    )  # fmt: skip
    hers = ann.client("ec2")
    _, subnet, group = places["dev"]
    assert launch(hers, SubnetId=subnet, SecurityGroupIds=[group])
    port = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "10.0.0.0/8"}
    hers.authorize_security_group_ingress(GroupId=group, **port)
    _, subnet, group = places["prod"]
    with refused("UnauthorizedOperation", "ec2:RunInstances"):
        launch(hers, SubnetId=subnet, SecurityGroupIds=[group])
    with refused("UnauthorizedOperation", "ec2:AuthorizeSecurityGroupIngress"):
        hers.authorize_security_group_ingress(GroupId=group, **port)
    with refused("UnauthorizedOperation", "ec2:DeleteSubnet"):
        hers.delete_subnet(SubnetId=subnet)
    with refused("UnauthorizedOperation"):  # production's group on a machine in dev is production's affair too
        launch(hers, SubnetId=places["dev"][1], SecurityGroupIds=[group])
