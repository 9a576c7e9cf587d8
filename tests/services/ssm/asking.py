"""What the tests of Parameter Store share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar

ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def arn(path: str) -> str:
    """A parameter's ARN."""
    return f"arn:aws:ssm:eu-west-3:{ACCOUNT}:parameter/{path.lstrip('/')}"


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


def user(jar: TestJar, name: str, *statements: dict[str, Any]) -> Any:
    """Systems Manager as a user with an inline policy."""
    iam = jar.client("iam")
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=document(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return jar.client("ssm", key=key["AccessKeyId"], secret=key["SecretAccessKey"])


def put(store: Any, name: str, value: str = "v", kind: str = "String", **more: Any) -> int:
    """A parameter; its version."""
    version: int = store.put_parameter(Name=name, Value=value, Type=kind, **more)["Version"]
    return version


def get(store: Any, name: str, **more: Any) -> str:
    """A parameter's value."""
    value: str = store.get_parameter(Name=name, **more)["Parameter"]["Value"]
    return value
