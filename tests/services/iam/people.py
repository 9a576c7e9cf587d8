"""Users, roles and what they may do, as tests make them: through the API, as root."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
OTHER = "111122223333"


def policy(*statements: dict[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, on: str = "*", **more: Any) -> dict[str, Any]:
    """A statement of an identity policy."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def deny(*actions: str, on: str = "*") -> dict[str, Any]:
    """A statement that forbids."""
    return {"Effect": "Deny", "Action": list(actions), "Resource": on}


def trust(*principals: str, actions: tuple[str, ...] = ("sts:AssumeRole",), **more: Any) -> str:
    """A trust policy that names ARNs or accounts."""
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": list(actions), **more}
    return policy(statement)


def trust_service(*names: str) -> str:
    """A trust policy that names services."""
    return policy({"Effect": "Allow", "Principal": {"Service": list(names)}, "Action": "sts:AssumeRole"})


class Person(NamedTuple):
    """Somebody with credentials."""

    jar: TestJar
    arn: str
    key: str
    secret: str
    token: str | None = None

    def client(self, service: str, region: str = "eu-west-3") -> Any:
        """A boto3 client that signs as this person."""
        return self.jar.client(service, region, self.key, self.secret, self.token)

    def assume(self, role: str, name: str = "session", **more: Any) -> Person:
        """The person as a role session."""
        return session(self.jar, self.client("sts").assume_role(RoleArn=role, RoleSessionName=name, **more))


def session(jar: TestJar, answer: dict[str, Any]) -> Person:
    """The person that an answer of STS makes."""
    made = answer["Credentials"]
    who = answer.get("AssumedRoleUser") or answer.get("FederatedUser") or {"Arn": ""}
    return Person(jar, who["Arn"], made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])


def root(jar: TestJar, service: str, account: str = ACCOUNT) -> Any:
    """A client of an account's root user."""
    return jar.client(service, key=account)


def user(jar: TestJar, name: str, *statements: dict[str, Any], account: str = ACCOUNT, **more: Any) -> Person:
    """A new user with a key and, when statements are given, an inline policy."""
    iam = root(jar, "iam", account)
    made = iam.create_user(UserName=name, **more)["User"]
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Person(jar, made["Arn"], key["AccessKeyId"], key["SecretAccessKey"])


def role(jar: TestJar, name: str, trusts: str, *statements: dict[str, Any], account: str = ACCOUNT, **more: Any) -> str:
    """A new role, and its inline policy when statements are given; its ARN."""
    iam = root(jar, "iam", account)
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusts, **more)["Role"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(*statements))
    return str(made["Arn"])


@contextmanager
def refused(code: str, *words: str, status: int | None = None) -> Iterator[None]:
    """The block must be answered with this code, and a message that holds these words."""
    with pytest.raises(ClientError) as caught:
        yield
    answer = caught.value.response
    assert answer["Error"]["Code"] == code, answer["Error"]
    for word in words:
        assert word in answer["Error"]["Message"]
    if status is not None:
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
