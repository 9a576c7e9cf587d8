"""What is found in policies, where, and in which words."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from cloudjar.services.accessanalyzer.validation.catalogue import CHECKS
from cloudjar.services.accessanalyzer.validation.check import validate
from cloudjar.spec import managed_policies
from tests.jar import TestJar

Json = dict[str, Any]


def policy(*statements: Json, version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


def allow(**elements: Any) -> Json:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", **elements}


def without(name: str) -> Json:
    return {key: value for key, value in allow().items() if key != name}


def when(operator: str, key: str, value: Any, **elements: Any) -> str:
    return policy(allow(Condition={operator: {key: value}}, **elements))


BUCKET = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
ANYONE = {**BUCKET, "Effect": "Allow", "Principal": "*"}
ROLE = {"Effect": "Allow", "Action": "sts:AssumeRole"}
SAML = "arn:aws:iam::000000000000:saml-provider/corp"

IDENTITY: list[tuple[str, set[str]]] = [
    (policy(allow()), set()),
    (policy(allow(Action="*", Resource="arn:aws:s3:::b")), set()),
    ("[]", {"DATA_TYPE_MISMATCH"}),
    ("{}", {"MISSING_VERSION", "MISSING_STATEMENT"}),
    (policy(), {"MISSING_STATEMENT"}),
    (policy(allow(), version="2011-01-01"), {"INVALID_VERSION"}),
    (policy(allow(Sid="a b")), {"UNSUPPORTED_SID"}),
    (policy(allow(Sid="")), {"EMPTY_SID_VALUE"}),
    (policy(allow(Sid="a"), allow(Sid="a", Action="s3:PutObject")), {"UNIQUE_SIDS_REQUIRED"}),
    (policy(allow(Efect="Allow")), {"INVALID_POLICY_ELEMENT"}),
    (policy(allow(Effect="allow")), {"INVALID_EFFECT"}),
    (policy(allow(Effect=1)), {"DATA_TYPE_MISMATCH"}),
    (policy(without("Effect")), {"MISSING_EFFECT"}),
    (policy(without("Action")), {"MISSING_ACTION"}),
    (policy(without("Resource")), {"MISSING_RESOURCE"}),
    (policy(allow(NotAction="s3:PutObject")), {"UNSUPPORTED_ELEMENT_COMBINATION"}),
    (policy(allow(Principal="*")), {"UNSUPPORTED_PRINCIPAL"}),
    (policy(allow(Action=[])), {"EMPTY_ARRAY_ACTION"}),
    (policy(allow(Resource=[])), {"EMPTY_ARRAY_RESOURCE"}),
    (policy(allow(Action=[1])), {"DATA_TYPE_MISMATCH"}),
    (policy(allow(Action="s3:GetObjekt")), {"INVALID_ACTION"}),
    (policy(allow(Action="s3:Nothing*")), {"INVALID_ACTION"}),
    (policy(allow(Action="GetObject")), {"INVALID_ACTION"}),
    (policy(allow(Action="s4:GetObject")), {"INVALID_SERVICE_IN_ACTION"}),
    (policy(allow(Action="s*:GetObject")), {"WILDCARD_IN_SERVICE_NAME"}),
    (policy(allow(Action="s3:Get${aws:username}")), {"INVALID_ACTION", "VARIABLE_UNSUPPORTED_IN_ELEMENT"}),
    (policy(allow(Action=["s3:Get*", "s3:GetObject"])), {"REDUNDANT_ACTION"}),
    (policy(allow(Action=["s3:GetObject", "S3:getobject"])), {"REDUNDANT_ACTION"}),
    (policy(allow(Action=["iam:Get*", "iam:*CredentialReport"], Resource="*")), set()),
    (policy(allow(Resource=["arn:aws:s3:::b*", "arn:aws:s3:::bc"])), {"REDUNDANT_RESOURCE"}),
    (policy(allow(), allow(Sid="again")), {"REDUNDANT_STATEMENT"}),
    (policy(allow(Resource="b/*")), {"INVALID_ARN_PREFIX"}),
    (policy(allow(Resource="arn:aws:s3")), {"MISSING_ARN_FIELD"}),
    (policy(allow(Resource="arn:aws:s3:*")), set()),
    (policy(allow(Resource="arn:ows:s3:::b")), {"INVALID_PARTITION"}),
    (policy(allow(Resource="arn:aws:S3:::b")), {"INVALID_ARN_SERVICE_CASE"}),
    (policy(allow(Resource="arn:aws:s4:::b")), {"INVALID_SERVICE"}),
    (policy(allow(Resource="arn:aws:s*:::b")), {"WILDCARD_IN_SERVICE_NAME"}),
    (policy(allow(Resource="arn:aws:s3::000000000000:b")), {"ARN_ACCOUNT_NOT_ALLOWED"}),
    (policy(allow(Resource="arn:aws:iam:eu-west-3:000000000000:role/r")), {"ARN_REGION_NOT_ALLOWED"}),
    (policy(allow(Resource="arn:aws:sqs::000000000000:q")), {"MISSING_ARN_REGION"}),
    (policy(allow(Resource="arn:aws:sqs:eu-west-33:000000000000:q")), {"INVALID_ARN_REGION"}),
    (policy(allow(Resource="arn:aws:sqs:eu-west-3:0000:q")), {"INVALID_ARN_ACCOUNT"}),
    (policy(allow(Resource="arn:aws:iam::000000000000:rolle/r")), {"INVALID_ARN_RESOURCE"}),
    (policy(allow(Resource="arn:aws:ec2:*:*:instance/${aws:username}*")), set()),
    (policy(allow(Resource="arn:aws:s3:::b/${aws:username")), {"MISSING_BRACE_IN_VARIABLE"}),
    (policy(allow(Resource="arn:aws:s3:::b/${}")), {"EMPTY_VARIABLE"}),
    (policy(allow(Resource="arn:aws:s3:::b/${aws:user name}")), {"UNSUPPORTED_SPACE_IN_VARIABLE"}),
    (policy(allow(Resource="arn:aws:s3:::b/${aws:username!}")), {"UNSUPPORTED_SYMBOL_IN_VARIABLE"}),
    (policy(allow(Resource="arn:aws:s3:::b/${aws:username, x}")), {"MISSING_QUOTE_IN_VARIABLE"}),
    (policy(allow(Resource="arn:aws:s3:::b/${aws:username, 'x'}")), set()),
    (policy(allow(Resource="arn:aws:s3:::b/${*}")), set()),
    (
        policy(allow(Resource="arn:aws:s3:::b/${aws:username}"), version="2008-10-17"),
        {"VARIABLE_UNSUPPORTED_IN_VERSION"},
    ),
    (policy(allow(Condition={})), {"EMPTY_OBJECT_CONDITION"}),
    (policy(allow(Condition={"StringEquals": {}})), {"EMPTY_OBJECT_CONDITION"}),
    (policy(allow(Condition="x")), {"DATA_TYPE_MISMATCH"}),
    (when("StringEquls", "aws:username", "x"), {"INVALID_CONDITION_OPERATOR"}),
    (when("NullIfExists", "aws:username", "true"), {"NULL_WITH_IF_EXISTS"}),
    (when("ForAnyValue:Null", "aws:TagKeys", "true"), {"NULL_WITH_QUALIFIER"}),
    (when("StringEquals", "username", "x"), {"INVALID_CONDITION_KEY_FORMAT"}),
    (when("StringEquals", "aws:nobody", "x"), {"INVALID_GLOBAL_CONDITION_KEY"}),
    (when("StringEquals", "aws:ARN", "x"), {"UNSUPPORTED_GLOBAL_CONDITION_KEY"}),
    (when("StringEquals", "s4:prefix", "x"), {"INVALID_SERVICE"}),
    (when("StringEquals", "s3:nothing", "x"), {"INVALID_SERVICE_CONDITION_KEY"}),
    (when("StringEquals", "s3:prefix", "x"), set()),
    (when("StringEquals", "kms:EncryptionContext:a:b", "x"), set()),
    (when("StringEquals", "ec2:ResourceTag/env", "dev"), set()),
    (when("StringEquals", "aws:PrincipalTag/env", "dev"), set()),
    (when("StringEquals", "token.actions.githubusercontent.com:sub", "x"), set()),
    (when("StringEquals", "aws:TagKeys", "x"), {"MISSING_QUALIFIER"}),
    (when("ForAllValues:StringEquals", "aws:TagKeys", "x"), set()),
    (when("ForAllValues:StringEquals", "aws:username", "x"), {"FORALLVALUES_WITH_SINGLE_VALUED_KEY"}),
    (when("StringEquals", "aws:username", ["x", 1]), {"INVALID_CONDITION_DATA_TYPE"}),
    (when("StringEquals", "aws:username", {"x": 1}), {"DATA_TYPE_MISMATCH"}),
    (when("StringEquals", "aws:username", "x*"), {"WILDCARD_WITHOUT_LIKE_OPERATOR"}),
    (when("StringLike", "aws:username", "x*"), set()),
    (when("StringEquals", "aws:RequestedRegion", "eu-west-33"), {"INVALID_REGION"}),
    (when("StringEquals", "aws:SourceVpc", "vpc1"), {"INVALID_VPC_FORMAT"}),
    (when("StringEquals", "aws:SourceVpce", "vpc-0123456789abcdef0"), {"INVALID_VPC_ENDPOINT_FORMAT"}),
    (when("StringEquals", "aws:MultiFactorAuthPresent", "true"), {"TYPE_MISMATCH"}),
    (when("StringLike", "aws:PrincipalArn", "arn:aws:iam::*:role/x"), set()),
    (when("Bool", "aws:SecureTransport", "yes"), {"TYPE_MISMATCH_BOOLEAN"}),
    (when("Bool", "aws:SecureTransport", ["true", "false"]), {"INVALID_CONDITION_MULTIPLE_BOOLEAN"}),
    (when("Bool", "aws:SecureTransport", "${aws:username}"), {"INVALID_VARIABLE_FOR_OPERATOR"}),
    (when("NumericLessThan", "aws:MultiFactorAuthAge", "old"), {"TYPE_MISMATCH_NUMBER"}),
    (when("NumericLessThan", "aws:MultiFactorAuthAge", ["2700", "3600"]), {"REDUNDANT_CONDITION_VALUE_NUM"}),
    (when("DateLessThan", "aws:CurrentTime", "soon"), {"TYPE_MISMATCH_DATE"}),
    (when("DateLessThan", "aws:CurrentTime", "1700000000"), {"INVALID_DATE_VALUE"}),
    (when("BinaryEquals", "s3:prefix", "x"), {"TYPE_MISMATCH"}),
    (when("IpAddress", "aws:SourceIp", "300.0.0.0/8"), {"TYPE_MISMATCH_IP_RANGE"}),
    (when("IpAddress", "aws:SourceIp", "8.8.8.8/24"), {"IMPROVE_IP_RANGE"}),
    (when("IpAddress", "aws:SourceIp", "10.0.0.0/8"), {"PRIVATE_IP_ADDRESS"}),
    (when("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "8.8.8.0/24"]), {"PRIVATE_IP_ADDRESS_SUBSET"}),
    (when("NotIpAddress", "aws:SourceIp", "10.0.0.0/8"), {"PRIVATE_NOT_IP_ADDRESS"}),
    (when("NotIpAddress", "aws:SourceIp", ["10.0.0.0/8", "8.8.8.0/24"]), {"PRIVATE_NOT_IP_ADDRESS_SUBSET"}),
    (when("StringEquals", "aws:username", []), {"EMPTY_ARRAY_CONDITION"}),
    (when("StringEqualsIfExists", "aws:username", []), {"EMPTY_ARRAY_CONDITION_IFEXISTS"}),
    (when("ForAllValues:StringEquals", "aws:TagKeys", []), {"EMPTY_ARRAY_CONDITION_FORALLVALUES"}),
    (when("ForAnyValue:StringEquals", "aws:TagKeys", []), {"EMPTY_ARRAY_CONDITION_FORANYVALUE"}),
    (
        policy(allow(Condition={"StringEquals": {"aws:username": "x", "aws:userName": "y"}})),
        {"DUPLICATE_KEYS_WITH_DIFFERENT_CASE"},
    ),
    (policy(allow(Action="iam:PassRole", Resource="*")), {"PASS_ROLE_WITH_STAR_IN_RESOURCE"}),
    (policy(allow(Action="iam:PassRole", Resource="arn:aws:iam::000000000000:role/web")), set()),
    (when("StringEquals", "iam:PassedToService", "ec2.amazonaws.com", Action="iam:PassRole", Resource="*"), set()),
    (
        policy(allow(Action="*", Resource="*")),
        {"PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE", "CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE"},
    ),
    (policy(allow(Action="iam:Pass*", Resource="*")), {"PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE"}),
    (policy(allow(Action="iam:CreateServiceLinkedRole", Resource="*")), {"CREATE_SLR_WITH_STAR_IN_RESOURCE"}),
    (
        policy({"Effect": "Allow", "NotAction": "s3:GetObject", "Resource": "*"}),
        {"PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION", "CREATE_SLR_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION"},
    ),
    (
        policy({"Effect": "Allow", "NotAction": "s3:GetObject", "NotResource": "arn:aws:s3:::b"}),
        {"PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE", "CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE"},
    ),
    (
        policy({"Effect": "Allow", "Action": "iam:PassRole", "NotResource": "arn:aws:iam::000000000000:role/a"}),
        {"PASS_ROLE_WITH_NOT_RESOURCE"},
    ),
    (
        policy({"Effect": "Allow", "Action": "iam:CreateServiceLinkedRole", "NotResource": "*"}),
        {"CREATE_SLR_WITH_NOT_RESOURCE"},
    ),
    (
        policy({"Effect": "Allow", "Action": "iam:*", "NotResource": "arn:aws:iam::000000000000:role/a"}),
        {"PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE", "CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE"},
    ),
    (policy({"Effect": "Deny", "Action": "*", "Resource": "*"}), set()),
    (
        policy(*(allow(Resource=f"arn:aws:s3:::bucket-{n:04}/*") for n in range(80))),
        {"POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"},
    ),
]

RESOURCE: list[tuple[str, str, set[str]]] = [
    (policy(ANYONE), "", set()),
    (policy({**BUCKET, "Effect": "Allow"}), "", {"MISSING_PRINCIPAL"}),
    (policy({**BUCKET, "Effect": "Allow", "NotPrincipal": {"AWS": "000000000000"}}), "", {"ALLOW_WITH_NOT_PRINCIPAL"}),
    (policy({**ANYONE, "Principal": "x"}), "", {"INVALID_PRINCIPAL_FORMAT"}),
    (policy({**ANYONE, "Principal": {}}), "", {"EMPTY_OBJECT_PRINCIPAL"}),
    (policy({**ANYONE, "Principal": {"AWS": []}}), "", {"EMPTY_ARRAY_PRINCIPAL"}),
    (policy({**ANYONE, "Principal": {"Aws": "1"}}), "", {"INVALID_PRINCIPAL_KEY"}),
    (policy({**ANYONE, "Principal": {"AWS": 1}}), "", {"DATA_TYPE_MISMATCH"}),
    (policy({**ANYONE, "Principal": {"Service": "ec2"}}), "", {"INVALID_SERVICE_PRINCIPAL_FORMAT"}),
    (
        policy({**ANYONE, "Principal": {"AWS": "arn:aws:iam::000000000000:user/*"}}),
        "",
        {"UNSUPPORTED_WILDCARD_IN_PRINCIPAL"},
    ),
    (policy({**ANYONE, "Principal": {"AWS": "AROAIOSFODNN7EXAMPLE1"}}), "", {"INVALID_ROLE_REFERENCE"}),
    (policy({**ANYONE, "Principal": {"AWS": "AIDAIOSFODNN7EXAMPLE1"}}), "", {"INVALID_USER_REFERENCE"}),
    (policy({**ANYONE, "Sid": "a"}, {**ANYONE, "Sid": "a", "Effect": "Deny"}), "", {"UNIQUE_SIDS_RECOMMENDED"}),
    (policy({**ANYONE, "Action": "sqs:SendMessage"}), "AWS::S3::Bucket", {"UNSUPPORTED_ACTION_IN_POLICY"}),
    (
        policy({**ROLE, "Principal": {"Service": "ec2.amazonaws.com"}}),
        "AWS::IAM::AssumeRolePolicyDocument",
        set(),
    ),
    (
        policy({**ROLE, "Principal": "*"}),
        "AWS::IAM::AssumeRolePolicyDocument",
        {"UNSUPPORTED_WILDCARD_IN_PRINCIPAL"},
    ),
    (
        policy({**ROLE, "Principal": {"Federated": SAML}, "Action": "sts:AssumeRoleWithWebIdentity"}),
        "AWS::IAM::AssumeRolePolicyDocument",
        {"MISMATCHED_ACTION_FOR_PRINCIPAL"},
    ),
]


def codes(text: str, kind: str = "IDENTITY_POLICY", resource: str = "") -> set[str]:
    return {finding["issueCode"] for finding in validate(text, kind, resource)}


@pytest.mark.parametrize(("text", "wanted"), IDENTITY)
def test_policies_of_identities(text: str, wanted: set[str]) -> None:
    assert codes(text) == wanted


@pytest.mark.parametrize(("text", "resource", "wanted"), RESOURCE)
def test_policies_of_resources(text: str, resource: str, wanted: set[str]) -> None:
    assert codes(text, "RESOURCE_POLICY", resource) == wanted


def test_policies_of_organizations() -> None:
    assert codes(policy({**ANYONE, "Effect": "Deny"}), "SERVICE_CONTROL_POLICY") == {"SCP_SYNTAX_ERROR_PRINCIPAL"}
    assert codes(policy({"Effect": "Deny", "Action": "*", "Resource": "*"}), "SERVICE_CONTROL_POLICY") == set()
    many = policy(*({**without("Resource"), "Resource": f"arn:aws:s3:::b{n:04}"} for n in range(80)))
    assert codes(many, "SERVICE_CONTROL_POLICY") == {"POLICY_SIZE_EXCEEDS_SCP_QUOTA"}
    assert codes(policy({**ANYONE, "Effect": "Deny"}), "RESOURCE_CONTROL_POLICY") == set()


def test_every_check_that_is_listed_is_tried() -> None:
    tried = set[str]().union(*(wanted for _, wanted in IDENTITY), *(wanted for _, _, wanted in RESOURCE))
    elsewhere = {"JSON_SYNTAX_ERROR", "SCP_SYNTAX_ERROR_PRINCIPAL", "POLICY_SIZE_EXCEEDS_SCP_QUOTA"}
    assert set(CHECKS) - tried - elsewhere == {"TYPE_MISMATCH_STRING"}, "no key is known to hold bytes: tried below"
    assert codes(when("BinaryEquals", "accounts.google.com:x", "no base64!")) == {"TYPE_MISMATCH_STRING"}
    details = [found["findingDetails"] for text, _ in IDENTITY for found in validate(text, "IDENTITY_POLICY")]
    assert not [text for text in details if re.search(r"\{[a-z]+\}", text)]


def test_where_and_in_which_words(jar: TestJar) -> None:
    client = jar.client("accessanalyzer")
    text = """{
 "Version": "2012-10-17",
 "Statement": {
  "Effect": "Allow",
  "Action": ["s3:GetObjekt"],
  "Resource": "*"}}"""
    [found] = client.validate_policy(policyDocument=text, policyType="IDENTITY_POLICY")["findings"]
    start = text.index('"s3:GetObjekt"')
    assert found == {
        "findingType": "ERROR",
        "issueCode": "INVALID_ACTION",
        "findingDetails": "The action s3:GetObjekt does not exist. Did you mean s3:GetObject?",
        "learnMoreLink": "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"
        "#access-analyzer-reference-policy-checks-error-invalid-action",
        "locations": [
            {
                "path": [{"value": "Statement"}, {"value": "Action"}, {"index": 0}],
                "span": {
                    "start": {"line": 5, "column": 13, "offset": start},
                    "end": {"line": 5, "column": 27, "offset": start + 14},
                },
            }
        ],
    }
    broken = '{"Version": "2012-10-17",\n "Statement"}'
    [found] = client.validate_policy(policyDocument=broken, policyType="IDENTITY_POLICY")["findings"]
    assert found["issueCode"] == "JSON_SYNTAX_ERROR"
    assert found["findingDetails"] == "Fix the JSON syntax error at index 38 line 2 column 12."
    key = client.validate_policy(policyDocument=when("Bool", "aws:nope", "true"), policyType="IDENTITY_POLICY")
    assert key["findings"][0]["locations"][0]["path"][-1] == {"key": "aws:nope"}


def test_the_gravest_come_first_and_pages_hold_them_all(jar: TestJar) -> None:
    client = jar.client("accessanalyzer")
    text = policy(allow(Action=["s3:*", "s3:GetObject", "s3:Nope", "iam:PassRole"], Resource="*"))
    pages = client.get_paginator("validate_policy").paginate(
        policyDocument=text, policyType="IDENTITY_POLICY", PaginationConfig={"PageSize": 1}
    )
    found = [finding["findingType"] for page in pages for finding in page["findings"]]
    assert found == ["ERROR", "SECURITY_WARNING", "SUGGESTION"]


def test_the_policies_of_aws_itself_are_mostly_sound() -> None:
    """They are written by the authors of the language: what is called an error in many of them is our mistake."""
    names = managed_policies.names()[::20]

    def errs(name: str) -> bool:
        found = validate(managed_policies.document(name), "IDENTITY_POLICY")
        return any(finding["findingType"] == "ERROR" for finding in found)

    wrong = [name for name in names if errs(name)]
    assert len(wrong) < len(names) / 10, wrong
