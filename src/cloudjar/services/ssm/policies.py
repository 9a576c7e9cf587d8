"""Parameter policies: what happens to a parameter by the clock. Pure.

https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-policies.html
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from cloudjar.services.ssm import errors
from cloudjar.services.ssm.records import Policy

EXPIRATION, EXPIRES_SOON, UNCHANGED = "Expiration", "ExpirationNotification", "NoChangeNotification"
_SPAN = {EXPIRES_SOON: "Before", UNCHANGED: "After"}
_UNITS = {"Days": timedelta(days=1), "Hours": timedelta(hours=1)}
_MOST = 10


def read(text: str, now: datetime) -> tuple[Policy, ...]:
    """The policies of a request: a JSON array; an empty one, or one of an empty object, takes all policies away."""
    try:
        given = json.loads(text)
    except ValueError:
        raise errors.bad_policy("Policies must be a JSON array.") from None
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise errors.bad_policy("Policies must be a JSON array.")
    found = tuple(_policy(one) for one in given if one)
    if len(found) > _MOST:
        raise errors.too_many_policies()
    _check(found, now)
    return found


def _policy(given: dict[str, Any]) -> Policy:
    if given.get("Type") not in (EXPIRATION, *_SPAN):
        raise errors.bad_policy_type()
    if given.get("Version", "1.0") != "1.0" or not isinstance(given.get("Attributes"), dict):
        raise errors.bad_policy()
    return Policy(json.dumps(given, separators=(",", ":")), given["Type"])


def _check(found: tuple[Policy, ...], now: datetime) -> None:
    kinds = [policy.type for policy in found]
    if kinds.count(EXPIRATION) > 1:
        raise errors.policies_conflict()
    if EXPIRES_SOON in kinds and EXPIRATION not in kinds:
        raise errors.bad_policy("ExpirationNotification needs an Expiration policy.")
    for policy in found:
        _due(policy, found, now)
    expires = expiration(found)
    if expires is not None and expires <= now:
        raise errors.bad_policy("The expiration must be in the future.")


def expiration(found: tuple[Policy, ...]) -> datetime | None:
    """When a parameter with these policies expires."""
    for policy in found:
        if policy.type == EXPIRATION:
            return _timestamp(_attributes(policy).get("Timestamp"))
    return None


def due(policy: Policy, all_of_them: tuple[Policy, ...], modified: datetime) -> datetime:
    """When a policy acts, for a parameter that was last changed at `modified`."""
    return _due(policy, all_of_them, modified)


def _due(policy: Policy, found: tuple[Policy, ...], modified: datetime) -> datetime:
    attributes = _attributes(policy)
    expires = expiration(found)
    if policy.type == EXPIRATION:
        assert expires is not None
        return expires
    unit = _UNITS.get(str(attributes.get("Unit")))
    number = str(attributes.get(_SPAN[policy.type]))
    if unit is None or not number.isdigit() or not 0 < int(number) < 100_000:
        raise errors.bad_policy()
    if policy.type == UNCHANGED:
        return modified + int(number) * unit
    assert expires is not None
    return expires - int(number) * unit


def _attributes(policy: Policy) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(policy.text)["Attributes"]
    return found


def _timestamp(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise errors.bad_policy() from None
    if moment.tzinfo is None:
        raise errors.bad_policy()
    return moment
