"""Routing rules of a website. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html#advanced-conditional-redirects
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Rule = Mapping[str, Any]


def before(website: Mapping[str, Any], key: str) -> Rule | None:
    """The first rule for a key that does not wait for an error."""
    for rule in website.get("RoutingRules") or ():
        condition = rule.get("Condition") or {}
        if "HttpErrorCodeReturnedEquals" not in condition and key.startswith(condition.get("KeyPrefixEquals") or ""):
            return dict(rule)
    return None


def after(website: Mapping[str, Any], key: str, status: int) -> Rule | None:
    """The first rule for a key whose answer would be an error."""
    for rule in website.get("RoutingRules") or ():
        condition = rule.get("Condition") or {}
        wanted = condition.get("HttpErrorCodeReturnedEquals")
        if wanted == str(status) and key.startswith(condition.get("KeyPrefixEquals") or ""):
            return dict(rule)
    return None


def replaced(rule: Rule, key: str) -> str:
    """The key that a rule leads to."""
    redirect = rule["Redirect"]
    if redirect.get("ReplaceKeyWith") is not None:
        return str(redirect["ReplaceKeyWith"])
    if redirect.get("ReplaceKeyPrefixWith") is not None:
        prefix = (rule.get("Condition") or {}).get("KeyPrefixEquals") or ""
        return str(redirect["ReplaceKeyPrefixWith"]) + key[len(prefix) :]
    return key
