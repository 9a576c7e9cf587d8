"""What nobody used, by the clock and the audit; and the least policy of what somebody did."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar

ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust() -> str:
    return document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})


def user(iam: Any, name: str, *statements: dict[str, Any]) -> dict[str, str]:
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


def unused(jar: TestJar, days: int) -> tuple[Any, str]:
    client = jar.client("accessanalyzer")
    configuration = {"unusedAccess": {"unusedAccessAge": days}}
    arn = client.create_analyzer(analyzerName="u", type="ACCOUNT_UNUSED_ACCESS", configuration=configuration)["arn"]
    jar.settle()
    return client, arn


def findings(client: Any, arn: str) -> dict[tuple[str, str], dict[str, Any]]:
    listed = client.list_findings_v2(analyzerArn=arn, filter={"status": {"eq": ["ACTIVE"]}})["findings"]
    return {(f["findingType"], f["resource"].rpartition("/")[2]): f for f in listed}


def test_roles_keys_and_passwords(jar: TestJar, iam: Any) -> None:
    role = iam.create_role(RoleName="idle", AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    who = user(iam, "ann", {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    iam.create_login_profile(UserName="ann", Password="Sup3r-secret!")
    client, arn = unused(jar, 30)
    assert findings(client, arn) == {}, "what is new is not unused yet"
    jar.advance(days=31)
    found = findings(client, arn)
    assert ("UnusedIAMRole", "idle") in found
    assert ("UnusedIAMUserPassword", "ann") in found
    whole = client.get_finding_v2(analyzerArn=arn, id=found["UnusedIAMUserAccessKey", "ann"]["id"])
    assert whole["findingDetails"][0]["unusedIamUserAccessKeyDetails"] == {"accessKeyId": who["key"]}
    given = jar.client("sts", **who).assume_role(RoleArn=role, RoleSessionName="ss")["Credentials"]
    session = {"key": given["AccessKeyId"], "secret": given["SecretAccessKey"], "token": given["SessionToken"]}
    jar.client("sts", **session).get_caller_identity()
    jar.advance(days=1, hours=1)
    left = findings(client, arn)
    assert ("UnusedIAMRole", "idle") not in left
    assert ("UnusedIAMUserAccessKey", "ann") not in left
    assert ("UnusedIAMUserPassword", "ann") in left
    with pytest.raises(ClientError, match="only supported for external"):
        client.list_findings(analyzerArn=arn)


def test_permissions_and_what_to_do_about_them(jar: TestJar, iam: Any) -> None:
    given = ["ec2:DescribeVpcs", "ec2:CreateVpc", "s3:*"]
    who = user(iam, "ann", {"Effect": "Allow", "Action": given, "Resource": "*"})
    client, arn = unused(jar, 10)
    jar.advance(days=9)
    jar.client("ec2", **who).describe_vpcs()
    jar.advance(days=2)
    finding = findings(client, arn)["UnusedPermission", "ann"]
    whole = client.get_finding_v2(analyzerArn=arn, id=finding["id"])["findingDetails"]
    services = {d["unusedPermissionDetails"]["serviceNamespace"]: d["unusedPermissionDetails"] for d in whole}
    assert set(services) == {"ec2", "s3"}
    assert [a["action"] for a in services["ec2"]["actions"]] == ["CreateVpc"]
    assert "actions" not in services["s3"]
    client.generate_finding_recommendation(analyzerArn=arn, id=finding["id"])
    advice = client.get_finding_recommendation(analyzerArn=arn, id=finding["id"])
    steps = [step["unusedPermissionsRecommendedStep"] for step in advice["recommendedSteps"]]
    assert [step["recommendedAction"] for step in steps] == ["CREATE_POLICY", "DETACH_POLICY"]
    [statement] = json.loads(steps[0]["recommendedPolicy"])["Statement"]
    assert statement["Action"] == ["ec2:DescribeVpcs"]
    counts = client.get_findings_statistics(analyzerArn=arn)["findingsStatistics"][0]
    assert counts["unusedAccessFindingsStatistics"]["totalActiveFindings"] >= 1


def test_whom_an_analyzer_leaves_out(jar: TestJar, iam: Any) -> None:
    iam.create_role(RoleName="a", AssumeRolePolicyDocument=trust(), Tags=[{"Key": "team", "Value": "ops"}])
    iam.create_role(RoleName="b", AssumeRolePolicyDocument=trust())
    client, arn = unused(jar, 5)
    rule = {"exclusions": [{"resourceTags": [{"team": "ops"}]}]}
    excluded = {"unusedAccess": {"unusedAccessAge": 5, "analysisRule": rule}}
    assert client.update_analyzer(analyzerName="u", configuration=excluded)["configuration"] == excluded
    jar.advance(days=6)
    assert ("UnusedIAMRole", "b") in findings(client, arn)
    assert ("UnusedIAMRole", "a") not in findings(client, arn)


def generated(jar: TestJar, arn: str, **asked: Any) -> dict[str, Any]:
    client = jar.client("accessanalyzer")
    job = client.start_policy_generation(policyGenerationDetails={"principalArn": arn})["jobId"]
    jar.settle()
    answer = client.get_generated_policy(jobId=job, **asked)
    assert answer["jobDetails"]["status"] == "SUCCEEDED"
    listed = client.list_policy_generations(principalArn=arn)["policyGenerations"]
    assert [one["jobId"] for one in listed] == [job]
    policies = answer["generatedPolicyResult"].get("generatedPolicies", [])
    return json.loads(policies[0]["policy"]) if policies else {}


def test_the_generated_policy_allows_what_was_done_and_nothing_else(jar: TestJar, iam: Any) -> None:
    who = user(iam, "ann", ALLOW)
    ec2 = jar.client("ec2", **who)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.describe_vpcs()
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")
    jar.client("iam", **who).get_user(UserName="ann")
    jar.advance(seconds=5)
    policy = generated(jar, f"arn:aws:iam::{ACCOUNT}:user/ann")
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=json.dumps(policy))
    ec2.describe_vpcs()
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.2.0/24")
    jar.client("iam", **who).get_user(UserName="ann")
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        ec2.describe_subnets()
    other = iam.create_user(UserName="bob")["User"]["UserName"]
    with pytest.raises(ClientError, match="AccessDenied"):
        jar.client("iam", **who).get_user(UserName=other)


def test_names_may_be_left_open(jar: TestJar, iam: Any) -> None:
    who = user(iam, "ann", ALLOW)
    jar.client("iam", **who).get_user(UserName="ann")
    with pytest.raises(ClientError):
        jar.client("iam", **who).get_user(UserName="nobody")
    jar.advance(seconds=5)
    policy = generated(jar, f"arn:aws:iam::{ACCOUNT}:user/ann", includeResourcePlaceholders=True)
    assert policy["Statement"] == [
        {
            "Effect": "Allow",
            "Action": ["iam:GetUser"],
            "Resource": "arn:aws:iam::${Account}:user/${UserNameWithPath}",
        }
    ]


def test_a_role_whose_sessions_did_something_and_one_that_did_nothing(jar: TestJar, iam: Any) -> None:
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document(ALLOW))
    idle = iam.create_role(RoleName="idle", AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    who = user(iam, "ann", ALLOW)
    given = jar.client("sts", **who).assume_role(RoleArn=role, RoleSessionName="ss")["Credentials"]
    session = {"key": given["AccessKeyId"], "secret": given["SecretAccessKey"], "token": given["SessionToken"]}
    jar.client("ec2", **session).describe_vpcs()
    jar.advance(seconds=5)
    assert generated(jar, role)["Statement"] == [{"Effect": "Allow", "Action": ["ec2:DescribeVpcs"], "Resource": "*"}]
    assert generated(jar, idle) == {}


def test_jobs(jar: TestJar, iam: Any) -> None:
    client = jar.client("accessanalyzer")
    with pytest.raises(ClientError) as refused:
        client.start_policy_generation(policyGenerationDetails={"principalArn": f"arn:aws:iam::{ACCOUNT}:user/nobody"})
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    arn = iam.create_user(UserName="ann")["User"]["Arn"]
    job = client.start_policy_generation(policyGenerationDetails={"principalArn": arn})["jobId"]
    with pytest.raises(ClientError) as refused:
        client.start_policy_generation(policyGenerationDetails={"principalArn": arn})
    assert refused.value.response["Error"]["Code"] == "ServiceQuotaExceededException"
    client.cancel_policy_generation(jobId=job)
    jar.settle()
    assert client.get_generated_policy(jobId=job)["jobDetails"]["status"] == "CANCELED"
