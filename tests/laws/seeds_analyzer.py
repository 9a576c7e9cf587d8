"""Analyzers with several findings of both kinds, for the law on pages."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import ACCOUNT, TestJar

MANY = 5
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:X", "s3:Y"], "Resource": "b"}]}


def analyzers(jar: TestJar) -> dict[str, Any]:
    """Roles that trust strangers, users who use nothing, jobs; gives the parameters that the lists need."""
    client, iam = jar.client("accessanalyzer"), jar.client("iam")
    for n in range(MANY):
        who = {"AWS": f"11111111111{n}"}
        trust = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName=f"stranger{n}", AssumeRolePolicyDocument=text)
    external = client.create_analyzer(analyzerName="external", type="ACCOUNT")["arn"]
    for n in range(MANY):
        rule = {"resource": {"eq": [f"r{n}"]}}
        client.create_archive_rule(analyzerName="external", ruleName=f"rule{n}", filter=rule)
        client.start_policy_generation(policyGenerationDetails={"principalArn": f"arn:aws:iam::{ACCOUNT}:user/u{n}"})
        jar.settle()
    idle = {"unusedAccess": {"unusedAccessAge": 1}}
    unused = client.create_analyzer(analyzerName="idle", type="ACCOUNT_UNUSED_ACCESS", configuration=idle)["arn"]
    jar.advance(days=2)
    kind = {"findingType": {"eq": ["UnusedPermission"]}}
    finding = client.list_findings_v2(analyzerArn=unused, filter=kind)["findings"][0]["id"]
    client.generate_finding_recommendation(analyzerArn=unused, id=finding)
    one = {"analyzerArn": unused, "id": finding}
    return {
        "analyzerArn": external, "analyzerName": "external", "policyDocument": json.dumps(POLICY),
        "policyType": "IDENTITY_POLICY", "GetFindingV2": one, "GetFindingRecommendation": one, "id": finding,
    }  # fmt: skip
