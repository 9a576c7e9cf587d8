"""A jar with something in it to break, and what every answer to garbage must be."""

from __future__ import annotations

import contextlib
import copy
import gc
import json
import os
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from cloudjar.auth.presign import Credentials
from cloudjar.spec import models
from tests.calls import Answer
from tests.jar import TestJar

DONE = (200, 204)
REFUSED = frozenset(range(400, 500)) | {501}
XML_FAMILIES = ("query", "ec2", "rest-xml")


Call = tuple[str, str, dict[str, Any]]
"""(service, operation, parameters)."""


def noting(client: Any, calls: list[Call]) -> Any:
    """The client, whose calls are also written down."""

    def note(params: dict[str, Any], model: Any, **_: object) -> None:
        calls.append((model.service_model.service_name, model.name, copy.deepcopy(params)))

    client.meta.events.register("before-parameter-build", note)
    return client


class World(NamedTuple):
    """A furnished jar: what exists in it, the calls that made it, and a user who may do everything but is not root."""

    jar: TestJar
    known: list[str]
    calls: list[Call]
    user: Credentials

    @property
    def role(self) -> str:
        """The ARN of a role that its own account may assume."""
        return next(one for one in self.known if ":role/" in one)


def furnish(jar: TestJar) -> World:
    """Make one of most things."""
    calls: list[Call] = []
    network = _network(noting(jar.client("ec2"), calls))
    people, user = _people(noting(jar.client("iam"), calls))
    jar.settle()
    sts = noting(jar.client("sts", key=user.key_id, secret=user.secret), calls)
    sts.assume_role(RoleArn=people[0], RoleSessionName="fuzz")
    noting(jar.client("cloudtrail"), calls).lookup_events(MaxResults=5)
    keys = _keys(noting(jar.client("kms"), calls), people[0])
    loose = ["fuzz", "10.1.2.0/24", "10.1.1.9", "eu-west-3a", "t3.small", "tcp", "-1", "22"]
    return World(jar, [*network, *people, *keys, *loose], calls, user)


def _network(ec2: Any) -> list[str]:
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    group = ec2.create_security_group(GroupName="fuzz", Description="fuzz", VpcId=vpc)["GroupId"]
    pair = [{"GroupId": group, "Description": "itself"}]
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 23, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[rule, {"IpProtocol": "-1", "UserIdGroupPairs": pair}]
    )
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    entry = {"RuleNumber": 7, "Protocol": "6", "RuleAction": "allow", "Egress": False, "CidrBlock": "10.0.0.0/8"}
    ec2.create_network_acl_entry(NetworkAclId=acl, PortRange={"From": 1, "To": 9}, **entry)
    ec2.create_key_pair(KeyName="fuzz")
    card = ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.1.1.77")["NetworkInterface"]
    ec2.assign_private_ip_addresses(NetworkInterfaceId=card["NetworkInterfaceId"], SecondaryPrivateIpAddressCount=2)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(AllocationId=address, NetworkInterfaceId=card["NetworkInterfaceId"])
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"][0]["ImageId"]
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "fuzz"}]}]
    plug = [{"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group], "SecondaryPrivateIpAddressCount": 1}]
    disk = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 9, "VolumeType": "gp3", "DeleteOnTermination": True}}]
    vm = ec2.run_instances(
        ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=tags, UserData="#!/bin/sh",
        NetworkInterfaces=plug, BlockDeviceMappings=disk, MetadataOptions={"HttpTokens": "required"},
    )["Instances"][0]["InstanceId"]  # fmt: skip
    ec2.create_tags(Resources=[vpc, vm], Tags=[{"Key": "a", "Value": "b"}])
    ec2.describe_instances(
        Filters=[{"Name": "tag:a", "Values": ["b*"]}, {"Name": "instance-state-name", "Values": ["?"]}]
    )
    ec2.modify_instance_attribute(InstanceId=vm, DisableApiStop={"Value": False})
    volume = ec2.describe_volumes()["Volumes"][0]["VolumeId"]
    return [vpc, subnet, gateway, table, group, acl, card["NetworkInterfaceId"], address, image, vm, volume]


def _people(iam: Any) -> tuple[list[str], Credentials]:
    statement = {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    role = iam.create_role(RoleName="fuzz", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    user = iam.create_user(UserName="fuzz", Tags=[{"Key": "a", "Value": "b"}])["User"]["Arn"]
    key = iam.create_access_key(UserName="fuzz")["AccessKey"]
    iam.create_group(GroupName="fuzz")
    iam.add_user_to_group(GroupName="fuzz", UserName="fuzz")
    iam.create_instance_profile(InstanceProfileName="fuzz")
    iam.add_role_to_instance_profile(InstanceProfileName="fuzz", RoleName="fuzz")
    arn = iam.create_policy(PolicyName="fuzz", PolicyDocument=policy)["Policy"]["Arn"]
    iam.put_user_policy(UserName="fuzz", PolicyName="inline", PolicyDocument=policy)
    iam.attach_role_policy(RoleName="fuzz", PolicyArn=arn)
    iam.create_login_profile(UserName="fuzz", Password="Correct-horse-7-battery")
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    return [role, user, credentials.key_id, arn, trust, policy], credentials


def _keys(kms: Any, role: str) -> list[str]:
    context = {"a": "b"}
    key = kms.create_key(Tags=[{"TagKey": "a", "TagValue": "b"}], MultiRegion=True)["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/fuzz", TargetKeyId=key)
    blob = kms.encrypt(KeyId="alias/fuzz", Plaintext=b"fuzz", EncryptionContext=context)["CiphertextBlob"]
    kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)
    kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext=context, DestinationKeyId=key)
    kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=context)
    kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256")
    signs = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    signed = {"KeyId": signs, "Message": b"fuzz", "MessageType": "RAW", "SigningAlgorithm": "ECDSA_SHA_256"}
    kms.verify(Signature=kms.sign(**signed)["Signature"], **signed)
    macs = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    kms.generate_mac(KeyId=macs, Message=b"fuzz", MacAlgorithm="HMAC_SHA_256")
    limits = {"EncryptionContextSubset": context}
    grant = kms.create_grant(
        KeyId=key, GranteePrincipal=role, RetiringPrincipal=role, Operations=["Decrypt"], Constraints=limits, Name="n"
    )
    kms.list_grants(KeyId=key, GrantId=grant["GrantId"])
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    kms.put_key_policy(KeyId=key, Policy=kms.get_key_policy(KeyId=key)["Policy"])
    external = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    token = kms.get_parameters_for_import(
        KeyId=external, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )["ImportToken"]
    with contextlib.suppress(kms.exceptions.InvalidCiphertextException):
        kms.import_key_material(
            KeyId=external, ImportToken=token, EncryptedKeyMaterial=b"x" * 256,
            ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
        )  # fmt: skip
    return [key, signs, external, "alias/fuzz", grant["GrantId"], grant["GrantToken"]]


HEADS = ((400, b"Control characters in the request head"), (431, b"Request Header Fields Too Large"))


def assert_decent(answer: Answer, service: str, protocol: str, what: object) -> None:
    """A result, or AWS's error in the service's own form; never an internal error."""
    shown = f"{what}\n-> {answer.status} {answer.body[:400]!r}"
    assert answer.status in DONE or answer.status in REFUSED, shown
    if (answer.status, answer.body) in HEADS:
        return  # what a head cannot hold is no request: HTTP's refusal, before AWS's
    assert "x-amzn-requestid" in answer.headers or "x-amz-request-id" in answer.headers, shown
    if protocol == "rest-xml" and not answer.body:  # done, with nothing to tell; a refusal is told but to HEAD
        assert answer.status in DONE or "'Head" in shown, shown
    elif protocol in XML_FAMILIES:
        tree = ElementTree.fromstring(answer.body)
        if answer.status not in DONE:
            codes = [e.text for e in tree.iter() if e.tag.rpartition("}")[2] == "Code"]
            assert len(codes) == 1, shown
            assert codes[0], shown
    elif protocol in ("json", "rest-json"):
        # An operation without output answers with nothing at all.
        body = json.loads(answer.body or b"{}")
        assert isinstance(body, dict), shown
        if answer.status != 200:
            assert body.get("__type") or "x-amzn-errortype" in answer.headers, shown
    else:
        assert f"smithy-{answer.headers.get('smithy-protocol')}" == protocol, shown
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
