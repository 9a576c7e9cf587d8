"""Delivery policies: how often, and after how long, an HTTP endpoint is tried again.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
"""

from __future__ import annotations

import json
import math
from typing import Any

from cloudjar.services.sns.errors import invalid

_DEFAULT = {
    "minDelayTarget": 20,
    "maxDelayTarget": 20,
    "numRetries": 3,
    "numMaxDelayRetries": 0,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 0,
    "backoffFunction": "linear",
}
_BACKOFF = ("arithmetic", "exponential", "geometric", "linear")
_LONGEST, _MOST = 3600, 100
_OWN = ("healthyRetryPolicy", "requestPolicy")


def checked(text: str, kind: str) -> dict[str, Any]:
    """The policy of a topic (`kind` http) or of a subscription; {} for an empty one. Raises InvalidParameter."""
    if not text:
        return {}
    try:
        data = json.loads(text)
    except ValueError:
        raise _wrong("failed to parse JSON.") from None
    if not isinstance(data, dict):
        raise _wrong("must be an object")
    inner = data.get("http", {}) if kind == "http" else data
    if not isinstance(inner, dict):
        raise _wrong("http must be an object")
    names = ("defaultHealthyRetryPolicy", "defaultRequestPolicy") if kind == "http" else _OWN
    for name in names:
        if inner.get(name) is not None and not isinstance(inner[name], dict):
            raise _wrong(f"{name} must be an object")
    if inner.get(names[0]) is not None:
        _check_retries(inner[names[0]])
    return data


def _wrong(why: str) -> Exception:
    return invalid(f"DeliveryPolicy: {why}")


def _check_retries(held: dict[str, Any]) -> None:
    whole = {**_DEFAULT, **{key: value for key, value in held.items() if value is not None}}
    if whole["backoffFunction"] not in _BACKOFF:
        raise _wrong("healthyRetryPolicy.backoffFunction must be one of arithmetic, exponential, geometric, linear")
    for name, value in whole.items():
        if name != "backoffFunction" and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise _wrong(f"healthyRetryPolicy.{name} must be a number that is not negative")
    if not 1 <= whole["minDelayTarget"] <= whole["maxDelayTarget"] <= _LONGEST:
        raise _wrong("healthyRetryPolicy.minDelayTarget must be less than or equal to maxDelayTarget")
    parts = whole["numNoDelayRetries"] + whole["numMinDelayRetries"] + whole["numMaxDelayRetries"]
    if whole["numRetries"] > _MOST or parts > whole["numRetries"]:
        raise _wrong("healthyRetryPolicy.numRetries must be greater than or equal to the sum of its phases")


def retries(topic: str, subscription: str) -> dict[str, Any]:
    """The retry policy in force: the subscription's own, else the topic's, else AWS's."""
    mine = checked(subscription, "subscription").get("healthyRetryPolicy")
    http = checked(topic, "http").get("http", {})
    if http.get("disableSubscriptionOverrides"):
        mine = None
    held = mine or http.get("defaultHealthyRetryPolicy") or {}
    return {**_DEFAULT, **{key: value for key, value in held.items() if value is not None}}


def delay(policy: dict[str, Any], failures: int) -> float | None:
    """Seconds until the next attempt after so many failed ones; None when there is none."""
    if failures > policy["numRetries"]:
        return None
    at = failures - policy["numNoDelayRetries"]
    if at <= 0:
        return 0.0
    low, high = float(policy["minDelayTarget"]), float(policy["maxDelayTarget"])
    if at <= policy["numMinDelayRetries"]:
        return low
    if failures > policy["numRetries"] - policy["numMaxDelayRetries"]:
        return high
    steps = policy["numRetries"] - policy["numNoDelayRetries"] - policy["numMinDelayRetries"]
    steps = max(steps - policy["numMaxDelayRetries"], 1)
    share = (at - policy["numMinDelayRetries"]) / steps
    return low + (high - low) * _risen(policy["backoffFunction"], share)


def _risen(function: str, share: float) -> float:
    """How far between the shortest and the longest delay, for how far between the first and the last try."""
    match function:
        case "arithmetic":
            return share**2
        case "exponential":
            return (math.exp(3 * share) - 1) / (math.exp(3) - 1)
        case "geometric":
            return float(2 ** (4 * share) - 1) / 15
    return share


def effective(topic: str, subscription: str = "") -> str:
    """EffectiveDeliveryPolicy as AWS shows it."""
    held = retries(topic, subscription)
    if subscription:
        return json.dumps({"healthyRetryPolicy": held}, separators=(",", ":"))
    overrides = checked(topic, "http").get("http", {}).get("disableSubscriptionOverrides", False)
    shown = {"http": {"defaultHealthyRetryPolicy": held, "disableSubscriptionOverrides": overrides}}
    return json.dumps(shown, separators=(",", ":"))
