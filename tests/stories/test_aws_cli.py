"""The commands that people type, with the stock AWS CLI in both of its versions: what it prints and how it ends."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.stories.aws_cli import Cli, installed
from tests.stories.served import Served

pytestmark = [pytest.mark.story, pytest.mark.timeout(600)]
AL2023 = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
LOOKER = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]}
)


def version(major: int) -> object:
    """A parameter of `aws`, skipped aloud when the machine lacks that version."""
    lacking = pytest.mark.skipif(installed(major) is None, reason=f"the AWS CLI v{major} is not on this machine")
    return pytest.param(major, id=f"v{major}", marks=lacking)


@pytest.fixture(params=[version(1), version(2)])
def aws(request: pytest.FixtureRequest, served: Served) -> Cli:
    """The CLI in the hands of an administrator who is not root."""
    tool = installed(request.param)
    assert tool is not None
    return Cli(served, tool, *served.user("admin-dev"))


def debian(aws: Cli) -> str:
    """The newest Debian image, as people look it up."""
    found = aws.text(
        "sort_by(Images, &CreationDate)[-1].ImageId",
        *("ec2", "describe-images", "--owners", "136693071363", "--filters", "Name=name,Values=debian-12-amd64-*"),
    )
    assert found.startswith("ami-")
    return found


def test_who_am_i(aws: Cli) -> None:
    who = aws.json("sts", "get-caller-identity")
    assert who["Arn"] == "arn:aws:iam::000000000000:user/admin-dev"
    assert who["Account"] == "000000000000"
    assert who["UserId"].startswith("AIDA")


def test_configured_by_hand(aws: Cli) -> None:
    """``aws configure`` writes files; the environment then names nothing but the place."""
    key, secret = aws.environment["AWS_ACCESS_KEY_ID"], aws.environment["AWS_SECRET_ACCESS_KEY"]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        del aws.environment[name]
    for name, value in (("aws_access_key_id", key), ("aws_secret_access_key", secret), ("region", "eu-west-3")):
        aws.must("configure", "set", name, value)
    assert aws.text("Arn", "sts", "get-caller-identity").endswith(":user/admin-dev")
    zones = aws.text("AvailabilityZones[].ZoneName", "ec2", "describe-availability-zones")
    assert zones.split("\t") == ["eu-west-3a", "eu-west-3b", "eu-west-3c"]


def test_a_machine_is_launched_watched_stopped_started_and_terminated(aws: Cli) -> None:
    image = ("--image-id", debian(aws), "--instance-type", "t3.micro")
    vm = aws.text("Instances[0].InstanceId", "ec2", "run-instances", *image)
    assert aws.must("ec2", "wait", "instance-running", "--instance-ids", vm) == ""
    table = aws.must(
        *("ec2", "describe-instances", "--output", "table", "--query"),
        "Reservations[].Instances[].[InstanceId,State.Name,PublicIpAddress]",
    )
    address = aws.text("Reservations[0].Instances[0].PublicIpAddress", "ec2", "describe-instances")
    cells = [cell.strip() for line in table.splitlines() for cell in line.split("|") if vm in line and cell.strip()]
    assert cells == [vm, "running", address]
    assert "DescribeInstances" in table.splitlines()[1]

    stopping = aws.json("ec2", "stop-instances", "--instance-ids", vm)["StoppingInstances"][0]
    assert stopping["PreviousState"] == {"Code": 16, "Name": "running"}
    assert stopping["CurrentState"] == {"Code": 64, "Name": "stopping"}
    aws.must("ec2", "wait", "instance-stopped", "--instance-ids", vm)
    assert aws.text("Reservations[0].Instances[0].PublicIpAddress", "ec2", "describe-instances") == "None"

    aws.must("ec2", "start-instances", "--instance-ids", vm)
    aws.must("ec2", "wait", "instance-status-ok", "--instance-ids", vm)
    assert aws.text("Reservations[].Instances[].State.Name", "ec2", "describe-instances") == "running"
    aws.must("ec2", "terminate-instances", "--instance-ids", vm)
    aws.must("ec2", "wait", "instance-terminated", "--instance-ids", vm)
    status, _, err = aws.run("ec2", "start-instances", "--instance-ids", vm)
    assert status == aws.failed
    assert "(IncorrectInstanceState) when calling the StartInstances operation" in err


def test_a_network_in_which_an_application_can_be_reached(aws: Cli) -> None:
    named = "ResourceType=vpc,Tags=[{Key=Name,Value=devops-vpc}]"
    made = ("ec2", "create-vpc", "--cidr-block", "10.0.0.0/16", "--tag-specifications", named)
    vpc = aws.text("Vpc.VpcId", *made)
    aws.must("ec2", "wait", "vpc-available", "--vpc-ids", vpc)
    subnet = aws.text("Subnet.SubnetId", "ec2", "create-subnet", "--vpc-id", vpc, "--cidr-block", "10.0.1.0/24")
    assert aws.must("ec2", "modify-subnet-attribute", "--subnet-id", subnet, "--map-public-ip-on-launch") == ""
    door = aws.text("InternetGateway.InternetGatewayId", "ec2", "create-internet-gateway")
    aws.must("ec2", "attach-internet-gateway", "--internet-gateway-id", door, "--vpc-id", vpc)
    table = aws.text("RouteTable.RouteTableId", "ec2", "create-route-table", "--vpc-id", vpc)
    outwards = ("--destination-cidr-block", "0.0.0.0/0", "--gateway-id", door)
    assert aws.json("ec2", "create-route", "--route-table-id", table, *outwards) == {"Return": True}
    aws.must("ec2", "associate-route-table", "--route-table-id", table, "--subnet-id", subnet)
    group = aws.text(
        "GroupId",
        *("ec2", "create-security-group", "--group-name", "web", "--description", "web", "--vpc-id", vpc),
    )
    rule = ("ec2", "authorize-security-group-ingress", "--group-id", group, "--protocol", "tcp", "--cidr", "0.0.0.0/0")
    for port in ("22", "80", "8000"):
        assert aws.json(*rule, "--port", port)["SecurityGroupRules"][0]["ToPort"] == int(port)
    status, _, err = aws.run(*rule, "--port", "8000")
    assert status == aws.failed
    assert "(InvalidPermission.Duplicate)" in err

    vm = aws.text(
        "Instances[0].InstanceId",
        *("ec2", "run-instances", "--image-id", debian(aws), "--instance-type", "t3.micro"),
        *("--subnet-id", subnet, "--security-group-ids", group, "--user-data", "#!/bin/sh\necho hello\n"),
    )
    aws.must("ec2", "wait", "instance-running", "--instance-ids", vm)
    found = aws.text(
        "Reservations[].Instances[].[InstanceId,PrivateIpAddress]",
        *("ec2", "describe-instances", "--filters", f"Name=vpc-id,Values={vpc}", "Name=tag-key,Values=Name"),
    )
    assert found == ""
    tags = ("--tags", "Key=Name,Value=web server")
    assert aws.must("ec2", "create-tags", "--resources", vm, *tags) == ""
    assert (
        aws.text(
            "Reservations[].Instances[].InstanceId",
            *("ec2", "describe-instances", "--filters", "Name=tag:Name,Values=web*"),
        )
        == vm
    )
    status, _, err = aws.run("ec2", "delete-security-group", "--group-id", group)
    assert (status, "(DependencyViolation)" in err) == (aws.failed, True)


def test_a_key_pair_ends_in_a_file(aws: Cli) -> None:
    pem = aws.text("KeyMaterial", "ec2", "create-key-pair", "--key-name", "devops-key")
    assert load_pem_private_key(pem.encode(), None) is not None
    assert aws.text("KeyPairs[].KeyName", "ec2", "describe-key-pairs") == "devops-key"


def test_a_new_user_may_only_what_he_is_granted(aws: Cli) -> None:
    user = aws.json("iam", "create-user", "--user-name", "ann")["User"]
    assert user["Arn"] == "arn:aws:iam::000000000000:user/ann"
    status, _, err = aws.run("iam", "create-user", "--user-name", "ann")
    assert status == aws.failed
    assert err.endswith(
        "An error occurred (EntityAlreadyExists) when calling the CreateUser operation: "
        "User with name ann already exists."
    )
    made = aws.text("AccessKey.[AccessKeyId,SecretAccessKey]", "iam", "create-access-key", "--user-name", "ann")
    ann = aws.signed_by(*made.split("\t"))
    assert ann.text("Arn", "sts", "get-caller-identity") == user["Arn"]
    status, out, err = ann.run("ec2", "describe-instances")
    assert (status, out) == (aws.failed, "")
    assert "(UnauthorizedOperation) when calling the DescribeInstances operation" in err
    assert "user/ann is not authorized to perform: ec2:DescribeInstances" in err

    document = ("--policy-name", "look", "--policy-document", LOOKER)
    assert aws.must("iam", "put-user-policy", "--user-name", "ann", *document) == ""
    assert ann.text("Reservations", "ec2", "describe-instances") == ""
    status, _, err = ann.run("ec2", "run-instances", "--image-id", debian(aws), "--instance-type", "t3.micro")
    assert status == aws.failed
    assert "(UnauthorizedOperation)" in err
    assert "Encoded authorization failure message" in err
    status, _, err = ann.run("iam", "list-users")
    assert status == aws.failed
    assert "(AccessDenied) when calling the ListUsers operation" in err
    status, _, err = ann.run("ssm", "get-parameter", "--name", AL2023)
    assert status == aws.failed
    assert "(AccessDeniedException) when calling the GetParameter operation" in err


def test_a_wrong_secret_opens_nothing(aws: Cli) -> None:
    impostor = aws.signed_by(aws.environment["AWS_ACCESS_KEY_ID"], "not the secret")
    status, out, err = impostor.run("sts", "get-caller-identity")
    assert (status, out) == (aws.failed, "")
    assert "(SignatureDoesNotMatch)" in err
    status, _, err = impostor.run("ec2", "describe-instances")
    assert (status, "(AuthFailure)" in err) == (aws.failed, True)
    status, _, err = aws.signed_by("AKIAIOSFODNN7EXAMPLE", "unknown").run("iam", "list-users")
    assert (status, "(InvalidClientTokenId)" in err) == (aws.failed, True)


def test_image_parameters_and_their_absence(aws: Cli) -> None:
    image = aws.text("Parameter.Value", "ssm", "get-parameter", "--name", AL2023)
    assert aws.text("Images[0].Name", "ec2", "describe-images", "--image-ids", image).startswith("al2023-ami-2023.")
    regions = aws.text(
        "Parameters[].Value",
        *("ssm", "get-parameters-by-path", "--path", "/aws/service/global-infrastructure/regions"),
    )
    assert len(regions.split()) > 30
    status, _, err = aws.run("ssm", "get-parameter", "--name", "/mine")
    assert status == aws.failed
    assert "(ParameterNotFound) when calling the GetParameter operation" in err


def test_what_went_wrong_is_told_apart_by_exit_codes(aws: Cli) -> None:
    status, _, err = aws.run("ec2", "run-instances", "--dry-run", "--image-id", debian(aws))
    assert (status, "(DryRunOperation)" in err) == (aws.failed, True)
    status, _, err = aws.run("ec2", "stop-instances", "--instance-ids", "i-1234567890abcdef0")
    assert status == aws.failed
    assert "(InvalidInstanceID.NotFound)" in err
    assert "The instance ID 'i-1234567890abcdef0' does not exist" in err
    assert aws.run("ec2", "describe-nothing").status == aws.misused
    status, _, err = aws.run("sagemaker", "list-endpoints")
    assert status == aws.failed
    assert "(NotImplemented)" in err
    assert aws.run("ec2", "wait", "instance-stopped", "--instance-ids", "i-1234567890abcdef0").status == 255


def test_what_was_done_is_on_record(aws: Cli) -> None:
    aws.must("iam", "create-user", "--user-name", "ann")
    in_virginia = ("--region", "us-east-1", "--lookup-attributes", "AttributeKey=EventName,AttributeValue=CreateUser")
    made = aws.text("Events[].Username", "cloudtrail", "lookup-events", *in_virginia)
    assert made.split("\t") == ["admin-dev", "root"]
