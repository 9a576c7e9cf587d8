"""The authorization table: laws over every operation of the services that are or will be built, and facts."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore
import pytest

from cloudjar.spec import iam
from cloudjar.spec.arn_template import ArnTemplate, Lookup, TemplateError, values

SERVICES = [
    "iam", "sts", "s3", "ec2", "rds", "lambda", "sqs", "sns", "dynamodb", "dynamodbstreams", "ecs", "ecr", "eks",
    "route53", "cloudwatch", "logs", "events", "scheduler", "apigateway", "apigatewayv2", "cloudformation", "elbv2",
    "autoscaling", "application-autoscaling", "budgets", "ce", "pricing", "cur", "service-quotas", "ssm",
    "secretsmanager", "kms", "cloudtrail", "resourcegroupstaggingapi", "stepfunctions", "organizations", "account",
    "support", "trustedadvisor", "cognito-idp", "acm", "fis", "sso-admin", "sesv2",
]  # fmt: skip
ARN = re.compile(r"arn:aws:[a-z0-9-]+:[a-z0-9-]*:(\d{12}|aws)?:.+")
ME = ("aws", "eu-west-3", "123456789012")

SAMPLES = {
    "QueueUrl": "http://localhost:4566/123456789012/x-1",
    "QueueOwnerAWSAccountId": "123456789012",
    "TargetPrincipal": "123456789012",
}


@cache
def model(service: str) -> dict[str, Any]:
    folder = Path(botocore.__file__).parent / "data" / service
    found: dict[str, Any] = json.loads(gzip.decompress(sorted(folder.glob("*/service-2.json.gz"))[-1].read_bytes()))
    return found


def leads(service: str, operation: str, path: str) -> bool:
    """Whether a template's path exists in the operation's input shape and ends in something with a text."""
    shapes = model(service)["shapes"]
    shape = shapes[model(service)["operations"][operation]["input"]["shape"]]
    for step in path.split("."):
        member = shape.get("members", {}).get(step.rstrip("[]@"))
        if member is None:
            return False
        shape = shapes[member["shape"]]
        if step.endswith("[]"):
            shape = shapes[shape["member"]["shape"]]
    return True


def sample(shapes: dict[str, Any], name: str, depth: int = 0) -> Any:
    """A value of a shape: every member filled, texts "x-1" or the first of an enumeration."""
    shape = shapes[name]
    match shape["type"]:
        case "structure":
            if depth > 4:
                return {}
            members = shape.get("members", {}).items()
            return {n: SAMPLES.get(n) or sample(shapes, m["shape"], depth + 1) for n, m in members}
        case "list":
            return [sample(shapes, shape["member"]["shape"], depth + 1)]
        case "map":
            return {"k-1": sample(shapes, shape["value"]["shape"], depth + 1)}
        case "string":
            return shape.get("enum", ["x-1"])[0]
        case "boolean":
            return True
    return 1


def all_operations() -> Iterator[tuple[str, str]]:
    for service in SERVICES:
        for operation in model(service)["operations"]:
            yield service, operation


def test_every_operation_of_the_models_has_an_entry_and_no_other() -> None:
    for service in SERVICES:
        assert set(iam.operations_of(service)) == set(model(service)["operations"]), service


def test_every_action_is_in_the_reference_or_says_that_it_is_assumed() -> None:
    assumed = []
    for service, operation in all_operations():
        for entry in iam.authorization(service, operation):
            if entry.assumed:
                assumed.append(f"{service}:{operation}")
            else:
                assert iam.action(entry.action).name == entry.action
    assert len(assumed) <= 105, assumed


def test_every_resource_is_of_a_type_that_its_service_has() -> None:
    lost = []
    for service, operation in all_operations():
        for entry in iam.authorization(service, operation):
            types = set(iam.resource_types_of(entry.action.partition(":")[0]))
            lost += [f"{entry.action} {s.type}" for s in entry.resources if s.type not in types | {"*"}]
    assert lost == []


def test_only_these_operations_need_no_permission() -> None:
    free = {f"{s}:{o}" for s, o in all_operations() if not iam.authorization(s, o)}
    known = {"sts:GetCallerIdentity", "sts:GetSessionToken"}
    unsigned = {f for f in free if model(f.split(":")[0])["operations"][f.split(":")[1]].get("authtype") == "none"}
    assert free == known | unsigned
    assert {f.split(":")[0] for f in unsigned} <= {"cognito-idp"}


def test_every_template_reads_members_that_exist() -> None:
    lost = []
    for service, operation in all_operations():
        for entry in iam.authorization(service, operation):
            paths = {p for spec in entry.resources for p in spec.template.paths()}
            paths |= set(entry.when.path.split(",")) if entry.when else set()
            lost += [f"{service}:{operation} {p}" for p in paths if not leads(service, operation, p)]
    assert lost == []


def test_every_template_gives_well_formed_arns_or_a_star() -> None:
    for service, operation in all_operations():
        shape = model(service)["operations"][operation].get("input", {}).get("shape")
        full = sample(model(service)["shapes"], shape) if shape else {}
        for req in ({}, full):
            for entry in iam.authorization(service, operation):
                targets = entry.targets(req, *ME)
                assert targets
                for _, arn in targets:
                    assert arn == "*" or ARN.fullmatch(arn), (service, operation, arn)


@pytest.mark.parametrize(
    ("service", "operation", "req", "expected"),
    [
        ("iam", "GetUser", {"UserName": "bob"}, {"iam:GetUser": {"user/bob"}}),
        ("iam", "CreateUser", {"UserName": "bob", "Path": "/dev/"}, {"iam:CreateUser": {"user/dev/bob"}}),
        ("iam", "CreateUser", {"UserName": "bob"}, {"iam:CreateUser": {"user/bob"}}),
        (
            "iam",
            "AddRoleToInstanceProfile",
            {"RoleName": "r", "InstanceProfileName": "p"},
            {"iam:AddRoleToInstanceProfile": {"instance-profile/p"}, "iam:PassRole": {"role/r"}},
        ),
        ("ec2", "DescribeInstances", {"InstanceIds": ["i-1"]}, {"ec2:DescribeInstances": {"*"}}),
        ("ec2", "CreateSubnet", {"VpcId": "vpc-1"}, {"ec2:CreateSubnet": {"subnet/*", "vpc/vpc-1"}}),
        (
            "ec2",
            "RunInstances",
            {
                "ImageId": "ami-1",
                "SubnetId": "subnet-1",
                "SecurityGroupIds": ["sg-1", "sg-2"],
                "KeyName": "k",
                "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}],
            },
            {
                "ec2:RunInstances": {
                    "image/ami-1", "instance/*", "network-interface/*", "security-group/sg-1", "security-group/sg-2",
                    "subnet/subnet-1", "volume/*", "key-pair/k",
                },
                "ec2:CreateTags": {"instance/*"},
            },
        ),
        ("ec2", "CreateTags", {"Resources": ["i-1", "ami-1"]}, {"ec2:CreateTags": {"instance/i-1", "image/ami-1"}}),
        ("ec2", "TerminateInstances", {"InstanceIds": ["i-1"]}, {"ec2:TerminateInstances": {"instance/i-1"}}),
        ("ec2", "AttachInternetGateway", {"InternetGatewayId": "igw-1", "VpcId": "vpc-1"},
         {"ec2:AttachInternetGateway": {"internet-gateway/igw-1", "vpc/vpc-1"}}),
        ("ec2", "RevokeSecurityGroupIngress", {"GroupId": "sg-1"},
         {"ec2:RevokeSecurityGroupIngress": {"security-group/sg-1"}}),
        ("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16"}, {"ec2:CreateVpc": {"vpc/*"}}),
        ("ssm", "GetParameter", {"Name": "/a/b:3"}, {"ssm:GetParameter": {"parameter/a/b"}}),
        ("sqs", "SendMessage", {"QueueUrl": "http://localhost:4566/123456789012/jobs"}, {"sqs:SendMessage": {"jobs"}}),
        ("dynamodb", "BatchGetItem", {"RequestItems": {"a": {}, "b": {}}},
         {"dynamodb:BatchGetItem": {"table/a", "table/b"}}),
        ("ecs", "RunTask", {"taskDefinition": "web:3"}, {"ecs:RunTask": {"task-definition/web:3"}}),
        ("ecs", "StopTask", {"task": "t1"}, {"ecs:StopTask": {"task/default/t1"}}),
        ("events", "PutEvents", {"Entries": [{"Detail": "{}"}]}, {"events:PutEvents": {"event-bus/default"}}),
        ("lambda", "Invoke", {"FunctionName": "123456789012:function:f", "Qualifier": "live"},
         {"lambda:InvokeFunction": {"function:f:live"}}),
        ("kms", "CreateAlias", {"AliasName": "alias/a", "TargetKeyId": "k"},
         {"kms:CreateAlias": {"alias/a", "key/k"}}),
        ("organizations", "AttachPolicy", {"PolicyId": "p-1", "TargetId": "ou-1-2"},
         {"organizations:AttachPolicy": {"policy/o-*/*/p-1", "ou/o-*/ou-1-2"}}),
        ("cloudtrail", "CreateTrail", {"Name": "t"}, {"cloudtrail:CreateTrail": {"trail/t"}}),
        ("s3", "GetObject", {"Bucket": "b", "Key": "a/b", "VersionId": "v"}, {"s3:GetObjectVersion": {"b/a/b"}}),
        ("s3", "CopyObject",
         {"Bucket": "b", "Key": "k", "CopySource": "/c/d?versionId=1", "TaggingDirective": "REPLACE"},
         {"s3:PutObject": {"b/k"}, "s3:GetObject": {"c/d"}}),
        ("apigateway", "GetRestApi", {"restApiId": "x"}, {"apigateway:GET": {"/restapis/x"}}),
        ("sesv2", "PutSuppressedDestination", {"EmailAddress": "a@b.c"}, {"ses:PutSuppressedDestination": {"*"}}),
        ("sesv2", "PutSuppressedDestination", {"EmailAddress": "a@b.c", "TenantName": "t"},
         {"ses:PutSuppressedDestination": {"tenant/t/*"}}),
    ],
)  # fmt: skip
def test_what_requests_need(service: str, operation: str, req: dict[str, Any], expected: dict[str, set[str]]) -> None:
    needed = {
        entry.action: {arn if arn == "*" else arn.split(":", 5)[5] for _, arn in entry.targets(req, *ME)}
        for entry in iam.authorization(service, operation)
        if entry.applies(req)
    }
    assert needed == expected


def test_tags_at_creation_say_what_they_are_made_with() -> None:
    (tagging,) = [e for e in iam.authorization("ec2", "CreateVpc") if e.action == "ec2:CreateTags"]
    assert tagging.keys == {"ec2:CreateAction": "CreateVpc"}
    assert not tagging.applies({"CidrBlock": "10.0.0.0/16"})


def test_a_stored_record_tells_its_own_arn() -> None:
    asked: list[Lookup] = []

    def find(lookup: Lookup) -> str | None:
        asked.append(lookup)
        return "arn:aws:iam::123456789012:user/dev/bob" if lookup.value == "bob" else None

    (entry,) = iam.authorization("iam", "DeleteUser")
    assert entry.targets({"UserName": "bob"}, *ME, find)[0][1].endswith(":user/dev/bob")
    assert entry.targets({"UserName": "eve"}, *ME, find)[0][1].endswith(":user/eve")
    assert asked == [Lookup("iam:user", "UserName", "bob"), Lookup("iam:user", "UserName", "eve")]


def test_no_user_name_means_the_caller() -> None:
    (entry,) = iam.authorization("iam", "ListAccessKeys")
    me = "arn:aws:iam::123456789012:user/me"
    assert entry.targets({}, *ME, lambda q: me if q.kind == "iam:caller" else None)[0][1] == me


def test_pass_role_is_needed_only_with_a_profile_and_on_its_role() -> None:
    (passing,) = [e for e in iam.authorization("ec2", "RunInstances") if e.action == "iam:PassRole"]
    assert not passing.applies({"ImageId": "ami-1"})
    req = {"IamInstanceProfile": {"Name": "web"}}
    role = "arn:aws:iam::123456789012:role/web"
    assert passing.applies(req)
    assert passing.targets(req, *ME, lambda q: role if q.value == "web" else None)[0][1] == role
    assert passing.targets(req, *ME)[0][1] == "*"
    assert passing.keys == {"iam:PassedToService": "ec2.amazonaws.com"}


def test_a_given_arn_stands_for_itself_and_one_of_another_service_for_nothing() -> None:
    (entry,) = iam.authorization("dynamodb", "GetItem")
    other = "arn:aws:dynamodb:us-east-1:210987654321:table/t"
    assert entry.targets({"TableName": other}, *ME)[0][1] == other
    assert entry.targets({"TableName": "arn:aws:s3:::t"}, *ME) == [(None, "*")]


def test_facts_of_actions_and_types() -> None:
    run = iam.action("ec2:RunInstances")
    assert run.level == "Write"
    assert "ec2:InstanceType" in next(r for r in run.resources if r.type == "instance").condition_keys
    assert iam.action("iam:CreateUser").resources[0].required
    assert iam.action("ec2:CreateTags").condition_keys == ("ec2:CreateAction", "ec2:Region")
    vpc = iam.resource_type("ec2", "vpc")
    assert vpc.matches("arn:aws:ec2:eu-west-3:123456789012:vpc/vpc-1")
    assert not vpc.matches("arn:aws:ec2:eu-west-3:123456789012:subnet/subnet-1")
    assert "ec2:Vpc" in vpc.condition_keys or "ec2:VpcID" in vpc.condition_keys
    assert iam.keys_of("ec2")["ec2:InstanceType"] == "String"
    assert iam.prefix_of("elbv2") == "elasticloadbalancing"
    assert "RunInstances" in iam.actions_of("ec2")


@pytest.mark.parametrize("name", ["ec2:Nothing", "nothing:Run", "../x:Y"])
def test_unknown_actions_are_refused(name: str) -> None:
    with pytest.raises(iam.UnknownAction):
        iam.action(name)


def test_unknown_operations_are_refused() -> None:
    with pytest.raises(iam.UnknownAction):
        iam.authorization("ec2", "Nothing")
    with pytest.raises(iam.UnknownAction):
        iam.authorization("nothing", "Nothing")


@pytest.mark.parametrize("source", ["nonsense", ["eval", "x"], "arn:aws:x:::${A|shout}", None, [], 7])
def test_only_the_closed_set_of_forms_is_a_template(source: Any) -> None:
    with pytest.raises(TemplateError):
        ArnTemplate(source)


def test_paths_into_requests() -> None:
    req = {"A": {"B": "1"}, "L": [{"C": "2"}, {"C": "3"}, {}], "M": {"k": 1}, "N": True, "E": []}
    assert values(req, "A.B") == ["1"]
    assert values(req, "L[].C") == ["2", "3"]
    assert values(req, "M@") == ["k"]
    assert values(req, "A.B,L[].C") == ["1", "2", "3"]
    assert values(req, "N") == ["true"]
    assert values(req, "X.Y[]") == []
    assert values(req, "E") == [""]


def test_slots_multiply_and_never_repeat() -> None:
    template = ArnTemplate("arn:${Partition}:s3:::${Bucket}/${Keys[]}")
    assert template.expand({"Bucket": "b", "Keys": ["x", "y", "x"]}, *ME) == ["arn:aws:s3:::b/x", "arn:aws:s3:::b/y"]


def test_the_readme_lists_every_look_up() -> None:
    def kinds(source: Any) -> set[str]:
        if not isinstance(source, list) or not source:
            return set()
        own = {source[1]} if source[0] == "by" else set()
        return own.union(*(kinds(part) for part in source))

    readme = (Path(iam.__file__).parent / "data" / "README.md").read_text()
    listed = set(re.findall(r"^\| `([a-z0-9-]+:[A-Za-z-]+)` \|", readme, re.MULTILINE))
    asked = set()
    for service, operation in all_operations():
        for entry in iam.authorization(service, operation):
            for spec in entry.resources:
                asked |= kinds(spec.template.source)
    assert asked == listed
