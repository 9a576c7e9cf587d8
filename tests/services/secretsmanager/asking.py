"""What the tests of Secrets Manager share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar

SECRET = "correct horse battery staple"
TOKEN = "11111111-2222-3333-4444-{:012d}"
REGION = "eu-west-3"


def token(number: int) -> str:
    """A version's id."""
    return TOKEN.format(number)


def arn(text: str, region: str = REGION, account: str = ACCOUNT) -> str:
    """A secret's ARN from the end of it."""
    return f"arn:aws:secretsmanager:{region}:{account}:secret:{text}"


@contextmanager
def refused(code: str, *words: str, status: int = 400) -> Iterator[None]:
    """The call is refused with a code, and the message has these words."""
    with pytest.raises(ClientError) as error:
        yield
    answer = error.value.response
    assert answer["Error"]["Code"] == code, answer
    for text in words:
        assert text in answer["Error"]["Message"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status


def statement(action: Any, resource: Any = "*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    """A policy's statement."""
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def document(*statements: dict[str, Any]) -> str:
    """A policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def user(jar: TestJar, name: str, *statements: dict[str, Any]) -> dict[str, str]:
    """A user with an inline policy; what a client is made with."""
    iam = jar.client("iam")
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=document(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


def stages(client: Any, name: str) -> dict[str, list[str]]:
    """Version id -> sorted labels."""
    found = client.describe_secret(SecretId=name).get("VersionIdsToStages", {})
    return {version: sorted(labels) for version, labels in found.items()}
