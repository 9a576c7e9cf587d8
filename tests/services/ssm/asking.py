"""What the tests of Parameter Store share."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.answers import document as document
from tests.services.answers import refused as refused
from tests.services.answers import statement as statement

ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def arn(path: str) -> str:
    """A parameter's ARN."""
    return f"arn:aws:ssm:eu-west-3:{ACCOUNT}:parameter/{path.lstrip('/')}"


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
