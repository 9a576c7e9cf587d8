"""The resources of an event: what the history is searched by, and what the record names.

The history knows a resource by any of its names: those in the request and the answer, and the ARNs on which the call
was authorised. Types are CloudFormation's, with CloudTrail's own exceptions.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events-supported-resource-types.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.audit_event import AuditEvent

_WORDS = {
    "ec2": "EC2", "iam": "IAM", "sts": "STS", "s3": "S3", "ssm": "SSM", "rds": "RDS", "sqs": "SQS", "sns": "SNS",
    "kms": "KMS", "secretsmanager": "SecretsManager", "organizations": "Organizations", "dynamodb": "DynamoDB",
    "access-analyzer": "AccessAnalyzer", "cloudformation": "CloudFormation", "logs": "Logs", "events": "Events",
}  # fmt: skip
_NOUNS = {
    "vpc": "VPC", "internet-gateway": "InternetGateway", "elastic-ip": "EIP", "mfa": "MfaDevice", "image": "Ami",
    "dhcp-options": "DHCPOptions", "assumed-role": "AssumedRole", "oidc-provider": "OIDCProvider",
    "saml-provider": "SAMLProvider",
}  # fmt: skip
_BARE = {"s3": "bucket", "sqs": "queue", "sns": "topic"}
"""Services whose ARNs do not name a type."""

_MEMBERS = {
    "ec2": {
        "InstanceId": "Instance", "InstanceIds": "Instance", "VpcId": "VPC", "VpcIds": "VPC", "SubnetId": "Subnet",
        "SubnetIds": "Subnet", "GroupId": "SecurityGroup", "GroupIds": "SecurityGroup", "SecurityGroupIds":
        "SecurityGroup", "InternetGatewayId": "InternetGateway", "RouteTableId": "RouteTable", "RouteTableIds":
        "RouteTable", "NetworkInterfaceId": "NetworkInterface", "NetworkAclId": "NetworkAcl", "VolumeId": "Volume",
        "VolumeIds": "Volume", "ImageId": "Ami", "ImageIds": "Ami", "KeyName": "KeyPair", "KeyNames": "KeyPair",
        "AllocationId": "EIP", "PublicIp": "EIP", "DhcpOptionsId": "DHCPOptions", "SnapshotId": "Snapshot",
    },
    "iam": {
        "UserName": "User", "RoleName": "Role", "GroupName": "Group", "PolicyArn": "Policy", "AccessKeyId": "AccessKey",
        "InstanceProfileName": "InstanceProfile", "SerialNumber": "MfaDevice", "UserId": "User", "RoleId": "Role",
    },
    "sts": {"RoleArn": "AWS::IAM::Role", "AssumedRoleId": "AssumedRole", "AccessKeyId": "AWS::IAM::AccessKey"},
    "secretsmanager": {"SecretId": "Secret"},
    "ssm": {"Name": "Parameter", "Names": "Parameter"},
}  # fmt: skip
_IN_RECORD = frozenset(("sts", "kms", "s3", "dynamodb", "lambda"))
"""Services whose records have a ``resources`` element."""


def kind_of(arn: arns.Arn) -> str:
    """``AWS::EC2::Instance`` of an ARN."""
    noun = "object" if _is_object(arn) else arn.type or _BARE.get(arn.service, "")
    named = _NOUNS.get(noun) or "".join(part.capitalize() for part in noun.split("-"))
    return f"AWS::{_WORDS.get(arn.service, arn.service.capitalize())}::{named}"


def typed_resources(event: AuditEvent) -> list[dict[str, str]]:
    """Resources by type and name, each once; wildcards name nothing."""
    found = dict.fromkeys(_named(event))
    for text in event.resources:
        arn = arns.parse(text)
        if arn is not None and "*" not in arn.resource:
            name = text if arn.service in ("kms", "secretsmanager", "sts") else arn.name or arn.resource
            found[kind_of(arn), name] = None
    return [{"ResourceType": kind, "ResourceName": name} for kind, name in found]


def _named(event: AuditEvent) -> Iterator[tuple[str, str]]:
    members = _MEMBERS.get(event.service, {})
    prefix = f"AWS::{_WORDS.get(event.service, '')}::"
    for name, value in (*_leaves(event.params), *_leaves(event.answer)):
        kind = members.get(name)
        if kind is not None and value and "*" not in value:
            yield (kind if "::" in kind else prefix + kind), value


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """(member, text) of every text in a request or an answer."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, key)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, name)


def in_record(event: AuditEvent) -> list[dict[str, str]] | None:
    """The record's ``resources``; None where its service's records have none."""
    named = event.besides is not None and (event.besides.details is not None or event.besides.data)
    if event.service not in _IN_RECORD and not named:
        return None
    found = []
    for text in dict.fromkeys(_with_buckets(event.resources)):
        arn = arns.parse(text)
        if arn is None:
            continue
        one = {"accountId": arn.account or event.account, "type": kind_of(arn), "ARN": text}
        if _is_object(arn):
            del one["accountId"]
        found.append(one)
    return found or None


def _is_object(arn: arns.Arn) -> bool:
    return arn.service == "s3" and not arn.region and "/" in arn.resource


def _with_buckets(resources: Iterable[str]) -> Iterator[str]:
    """Each object is followed by its bucket."""
    for text in resources:
        yield text
        arn = arns.parse(text)
        if arn is not None and _is_object(arn):
            yield text[: text.index("/")]
