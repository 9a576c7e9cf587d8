"""What a bucket tells whom: a notification configuration as data, and what AWS refuses in one. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.errors import invalid_argument

KINDS = {
    "TopicConfigurations": ("TopicArn", "sns"),
    "QueueConfigurations": ("QueueArn", "sqs"),
    "LambdaFunctionConfigurations": ("LambdaFunctionArn", "lambda"),
}
"""Member of the configuration -> (member with the ARN, service of the destination)."""


class Listener(NamedTuple):
    """Who is told of which events (``s3:ObjectCreated:*``) on which keys."""

    id: str
    arn: str
    service: str
    events: tuple[str, ...]
    prefix: str
    suffix: str

    def hears(self, event: str, key: str) -> bool:
        """Whether an event (``ObjectCreated:Put``) on a key is for this one."""
        if not (key.startswith(self.prefix) and key.endswith(self.suffix)):
            return False
        return any(_covers(wanted, "s3:" + event) for wanted in self.events)


def _covers(wanted: str, event: str) -> bool:
    return wanted == event or (wanted.endswith(":*") and event.startswith(wanted[:-1]))


_PARSED: dict[str, tuple[dict[str, Any], tuple[Listener, ...]]] = {}


def listeners_of(bucket: Bucket) -> tuple[Listener, ...]:
    """Whom a bucket tells, EventBridge aside."""
    given = bucket.notification
    if given is None:
        return ()
    known = _PARSED.get(bucket.name)
    if known is not None and known[0] is given:
        return known[1]
    found = tuple(parse(given))
    _PARSED[bucket.name] = (given, found)
    return found


def parse(given: Mapping[str, Any]) -> Iterator[Listener]:
    """The listeners of a configuration in AWS's own spelling."""
    for member, (arn, service) in KINDS.items():
        for one in given.get(member) or ():
            rules = _filter_rules(one)
            yield Listener(
                one.get("Id", ""),
                one[arn],
                service,
                tuple(one["Events"]),
                rules.get("prefix", ""),
                rules.get("suffix", ""),
            )


def _filter_rules(one: Mapping[str, Any]) -> dict[str, str]:
    rules = ((one.get("Filter") or {}).get("Key") or {}).get("FilterRules") or ()
    return {rule["Name"].lower(): rule.get("Value") or "" for rule in rules}


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration as it is kept: every part has an Id. Raises InvalidArgument."""
    kept: dict[str, Any] = {}
    for member, (arn, service) in KINDS.items():
        if given.get(member):
            kept[member] = [{**one, "Id": one.get("Id") or ids.token(36)} for one in given[member]]
            for one in kept[member]:
                _check_filter(one)
                _check_arn(one[arn], service)
    if given.get("EventBridgeConfiguration") is not None:
        kept["EventBridgeConfiguration"] = {}
    _check_overlap(list(parse(kept)))
    names = [one["Id"] for member in KINDS for one in kept.get(member, ())]
    if len(set(names)) != len(names):
        raise invalid_argument("Same ID used for multiple configurations. IDs must be unique")
    return kept


def _check_filter(one: Mapping[str, Any]) -> None:
    rules = ((one.get("Filter") or {}).get("Key") or {}).get("FilterRules") or ()
    seen: set[str] = set()
    for rule in rules:
        name, value = (rule.get("Name") or "").lower(), rule.get("Value") or ""
        if name not in ("prefix", "suffix"):
            raise invalid_argument("filter rule name must be either prefix or suffix", "FilterRule.Name", name)
        if name in seen:
            raise invalid_argument(
                f"Cannot specify more than one {name} rule in a filter.", "FilterRule.Name", name
            )
        if len(value.encode()) > 1024:
            raise invalid_argument(
                "Size of the filter rule value cannot exceed 1024 bytes in UTF-8 representation",
                "FilterRule.Value",
                value,
            )
        seen.add(name)


def _check_arn(text: str, service: str) -> None:
    arn = arns.parse(text)
    if arn is None or arn.service != service:
        raise invalid_argument("The ARN is not well formed", "ARN", text)
    if service in ("sqs", "sns") and text.endswith(".fifo"):
        raise unusable({text: f"FIFO {service.upper()} {'queues' if service == 'sqs' else 'topics'} are not supported"})


def _check_overlap(listeners: list[Listener]) -> None:
    """No event on any key may be for two of them."""
    for place, one in enumerate(listeners):
        for other in listeners[:place]:
            if not any(_covers(a, b) or _covers(b, a) for a in one.events for b in other.events):
                continue
            prefixes = one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix)
            suffixes = one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix)
            if prefixes and suffixes:
                raise invalid_argument(_AMBIGUOUS)


_AMBIGUOUS = (
    "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are "
    "overlapping for the same event type."
)


def unusable(why: Mapping[str, str]) -> AwsError:
    """The answer to destinations that do not exist or do not let S3 in: ARN -> what is wrong with it."""
    members: dict[str, str] = {}
    for number, (arn, reason) in enumerate(why.items(), 1):
        members |= {f"ArgumentName{number}": arn, f"ArgumentValue{number}": reason}
    return AwsError(
        "InvalidArgument", "Unable to validate the following destination configurations", 400, members=members
    )
