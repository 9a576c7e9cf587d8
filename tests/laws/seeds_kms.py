"""Keys with several of everything that KMS lists, for the law on pages."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT, TestJar

MANY = 7


def keys(jar: TestJar) -> dict[str, Any]:
    """Make them as root of the default account; gives the parameters that the lists need."""
    kms = jar.client("kms")
    root = f"arn:aws:iam::{ACCOUNT}:root"
    tags = [{"TagKey": f"k{n}", "TagValue": "v"} for n in range(MANY)]
    key = ""
    for n in range(MANY):
        key = kms.create_key(Tags=tags)["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=f"alias/a{n}", TargetKeyId=key)
    for _ in range(MANY):
        kms.create_grant(KeyId=key, GranteePrincipal=root, RetiringPrincipal=root, Operations=["Decrypt"])
        kms.rotate_key_on_demand(KeyId=key)
    return {"KeyId": key, "RetiringPrincipal": root}
