"""The model's constraints in AWS's words."""

from __future__ import annotations

from typing import Any

import pytest

from cloudjar.kit.validate import check, validator
from cloudjar.spec import patterns
from cloudjar.spec.models import service


def refusal(name: str, op: str, **request: Any) -> tuple[str, str]:
    error = check(service(name).operations[op], request)
    assert error is not None
    assert error.status == 400
    return error.code, error.message


def test_a_request_that_keeps_to_the_model_passes() -> None:
    assert (
        check(service("iam").operations["CreateUser"], {"UserName": "bob", "Tags": [{"Key": "a", "Value": ""}]}) is None
    )
    assert check(service("sts").operations["GetCallerIdentity"], {}) is None
    table = {"TableName": "tab", "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}]}
    assert check(service("dynamodb").operations["CreateTable"], {**table, "AttributeDefinitions": []}) is None


def test_validators_without_anything_to_check_do_nothing() -> None:
    assert validator(service("sts").operations["GetCallerIdentity"]).__name__ == "_nothing"


PREFIX = "1 validation error detected: Value "


@pytest.mark.parametrize(
    ("name", "op", "request_", "code", "message"),
    [
        (
            "ssm",
            "GetParameter",
            {},
            "ValidationException",
            "null at 'name' failed to satisfy constraint: Member must not be null",
        ),
        (
            "ssm",
            "GetParameters",
            {"Names": []},
            "ValidationException",
            "'[]' at 'names' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            "cloudtrail",
            "LookupEvents",
            {"MaxResults": 51},
            "ValidationException",
            "'51' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 50",
        ),
        (
            "dynamodb",
            "ListTables",
            {"ExclusiveStartTableName": "a b c"},
            "ValidationException",
            "'a b c' at 'exclusiveStartTableName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
        ),
        (
            "dynamodb",
            "DescribeTable",
            {"TableName": ""},
            "ValidationException",
            "'' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            "iam",
            "CreateUser",
            {},
            "ValidationError",
            "null at 'userName' failed to satisfy constraint: Member must not be null",
        ),
        (
            "sts",
            "AssumeRole",
            {"RoleArn": "x" * 20, "RoleSessionName": "s" * 65},
            "ValidationError",
            f"'{'s' * 65}' at 'roleSessionName' failed to satisfy constraint: "
            "Member must have length less than or equal to 64",
        ),
        (
            "iam",
            "CreateAccessKey",
            {"UserName": "u" * 129},
            "ValidationError",
            f"'{'u' * 129}' at 'userName' failed to satisfy constraint: "
            "Member must have length less than or equal to 128",
        ),
        (
            "iam",
            "UpdateAccessKey",
            {"AccessKeyId": "A" * 16, "Status": "On"},
            "ValidationError",
            "'On' at 'status' failed to satisfy constraint: "
            "Member must satisfy enum value set: [Active, Inactive, Expired]",
        ),
        (
            "ssm",
            "DescribeParameters",
            {"ParameterFilters": [{"Values": ["x"]}]},
            "ValidationException",
            "null at 'parameterFilters.1.member.key' failed to satisfy constraint: Member must not be null",
        ),
        (
            "logs",
            "CreateLogGroup",
            {"logGroupName": "a b"},
            "InvalidParameterException",
            "'a b' at 'logGroupName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
        ),
    ],
)
def test_one_violation(name: str, op: str, request_: dict[str, Any], code: str, message: str) -> None:
    assert refusal(name, op, **request_) == (code, PREFIX + message)


def test_all_violations_are_listed() -> None:
    code, message = refusal("service-quotas", "GetServiceQuota", ServiceCode="1")
    assert code == "ValidationException"
    assert message == (
        "2 validation errors detected: Value '1' at 'serviceCode' failed to satisfy constraint: Member must satisfy "
        "regular expression pattern: [a-zA-Z][a-zA-Z0-9-]{1,63}; Value null at 'quotaCode' failed to satisfy "
        "constraint: Member must not be null"
    )


def test_a_list_of_bad_scalars_is_reported_whole() -> None:
    _, message = refusal("ssm", "GetParameters", Names=["good", ""])
    assert message == PREFIX + (
        "'[good, ]' at 'names' failed to satisfy constraint: Member must satisfy constraint: [Member must have length "
        "less than or equal to 2048, Member must have length greater than or equal to 1]"
    )


def test_a_null_in_a_list() -> None:
    _, message = refusal("ssm", "GetParameters", Names=["good", None])
    assert message.endswith("at 'names' failed to satisfy constraint: Member must not be null")


def test_secrets_are_not_repeated() -> None:
    secret = "hunter2" * 20
    code, message = refusal("iam", "CreateLoginProfile", UserName="bob", Password=secret)
    assert code == "ValidationError"
    assert message == (
        "1 validation error detected: Value at 'password' failed to satisfy constraint: "
        "Member must have length less than or equal to 128"
    )


def test_iam_has_a_sentence_for_names() -> None:
    assert refusal("iam", "CreateUser", UserName="a b") == (
        "ValidationError",
        "The specified value for userName is invalid. It must contain only alphanumeric characters and/or "
        "the following: +=,.@_-",
    )


@pytest.mark.parametrize(
    ("op", "request_", "code", "message"),
    [
        ("TerminateInstances", {}, "MissingParameter", "The request must contain the parameter InstanceId"),
        ("RunInstances", {"MinCount": 1}, "MissingParameter", "The request must contain the parameter MaxCount"),
        ("RunInstances", {"MinCount": 1, "MaxCount": 1, "InstanceType": "t0.big"},
         "InvalidParameterValue", "Invalid value 't0.big' for InstanceType."),
        ("CreateVpc", {"InstanceTenancy": "shared"},
         "InvalidParameterValue", "Value (shared) for parameter InstanceTenancy is invalid."),
        ("RunInstances", {"MinCount": 1, "MaxCount": 1, "BlockDeviceMappings": [{"Ebs": {"VolumeType": "gp9"}}]},
         "InvalidParameterValue", "Value (gp9) for parameter BlockDeviceMapping.1.Ebs.VolumeType is invalid."),
    ],
)  # fmt: skip
def test_ec2_has_words_of_its_own(op: str, request_: dict[str, Any], code: str, message: str) -> None:
    assert refusal("ec2", op, **request_) == (code, message)


def test_sqs_has_words_of_its_own() -> None:
    assert refusal("sqs", "CreateQueue") == (
        "MissingParameter",
        "The request must contain the parameter QueueName.",
    )


def test_a_body_of_s3_that_breaks_the_schema() -> None:
    code, _ = refusal("s3", "PutBucketVersioning", Bucket="b", VersioningConfiguration={"Status": "Maybe"})
    assert code == "MalformedXML"


def test_recursive_shapes_are_checked_all_the_way() -> None:
    inner = {"M": {"x": {"L": [{"S": "ok"}]}}}
    assert check(service("dynamodb").operations["PutItem"], {"TableName": "t", "Item": {"a": inner}}) is None
    code, message = refusal("dynamodb", "PutItem", TableName="t", Item={"k" * 65536: {"S": "x"}})
    assert code == "ValidationException"
    assert "Map keys must satisfy constraint: [Member must have length less than or equal to 65535" in message


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", ["", "a B_1", "é ü", "日本"], ["\t", "a\n", "é\n", "x!"]),
        (r"[\P{C}]*", ["ok", "é"], ["\x00", "\x1f"]),
        ("[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\t]*", ["ok\t", "\U0001f600"], ["\x00"]),
        (r"\A[a-z]+\z", ["ok"], ["ok\n", "OK"]),
        (r"[\w-.]+", ["a-b.c"], ["a b"]),
        (r"^[\p{L}-_]+$", ["a-b_é"], ["1"]),
        (r"[\w+=,.@-]+", ["a"], ["é", "a\n"]),
    ],
)
def test_javas_expressions(pattern: str, good: list[str], bad: list[str]) -> None:
    test = patterns.matcher(pattern)
    assert test is not None
    assert [v for v in good if not test(v)] == []
    assert [v for v in bad if test(v)] == []


MAIN = ("ec2", "iam", "sts", "ssm", "cloudtrail", "service-quotas", "sqs", "s3", "dynamodb", "cloudwatch", "lambda")


@pytest.mark.parametrize("name", MAIN)
def test_every_operation_has_a_validator_and_every_pattern_runs(name: str) -> None:
    model = service(name)
    for op in model.operations.values():
        found = check(op, {})
        required = op.input.required if op.input else ()
        tokens = set(op.idempotency_tokens)
        assert (found is not None) == bool(set(required) - tokens), op
    for shape in (model.shape(n) for n in model.shape_names()):
        if shape.pattern:
            assert patterns.matcher(shape.pattern) is not None, shape
