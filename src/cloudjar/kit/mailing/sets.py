"""Configuration sets and who is told of their letters' events, in v2's form.

https://docs.aws.amazon.com/ses/latest/dg/using-configuration-sets.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import errors
from cloudjar.kit.mailing.records import ConfigurationSet

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PLACES = ("SnsDestination", "KinesisFirehoseDestination", "EventBridgeDestination", "CloudWatchDestination")
_MOST = 10


def add(ctx: Ctx, held: ConfigurationSet) -> ConfigurationSet:
    """Keep a new one. Raises ConfigurationSetAlreadyExists and InvalidConfigurationSet."""
    if not _NAME.fullmatch(held.name):
        raise AwsError("InvalidConfigurationSet", f"Invalid configuration set name <{held.name}>.", 400)
    if ctx.db[ConfigurationSet].get(held.name) is not None:
        message = f"Configuration set <{held.name}> already exists."
        raise AwsError("ConfigurationSetAlreadyExists", message, 400)
    return ctx.db[ConfigurationSet].add(held)


def aim(ctx: Ctx, name: str, place: str, given: Mapping[str, Any], *, new: bool, service: str) -> None:
    """Keep who is told. Raises EventDestinationAlreadyExists, EventDestinationDoesNotExist and
    Invalid...Destination."""
    held = ctx.db[ConfigurationSet].need(name)
    if new and place in held.destinations:
        message = f"Event destination <{place}> already exists in configuration set <{name}>."
        raise AwsError("EventDestinationAlreadyExists", message, 400)
    if not new and place not in held.destinations:
        raise missing(name, place)
    if new and len(held.destinations) >= _MOST:
        raise AwsError("LimitExceeded", f"A configuration set may have {_MOST} event destinations.", 400)
    if not _NAME.fullmatch(place):
        raise errors.invalid(f"Invalid event destination name <{place}>.")
    _check(ctx, given, service)
    held = replace(held, destinations={**held.destinations, place: dict(given)})
    ctx.db[ConfigurationSet].put(held)


def missing(name: str, place: str) -> AwsError:
    """No such destination."""
    message = f"Event destination <{place}> does not exist in configuration set <{name}>."
    return AwsError("EventDestinationDoesNotExist", message, 400)


def _check(ctx: Ctx, given: Mapping[str, Any], service: str) -> None:
    if given.get("PinpointDestination"):
        raise errors.not_built(service, "PinpointDestination")
    if len([one for one in _PLACES if given.get(one)]) != 1:
        raise errors.invalid("Exactly one destination must be given.")
    if not given.get("MatchingEventTypes"):
        raise errors.invalid("At least one event type must be given.")
    topic = (given.get("SnsDestination") or {}).get("TopicArn")
    arn = arns.parse(topic) if topic else None
    if topic and (arn is None or arn.service != "sns"):
        raise AwsError("InvalidSNSDestination", f"SNS topic <{topic}> is invalid.", 400)
    if arn is not None and ctx.at(arn.account, arn.region).find("sns", "topic", arn.resource) is None:
        raise AwsError("InvalidSNSDestination", f"SNS topic <{topic}> not found.", 400)
    stream = (given.get("KinesisFirehoseDestination") or {}).get("DeliveryStreamArn")
    arn = arns.parse(stream) if stream else None
    if stream and (arn is None or arn.service != "firehose"):
        raise AwsError("InvalidFirehoseDestination", f"Delivery stream <{stream}> is invalid.", 400)
    bus = (given.get("EventBridgeDestination") or {}).get("EventBusArn")
    if bus and not bus.endswith(f":{ctx.region}:{ctx.account}:event-bus/default"):
        raise errors.invalid("Only the default event bus of the account is supported.")


def drop_aim(ctx: Ctx, name: str, place: str) -> None:
    """Tell it no more. Raises EventDestinationDoesNotExist."""
    held = ctx.db[ConfigurationSet].need(name)
    if place not in held.destinations:
        raise missing(name, place)
    left = {key: value for key, value in held.destinations.items() if key != place}
    ctx.db[ConfigurationSet].put(replace(held, destinations=left))
