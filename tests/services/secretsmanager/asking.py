"""What the tests of Secrets Manager share."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.answers import document as document
from tests.services.answers import refused as refused
from tests.services.answers import statement as statement

SECRET = "correct horse battery staple"
TOKEN = "11111111-2222-3333-4444-{:012d}"
REGION = "eu-west-3"


def token(number: int) -> str:
    """A version's id."""
    return TOKEN.format(number)


def arn(text: str, region: str = REGION, account: str = ACCOUNT) -> str:
    """A secret's ARN from the end of it."""
    return f"arn:aws:secretsmanager:{region}:{account}:secret:{text}"


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
