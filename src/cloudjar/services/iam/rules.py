"""What IAM demands beyond the model: policy documents, tags, passwords. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cloudjar.policy.document import Document, parse
from cloudjar.policy.grammar import Flavour, PolicySyntaxError
from cloudjar.services.iam import errors
from cloudjar.spec import quotas

ACCESS_KEYS_PER_USER = quotas.IAM_SUMMARY["AccessKeysPerUserQuota"]
ATTACHED_PER_GROUP = quotas.IAM_POLICIES_PER_GROUP
GROUPS_PER_USER = quotas.IAM_SUMMARY["GroupsPerUserQuota"]
MANAGED_SIZE = quotas.IAM_SUMMARY["PolicySizeQuota"]
VERSIONS = quotas.IAM_POLICY_VERSIONS
TAGS = quotas.IAM_TAGS


def document(text: str, flavour: Flavour = Flavour.IDENTITY) -> Document:
    """The compiled policy; raises MalformedPolicyDocument in the words of the policy language."""
    try:
        return parse(text, flavour)
    except PolicySyntaxError as error:
        raise errors.malformed_policy(error.message) from None


def size(text: str) -> int:
    """The length that quotas count: white space does not."""
    return len("".join(text.split()))


def tags(items: Iterable[Mapping[str, Any]], present: Mapping[str, str] | None = None) -> dict[str, str]:
    """Tags of a request laid over those present; keys differ whatever their case, the newest spelling stays."""
    given = [(str(item["Key"]), str(item.get("Value") or "")) for item in items]
    folded = [key.lower() for key, _ in given]
    if len(set(folded)) != len(folded):
        raise errors.invalid_input("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.startswith("aws:") for key in folded):
        raise errors.invalid_input("aws: prefixed tag key names are not allowed for external use.")
    merged = {key: value for key, value in (present or {}).items() if key.lower() not in folded}
    merged.update(given)
    if len(merged) > TAGS:
        raise errors.limit_exceeded("The number of tags has reached the maximum limit.")
    return merged


def without_tags(present: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    """The tags that stay when some are removed, whatever the case of their keys."""
    gone = {key.lower() for key in keys}
    return {key: value for key, value in present.items() if key.lower() not in gone}


def renamed_principal(text: str, old: str, new: str) -> str:
    """A trust policy in which a principal goes by another name: its new ARN, or, once deleted, its unique id.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    replaced = text.replace(f'"{old}"', f'"{new}"')
    if replaced != text:
        return replaced

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: walk(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [walk(inner) for inner in value]
        return new if value == old else value

    return json.dumps(walk(json.loads(text)))  # the ARN was spelled with JSON escapes


class PasswordRules(NamedTuple):
    """What a password must have; `kinds` is how many kinds of characters, when no kind is asked for by name."""

    minimum: int = 8
    symbols: bool = False
    numbers: bool = False
    upper: bool = False
    lower: bool = False
    kinds: int = 3


_SYMBOLS = frozenset("!@#$%^&*()_+-=[]{}|'")


def weakness(password: str, rules: PasswordRules) -> str:
    """What is wrong with a password, in AWS's words; empty when nothing is.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html
    """
    has = {
        "symbols": any(c in _SYMBOLS for c in password),
        "numbers": any(c in "0123456789" for c in password),
        "upper": any("A" <= c <= "Z" for c in password),
        "lower": any("a" <= c <= "z" for c in password),
    }
    if len(password) < rules.minimum:
        return f"Password should have a minimum length of {rules.minimum}"
    for kind, words in _KINDS:
        if getattr(rules, kind) and not has[kind]:
            return f"Password should have at least one {words}"
    if sum(has.values()) < rules.kinds:
        return (
            "Password must contain at least three of these character types: "
            "uppercase letters, lowercase letters, numbers, and symbols"
        )
    return ""


_KINDS = (
    ("symbols", "symbol"),
    ("numbers", "number"),
    ("upper", "uppercase letter"),
    ("lower", "lowercase letter"),
)


def password_hash(password: str, salt: bytes) -> bytes:
    """scrypt with the parameters that OWASP recommends for 16 MiB."""
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=5, maxmem=64 << 20, dklen=32)
