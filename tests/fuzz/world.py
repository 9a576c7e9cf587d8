"""A jar with something in it to break, and what every answer to garbage must be."""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path
from xml.etree import ElementTree

from cloudjar.spec import models
from tests.calls import Answer
from tests.jar import TestJar

REFUSED = frozenset(range(400, 500)) | {501}
XML_FAMILIES = ("query", "ec2", "rest-xml")


def furnish(jar: TestJar) -> list[str]:
    """Make one of most things; gives the ids, names and ARNs that exist."""
    ec2, iam = jar.client("ec2"), jar.client("iam")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    group = ec2.create_security_group(GroupName="fuzz", Description="fuzz", VpcId=vpc)["GroupId"]
    ec2.create_key_pair(KeyName="fuzz")
    card = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"][0]["ImageId"]
    ran = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=subnet)
    machine = ran["Instances"][0]["InstanceId"]
    volume = ec2.describe_volumes()["Volumes"][0]["VolumeId"]
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}],
        }
    )
    role = iam.create_role(RoleName="fuzz", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    user = iam.create_user(UserName="fuzz")["User"]["Arn"]
    key = iam.create_access_key(UserName="fuzz")["AccessKey"]["AccessKeyId"]
    iam.create_group(GroupName="fuzz")
    iam.create_instance_profile(InstanceProfileName="fuzz")
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
    arn = iam.create_policy(PolicyName="fuzz", PolicyDocument=policy)["Policy"]["Arn"]
    jar.settle()
    return [vpc, subnet, gateway, table, group, card, address, image, machine, volume, role, user, key, arn, trust,
            policy, "fuzz", "10.1.2.0/24", "10.1.1.9", "eu-west-3a", "t3.small", "tcp", "-1", "22"]  # fmt: skip


def assert_decent(answer: Answer, service: str, protocol: str, what: object) -> None:
    """A result, or AWS's error in the service's own form; never an internal error."""
    shown = f"{what}\n-> {answer.status} {answer.body[:400]!r}"
    assert answer.status == 200 or answer.status in REFUSED, shown
    assert "x-amzn-requestid" in answer.headers or "x-amz-request-id" in answer.headers, shown
    if protocol in XML_FAMILIES:
        tree = ElementTree.fromstring(answer.body)
        if answer.status != 200:
            codes = [e.text for e in tree.iter() if e.tag.rpartition("}")[2] == "Code"]
            assert len(codes) == 1, shown
            assert codes[0], shown
    elif protocol in ("json", "rest-json"):
        body = json.loads(answer.body)
        assert isinstance(body, dict), shown
        if answer.status != 200:
            assert body.get("__type") or "x-amzn-errortype" in answer.headers, shown
    else:
        assert answer.headers.get("smithy-protocol") == protocol, shown
    if answer.status == 501:
        assert service in shown or models.service(service).signing_name in shown, shown


def open_files() -> int:
    """How many descriptors this process holds."""
    return len(os.listdir("/proc/self/fd"))


def memory() -> int:
    """Resident bytes of this process, after a collection."""
    gc.collect()
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
