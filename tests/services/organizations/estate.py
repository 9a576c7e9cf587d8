"""An organization as tests make it: through the API, as root of the management account."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import Person, root, session

SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"
ROLE = "OrganizationAccountAccessRole"


class Estate:
    """A jar with an organization in it; with all features, service control policies are enabled."""

    def __init__(self, jar: TestJar, features: str = "ALL", management: str = ACCOUNT) -> None:
        self.jar = jar
        self.management = management
        self.org = root(jar, "organizations", management)
        self.id = self.org.create_organization(FeatureSet=features)["Organization"]["Id"]
        self.root: str = self.org.list_roots()["Roots"][0]["Id"]
        if features == "ALL":
            self.org.enable_policy_type(RootId=self.root, PolicyType=SCP)

    def account(self, name: str, parent: str = "", **more: Any) -> str:
        """A new member account, made and moved; its number."""
        asked = self.org.create_account(AccountName=name, Email=f"{name}@example.com", **more)["CreateAccountStatus"]
        self.jar.settle()
        status = self.org.describe_create_account_status(CreateAccountRequestId=asked["Id"])["CreateAccountStatus"]
        assert status["State"] == "SUCCEEDED", status
        number: str = status["AccountId"]
        if parent:
            self.org.move_account(AccountId=number, SourceParentId=self.root, DestinationParentId=parent)
        return number

    def invited(self, number: str) -> str:
        """An existing account, invited and joined; its number."""
        target = {"Id": number, "Type": "ACCOUNT"}
        handshake = self.org.invite_account_to_organization(Target=target)["Handshake"]["Id"]
        root(self.jar, "organizations", number).accept_handshake(HandshakeId=handshake)
        return number

    def unit(self, name: str, parent: str = "") -> str:
        """A new OU; its id."""
        made = self.org.create_organizational_unit(ParentId=parent or self.root, Name=name)
        return str(made["OrganizationalUnit"]["Id"])

    def policy(self, name: str, *statements: dict[str, Any], kind: str = SCP, on: str = "") -> str:
        """A new policy, attached to a target when one is given; its id."""
        content = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        made = self.org.create_policy(Name=name, Description="", Content=content, Type=kind)
        found: str = made["Policy"]["PolicySummary"]["Id"]
        if on:
            self.org.attach_policy(PolicyId=found, TargetId=on)
        return found

    def admin_of(self, number: str, role: str = ROLE) -> Person:
        """A session of an account's OrganizationAccountAccessRole, assumed by an administrator of the management
        account."""
        return administrator(self.jar, self.management).assume(f"arn:aws:iam::{number}:role/{role}")


def administrator(jar: TestJar, account: str, name: str = "admin") -> Person:
    """A user who may do everything in an account."""
    iam = root(jar, "iam", account)
    if not any(user["UserName"] == name for user in iam.list_users()["Users"]):
        iam.create_user(UserName=name)
        iam.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Person(jar, f"arn:aws:iam::{account}:user/{name}", key["AccessKeyId"], key["SecretAccessKey"])


def reason(code: str, call: Any, **params: Any) -> str:
    """The `Reason` of a refusal with this code."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    answer = caught.value.response
    assert answer["Error"]["Code"] == code, answer["Error"]
    return str(answer["Reason"])


__all__ = ["RCP", "ROLE", "SCP", "Estate", "Person", "administrator", "reason", "root", "session"]
