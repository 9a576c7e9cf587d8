"""What AWS refuses in a lifecycle configuration, and the ids that it gives to rules without one.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cloudjar.base import ids
from cloudjar.services.s3.errors import invalid_argument, invalid_request, malformed_xml
from cloudjar.services.s3.lifecycle.rules import filter_of

_MOST = 1000
_LATER = ("STANDARD_IA", "ONEZONE_IA")
_ACTIONS = (
    "Expiration",
    "Transitions",
    "NoncurrentVersionTransitions",
    "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
)


def checked(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rules of a request as they are kept. Raises `AwsError` InvalidArgument, InvalidRequest or MalformedXML."""
    if not rules or len(rules) > _MOST:
        raise malformed_xml()
    seen: set[str] = set()
    kept = []
    for rule in rules:
        name = rule.get("ID") or ids.token(36)
        if len(name) > 255:
            raise invalid_argument("ID length should not exceed allowed limit of 255")
        if name in seen:
            raise invalid_argument("Rule ID must be unique. Found same ID for more than one rule")
        seen.add(name)
        _check(rule)
        kept.append({**rule, "ID": name})
    return kept


def _check(rule: Mapping[str, Any]) -> None:
    if ("Prefix" in rule) == ("Filter" in rule):
        raise malformed_xml()
    _check_filter(rule.get("Filter") or {})
    flat = filter_of(rule)
    if not any(rule.get(action) for action in _ACTIONS):
        raise invalid_request("At least one action needs to be specified in a rule")
    where = f"(prefix={flat.get('Prefix') or ''})"
    _check_expiration(rule, flat)
    _check_transitions(rule, where)
    _check_noncurrent(rule)
    abort = rule.get("AbortIncompleteMultipartUpload")
    if abort is not None:
        if flat.get("Tags"):
            raise invalid_request("AbortIncompleteMultipartUpload cannot be specified with Tags.")
        if (abort.get("DaysAfterInitiation") or 0) <= 0:
            raise invalid_argument(
                "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer"
            )


def _check_filter(given: Mapping[str, Any]) -> None:
    if len(given) > 1:
        raise malformed_xml()
    both = given.get("And")
    if both is not None and len(both) + max(len(both.get("Tags", ())) - 1, 0) < 2:
        raise malformed_xml()
    tags = (both or {}).get("Tags", ())
    if len({tag["Key"] for tag in tags}) != len(tags):
        raise invalid_request("Duplicate Tag Keys are not allowed.")
    flat = both or given
    above, below = flat.get("ObjectSizeGreaterThan"), flat.get("ObjectSizeLessThan")
    if above is not None and below is not None and below <= above:
        raise invalid_request("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")


def _check_expiration(rule: Mapping[str, Any], flat: Mapping[str, Any]) -> None:
    expiration = rule.get("Expiration")
    if expiration is None:
        return
    if sum(name in expiration for name in ("Days", "Date", "ExpiredObjectDeleteMarker")) != 1:
        raise malformed_xml()
    if "Days" in expiration and expiration["Days"] <= 0:
        raise invalid_argument("'Days' for Expiration action must be a positive integer")
    if "Date" in expiration:
        _check_date(expiration["Date"])
    if expiration.get("ExpiredObjectDeleteMarker") and flat.get("Tags"):
        raise invalid_request("ExpiredObjectDeleteMarker cannot be specified with Tags.")


def _check_date(date: Any) -> None:
    if (date.hour, date.minute, date.second, date.microsecond) != (0, 0, 0, 0):
        raise invalid_argument("'Date' must be at midnight GMT")


def _check_transitions(rule: Mapping[str, Any], where: str) -> None:
    moves = rule.get("Transitions") or ()
    expiration = rule.get("Expiration") or {}
    for move in moves:
        if ("Days" in move) == ("Date" in move) or "StorageClass" not in move:
            raise malformed_xml()
        if "Date" in move:
            _check_date(move["Date"])
    if len({move["StorageClass"] for move in moves}) != len(moves):
        raise invalid_argument(
            f"'StorageClass' must be different for 'Transition' actions in same 'Rule' with filter '{where}'"
        )
    by_days = {name for one in (*moves, expiration) for name in ("Days", "Date") if name in one}
    if len(by_days) > 1:
        raise invalid_argument(
            "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for "
            f"filter '{where}'"
        )
    for days, storage_class in _days(moves, "Days"):
        if days < 0:
            raise invalid_argument("'Days' for Transition action must be nonnegative")
        if storage_class in _LATER and days < 30:
            raise invalid_argument(
                "'Days' in Transition action must be greater than or equal to 30 for storageClass "
                f"'{storage_class}'"
            )
        if "Days" in expiration and expiration["Days"] <= days:
            raise invalid_argument(
                f"'Days' in the Expiration action for filter '{where}' must be greater than 'Days' in the "
                "Transition action"
            )
    for move in moves:
        if "Date" in move and "Date" in expiration and expiration["Date"] <= move["Date"]:
            raise invalid_argument(
                f"'Date' in the Expiration action for filter '{where}' must be later than 'Date' in the "
                "Transition action"
            )
    _check_gap(list(_days(moves, "Days")), "Days")


def _days(moves: Any, name: str) -> Iterator[tuple[int, str]]:
    for move in moves:
        if name in move:
            yield move[name], move["StorageClass"]


def _check_gap(moves: list[tuple[int, str]], name: str) -> None:
    """What was moved to an infrequent class stays there for thirty days before it is moved on."""
    by_class = {storage_class: days for days, storage_class in moves}
    for first in _LATER:
        for then in ("GLACIER", "DEEP_ARCHIVE"):
            if first in by_class and then in by_class and by_class[then] - by_class[first] < 30:
                raise invalid_argument(
                    f"'{name}' in the Transition action for StorageClass '{then}' must be 30 days more than "
                    f"'{name}' in the Transition action for StorageClass '{first}'"
                )


def _check_noncurrent(rule: Mapping[str, Any]) -> None:
    moves = rule.get("NoncurrentVersionTransitions") or ()
    for move in moves:
        if "StorageClass" not in move or "NoncurrentDays" not in move:
            raise malformed_xml()
        _check_newer(move, "NoncurrentVersionTransition")
        days, storage_class = move["NoncurrentDays"], move["StorageClass"]
        if days < 0:
            raise invalid_argument("'NoncurrentDays' for NoncurrentVersionTransition action must be nonnegative")
        if storage_class in _LATER and days < 30:
            raise invalid_argument(
                "'NoncurrentDays' in NoncurrentVersionTransition action must be greater than or equal to 30 for "
                f"storageClass '{storage_class}'"
            )
    _check_gap(list(_days(moves, "NoncurrentDays")), "NoncurrentDays")
    expiration = rule.get("NoncurrentVersionExpiration")
    if expiration is None:
        return
    if (expiration.get("NoncurrentDays") or 0) <= 0:
        raise invalid_argument("'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer")
    _check_newer(expiration, "NoncurrentVersionExpiration")
    if any(expiration["NoncurrentDays"] <= days for days, _ in _days(moves, "NoncurrentDays")):
        raise invalid_argument(
            "'NoncurrentDays' in the NoncurrentVersionExpiration action for filter must be greater than "
            "'NoncurrentDays' in the NoncurrentVersionTransition action"
        )


def _check_newer(action: Mapping[str, Any], name: str) -> None:
    newer = action.get("NewerNoncurrentVersions")
    if newer is not None and not 1 <= newer <= 100:
        raise invalid_argument(f"'NewerNoncurrentVersions' for {name} action must be between 1 and 100 inclusive")
