"""An organization with several of everything that Organizations lists, for the law on pages."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import TestJar

SCP = "SERVICE_CONTROL_POLICY"
DENY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]})
MANY = 4


def organization(jar: TestJar) -> dict[str, Any]:
    """Make it as root of the default account; gives the parameters that its lists need."""
    org = jar.client("organizations")
    org.create_organization()
    root = org.list_roots()["Roots"][0]["Id"]
    org.enable_policy_type(RootId=root, PolicyType=SCP)
    for n in range(MANY):
        org.create_account(AccountName=f"a{n}", Email=f"a{n}@example.com")
        org.invite_account_to_organization(Target={"Id": f"11112222333{n}", "Type": "ACCOUNT"})
    jar.settle()
    account = next(a["Id"] for a in org.list_accounts()["Accounts"] if a["JoinedMethod"] == "CREATED")
    policy = ""
    for n in range(MANY):
        unit = org.create_organizational_unit(ParentId=root, Name=f"u{n}")["OrganizationalUnit"]["Id"]
        made = org.create_policy(Name=f"p{n}", Description="", Content=DENY, Type=SCP)
        policy = made["Policy"]["PolicySummary"]["Id"]
        org.attach_policy(PolicyId=policy, TargetId=account)
        org.enable_aws_service_access(ServicePrincipal=f"s{n}.amazonaws.com")
        org.register_delegated_administrator(AccountId=account, ServicePrincipal=f"s{n}.amazonaws.com")
    return {
        "ParentId": root, "ChildId": unit, "TargetId": account, "AccountId": account, "PolicyId": policy, "Filter": SCP,
        "ChildType": "ORGANIZATIONAL_UNIT",
    }  # fmt: skip
