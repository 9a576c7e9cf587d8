"""Whether a resource policy is public, as S3's Block Public Access means it.

A statement that allows is public unless its principals, or a condition, leave only fixed callers: no wildcard, no
variable. Denials do not count.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.policy.conditions.block import spell

_FIXING = frozenset(
    (
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpcarn",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    )
)
_OF_ACCOUNT = frozenset(("s3:dataaccesspointarn", "aws:principalarn", "aws:sourcearn"))
_WIDEST_V4, _WIDEST_V6 = 8, 32


@lru_cache(maxsize=1024)
def is_public(text: str) -> bool:
    """Whether some statement allows callers of whom nothing is known. `text` is a policy's JSON."""
    return any(
        statement.get("Effect") == "Allow" and _everyone(statement) and not _fixed(statement.get("Condition") or {})
        for statement in statements(text)
    )


@lru_cache(maxsize=1024)
def denials(text: str) -> str:
    """A policy without what it allows; "" when nothing remains."""
    kept = [statement for statement in statements(text) if statement.get("Effect") == "Deny"]
    return json.dumps({**json.loads(text), "Statement": kept}) if kept else ""


def statements(text: str) -> list[dict[str, Any]]:
    """A policy's statements; one that is not in a list is one too."""
    listed = json.loads(text)["Statement"]
    return [listed] if isinstance(listed, dict) else list(listed)


def _everyone(statement: Mapping[str, Any]) -> bool:
    if "NotPrincipal" in statement:
        return True
    named = statement.get("Principal")
    if not isinstance(named, dict):
        return bool(named == "*")
    return any("*" in texts(values) for values in named.values())


def _fixed(conditions: Mapping[str, Mapping[str, Any]]) -> bool:
    return any(
        _fixes(operator, key.lower(), texts(values))
        for operator, block in conditions.items()
        for key, values in block.items()
    )


def _fixes(operator: str, key: str, values: Iterable[str]) -> bool:
    how = spell(operator)
    if how is None or how.if_exists or how.over == "forallvalues":
        return False
    if key == "aws:sourceip" and how.base == "ipaddress":
        return all(_narrow(value) for value in values)
    if key not in _FIXING:
        return False
    if how.base in ("stringequals", "stringequalsignorecase"):
        return all("${" not in value for value in values)
    return how.base in ("stringlike", "arnlike", "arnequals") and all(_specific(key, value) for value in values)


def _narrow(block: str) -> bool:
    try:
        network = ipaddress.ip_network(block, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= (_WIDEST_V4 if network.version == 4 else _WIDEST_V6)


def _specific(key: str, value: str) -> bool:
    """No wildcard; in ARNs of some keys one may stand in the name, as long as the account is fixed."""
    if not set(value) & set("*?") and "${" not in value:
        return True
    arn = arns.parse(value)
    if key == "aws:userid":
        return value.partition(":")[0].isalnum() and value.partition(":")[2] == "*"
    return key in _OF_ACCOUNT and arn is not None and arn.account.isdecimal() and "${" not in value


def texts(values: Any) -> list[str]:
    """One text or a list of them as a list."""
    return [str(value) for value in values] if isinstance(values, list) else [str(values)]
