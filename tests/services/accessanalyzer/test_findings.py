"""Findings: external access is found, followed and resolved; the zone of trust, rules and filters."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar

OTHER = "111111111111"
Json = dict[str, Any]


def document(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal: Any, **more: Any) -> str:
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


@pytest.fixture
def analyzer(jar: TestJar) -> Any:
    return jar.client("accessanalyzer")


@pytest.fixture
def arn(jar: TestJar, analyzer: Any) -> str:
    made = analyzer.create_analyzer(analyzerName="a", type="ACCOUNT")["arn"]
    jar.settle()
    return str(made)


def look(jar: TestJar) -> None:
    """Let the analyzer see what changed."""
    jar.advance(seconds=10)


def active(analyzer: Any, arn: str) -> list[Json]:
    found: list[Json] = analyzer.list_findings(analyzerArn=arn, filter={"status": {"eq": ["ACTIVE"]}})["findings"]
    return found


def test_a_role_that_trusts_another_account(jar: TestJar, iam: Any, analyzer: Any, arn: str) -> None:
    role = iam.create_role(RoleName="guest", AssumeRolePolicyDocument=trust({"AWS": OTHER}))["Role"]["Arn"]
    iam.create_role(RoleName="own", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))
    iam.create_role(RoleName="ec2", AssumeRolePolicyDocument=trust({"Service": "ec2.amazonaws.com"}))
    look(jar)
    [found] = active(analyzer, arn)
    assert (found["resource"], found["resourceOwnerAccount"]) == (role, ACCOUNT)
    assert found["resourceType"] == "AWS::IAM::Role"
    assert (found["principal"], found["action"], found["isPublic"]) == ({"AWS": OTHER}, ["sts:AssumeRole"], False)
    assert found["condition"] == {}
    assert found["sources"] == [{"type": "POLICY"}]
    whole = analyzer.get_finding_v2(analyzerArn=arn, id=found["id"])
    assert whole["findingType"] == "ExternalAccess"
    assert whole["findingDetails"][0]["externalAccessDetails"]["principal"] == {"AWS": OTHER}
    shown = analyzer.get_analyzer(analyzerName="a")["analyzer"]
    assert (shown["status"], shown["lastResourceAnalyzed"]) == ("ACTIVE", role)


def test_a_finding_is_resolved_when_its_access_is_gone_and_the_same_when_it_is_back(
    jar: TestJar, iam: Any, analyzer: Any, arn: str
) -> None:
    iam.create_role(RoleName="guest", AssumeRolePolicyDocument=trust({"AWS": OTHER}))
    look(jar)
    [first] = active(analyzer, arn)
    iam.update_assume_role_policy(RoleName="guest", PolicyDocument=trust({"AWS": ACCOUNT}))
    look(jar)
    assert active(analyzer, arn) == []
    assert analyzer.get_finding(analyzerArn=arn, id=first["id"])["finding"]["status"] == "RESOLVED"
    iam.update_assume_role_policy(RoleName="guest", PolicyDocument=trust({"AWS": OTHER}))
    look(jar)
    assert [f["id"] for f in active(analyzer, arn)] == [first["id"]]
    iam.delete_role(RoleName="guest")
    look(jar)
    assert active(analyzer, arn) == []
    told = [e for e in jar.jar.events.since(0) if e.detail_type == "Access Analyzer Finding"]
    assert [e.detail["status"] for e in told] == ["ACTIVE", "RESOLVED", "ACTIVE", "RESOLVED"]


def test_conditions_count(jar: TestJar, iam: Any, analyzer: Any, arn: str) -> None:
    def role(name: str, **condition: Any) -> None:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust({"AWS": "*"}, Condition=condition))

    role("inside", StringEquals={"aws:PrincipalAccount": ACCOUNT})
    role("everybody")
    role("friends", StringEquals={"aws:PrincipalOrgID": "o-1234567890"})
    role("partner", StringEquals={"sts:ExternalId": "x"})
    look(jar)
    found = {f["resource"].rpartition("/")[2]: f for f in active(analyzer, arn)}
    assert set(found) == {"everybody", "friends", "partner"}
    assert {name: f["isPublic"] for name, f in found.items()} == {"everybody": True, "friends": False, "partner": True}
    assert found["friends"]["condition"] == {"aws:principalorgid": "o-1234567890"}
    assert found["everybody"]["principal"] == {"AWS": "*"}
    counts = analyzer.get_findings_statistics(analyzerArn=arn)["findingsStatistics"][0]
    roles = counts["externalAccessFindingsStatistics"]["resourceTypeStatistics"]["AWS::IAM::Role"]
    assert (roles["totalActivePublic"], roles["totalActiveCrossAccount"]) == (2, 1)


def test_keys_grants_and_secrets(jar: TestJar, analyzer: Any, arn: str) -> None:
    kms, secrets = jar.client("kms"), jar.client("secretsmanager")
    root = f"arn:aws:iam::{ACCOUNT}:root"
    mine = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    theirs = {"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "kms:Decrypt", "Resource": "*"}
    key = kms.create_key(Policy=document(mine, theirs))["KeyMetadata"]
    other = kms.create_key(Policy=document(mine))["KeyMetadata"]
    kms.create_grant(KeyId=other["KeyId"], GranteePrincipal=f"arn:aws:iam::{OTHER}:root", Operations=["Encrypt"])
    secret = secrets.create_secret(Name="s", SecretString="x")["ARN"]
    read = {"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "secretsmanager:Get*", "Resource": "*"}
    secrets.put_resource_policy(SecretId="s", ResourcePolicy=document(read))
    look(jar)
    found = {f["resource"]: f for f in active(analyzer, arn)}
    assert set(found) == {key["Arn"], other["Arn"], secret}
    assert found[key["Arn"]]["action"] == ["kms:Decrypt"]
    assert found[other["Arn"]]["action"] == ["kms:Encrypt"]
    assert found[secret]["action"] == ["secretsmanager:GetResourcePolicy", "secretsmanager:GetSecretValue"]
    listed = analyzer.list_analyzed_resources(analyzerArn=arn, resourceType="AWS::KMS::Key")["analyzedResources"]
    assert {r["resourceArn"] for r in listed} >= {key["Arn"], other["Arn"]}
    one = analyzer.get_analyzed_resource(analyzerArn=arn, resourceArn=secret)["resource"]
    assert (one["isPublic"], one["status"], one["sharedVia"]) == (False, "ACTIVE", ["POLICY"])


def test_the_organization_as_the_zone_of_trust(jar: TestJar, iam: Any, analyzer: Any) -> None:
    with pytest.raises(ClientError) as refused:
        analyzer.create_analyzer(analyzerName="org", type="ORGANIZATION")
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    organizations = jar.client("organizations", region="us-east-1")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    organizations.create_account(AccountName="b", Email="b@example.com")
    jar.advance(minutes=10)
    [member] = [a["Id"] for a in organizations.list_accounts()["Accounts"] if a["Id"] != ACCOUNT]
    arn = analyzer.create_analyzer(analyzerName="org", type="ORGANIZATION")["arn"]
    iam.create_role(RoleName="sister", AssumeRolePolicyDocument=trust({"AWS": member}))
    iam.create_role(RoleName="stranger", AssumeRolePolicyDocument=trust({"AWS": OTHER}))
    ours = {"StringEquals": {"aws:PrincipalOrgID": organization}}
    iam.create_role(RoleName="family", AssumeRolePolicyDocument=trust({"AWS": "*"}, Condition=ours))
    look(jar)
    assert [f["resource"].rpartition("/")[2] for f in active(analyzer, arn)] == ["stranger"]


def test_archive_rules_and_archiving_by_hand(jar: TestJar, iam: Any, analyzer: Any, arn: str) -> None:
    rule = {"principal.AWS": {"eq": [OTHER]}}
    analyzer.create_archive_rule(analyzerName="a", ruleName="partner", filter=rule)
    iam.create_role(RoleName="one", AssumeRolePolicyDocument=trust({"AWS": OTHER}))
    iam.create_role(RoleName="two", AssumeRolePolicyDocument=trust({"AWS": "222222222222"}))
    look(jar)
    [found] = active(analyzer, arn)
    assert found["principal"] == {"AWS": "222222222222"}
    analyzer.update_findings(analyzerArn=arn, status="ARCHIVED", ids=[found["id"]])
    assert active(analyzer, arn) == []
    analyzer.update_findings(analyzerArn=arn, status="ACTIVE", resourceArn=found["resource"])
    assert len(active(analyzer, arn)) == 1
    analyzer.create_archive_rule(analyzerName="a", ruleName="all", filter={"resourceType": {"contains": ["Role"]}})
    analyzer.apply_archive_rule(analyzerArn=arn, ruleName="all")
    assert active(analyzer, arn) == []
    assert [r["ruleName"] for r in analyzer.list_archive_rules(analyzerName="a")["archiveRules"]] == ["all", "partner"]
    shown = analyzer.get_archive_rule(analyzerName="a", ruleName="partner")["archiveRule"]
    assert shown["filter"] == rule
    analyzer.delete_archive_rule(analyzerName="a", ruleName="all")
    with pytest.raises(ClientError) as refused:
        analyzer.get_archive_rule(analyzerName="a", ruleName="all")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_filters_and_order(jar: TestJar, iam: Any, analyzer: Any, arn: str) -> None:
    for name in ("a", "b", "c"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust({"AWS": OTHER}))
    iam.create_role(RoleName="d", AssumeRolePolicyDocument=trust({"AWS": "*"}))
    look(jar)

    def names(**asked: Any) -> list[str]:
        found = analyzer.list_findings_v2(analyzerArn=arn, **asked)["findings"]
        return [f["resource"].rpartition("/")[2] for f in found]

    by_resource = {"attributeName": "resource", "orderBy": "ASC"}
    assert names(sort=by_resource) == ["a", "b", "c", "d"]
    assert names(sort={**by_resource, "orderBy": "DESC"}) == ["d", "c", "b", "a"]
    assert names(filter={"isPublic": {"eq": ["true"]}}) == ["d"]
    assert names(filter={"principal.AWS": {"neq": ["*"]}}, sort=by_resource) == ["a", "b", "c"]
    assert names(filter={"resource": {"contains": ["role/b"]}}) == ["b"]
    assert names(filter={"condition.aws:UserId": {"exists": True}}) == []
    with pytest.raises(ClientError, match="Invalid filter key"):
        names(filter={"colour": {"eq": ["red"]}})


def test_analyzers_themselves(jar: TestJar, analyzer: Any, arn: str) -> None:
    assert arn == f"arn:aws:access-analyzer:eu-west-3:{ACCOUNT}:analyzer/a"
    with pytest.raises(ClientError) as refused:
        analyzer.create_analyzer(analyzerName="a", type="ACCOUNT")
    assert refused.value.response["Error"]["Code"] == "ConflictException"
    with pytest.raises(ClientError) as refused:
        analyzer.create_analyzer(analyzerName="b", type="ACCOUNT")
    assert refused.value.response["Error"]["Code"] == "ServiceQuotaExceededException"
    analyzer.tag_resource(resourceArn=arn, tags={"env": "dev", "x": "y"})
    analyzer.untag_resource(resourceArn=arn, tagKeys=["x"])
    assert analyzer.list_tags_for_resource(resourceArn=arn)["tags"] == {"env": "dev"}
    assert [a["name"] for a in analyzer.list_analyzers(type="ACCOUNT")["analyzers"]] == ["a"]
    assert analyzer.list_analyzers(type="ACCOUNT_UNUSED_ACCESS")["analyzers"] == []
    analyzer.delete_analyzer(analyzerName="a")
    with pytest.raises(ClientError) as refused:
        analyzer.list_findings(analyzerArn=arn)
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
    with pytest.raises(ClientError) as refused:
        analyzer.create_analyzer(analyzerName="i", type="ACCOUNT_INTERNAL_ACCESS")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_resource_is_looked_at_when_asked_for(jar: TestJar, iam: Any, analyzer: Any, arn: str) -> None:
    role = iam.create_role(RoleName="guest", AssumeRolePolicyDocument=trust({"AWS": OTHER}))["Role"]["Arn"]
    analyzer.start_resource_scan(analyzerArn=arn, resourceArn=role)
    jar.settle()
    assert len(active(analyzer, arn)) == 1
    with pytest.raises(ClientError) as refused:
        analyzer.start_resource_scan(analyzerArn=arn, resourceArn=role + "x")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
