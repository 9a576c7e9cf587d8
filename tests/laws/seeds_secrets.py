"""Secrets and parameters with several of everything that their services list, for the law on pages."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import ACCOUNT, TestJar

MANY = 7


def secrets(jar: TestJar) -> dict[str, Any]:
    """Make them as root of the default account; gives the parameters that the lists need."""
    manager, store = jar.client("secretsmanager"), jar.client("ssm")
    for n in range(MANY):
        manager.create_secret(Name=f"s{n}", SecretString=str(n))
        store.put_parameter(Name=f"/p/{n}", Value=str(n), Type="String", Tier="Advanced")
        store.put_parameter(Name="/p/0", Value=str(n), Overwrite=True)
    arn = f"arn:aws:ssm:eu-west-3:{ACCOUNT}:parameter/p/0"
    statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "ssm:GetParameter", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    store.put_resource_policy(ResourceArn=arn, Policy=policy)
    return {"Name": "/p/0", "ResourceArn": arn}
