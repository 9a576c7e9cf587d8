"""Configuration sets, and who is told of events.

https://docs.aws.amazon.com/ses/latest/APIReference/API_CreateConfigurationSet.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import sets
from cloudjar.kit.mailing.records import ConfigurationSet
from cloudjar.kit.operation import op

_KINDS = {"renderingFailure": "RENDERING_FAILURE"}
_SOURCES = {"messageTag": "MESSAGE_TAG", "emailHeader": "EMAIL_HEADER", "linkTag": "LINK_TAG"}


def _kept(given: dict[str, Any]) -> dict[str, Any]:
    """A destination in v2's form, which is how it is kept."""
    kept: dict[str, Any] = {
        "Enabled": bool(given.get("Enabled")),
        "MatchingEventTypes": [_KINDS.get(one, one.upper()) for one in given["MatchingEventTypes"]],
    }
    if given.get("SNSDestination"):
        kept["SnsDestination"] = {"TopicArn": given["SNSDestination"]["TopicARN"]}
    if given.get("KinesisFirehoseDestination"):
        there = given["KinesisFirehoseDestination"]
        kept["KinesisFirehoseDestination"] = {
            "IamRoleArn": there["IAMRoleARN"], "DeliveryStreamArn": there["DeliveryStreamARN"],
        }  # fmt: skip
    if given.get("CloudWatchDestination"):
        dimensions = given["CloudWatchDestination"]["DimensionConfigurations"]
        kept["CloudWatchDestination"] = {"DimensionConfigurations": [
            {**one, "DimensionValueSource": _SOURCES[one["DimensionValueSource"]]} for one in dimensions
        ]}  # fmt: skip
    return kept


def _shown(name: str, kept: dict[str, Any]) -> dict[str, Any]:
    kinds = {kind: word for word, kind in _KINDS.items()}
    known = [one for one in kept["MatchingEventTypes"] if one not in ("DELIVERY_DELAY", "SUBSCRIPTION")]
    shown: dict[str, Any] = {
        "Name": name, "Enabled": bool(kept.get("Enabled")),
        "MatchingEventTypes": [kinds.get(one, one.lower()) for one in known],
    }  # fmt: skip
    if kept.get("SnsDestination"):
        shown["SNSDestination"] = {"TopicARN": kept["SnsDestination"]["TopicArn"]}
    if kept.get("KinesisFirehoseDestination"):
        there = kept["KinesisFirehoseDestination"]
        shown["KinesisFirehoseDestination"] = {
            "IAMRoleARN": there["IamRoleArn"], "DeliveryStreamARN": there["DeliveryStreamArn"],
        }  # fmt: skip
    if kept.get("CloudWatchDestination"):
        sources = {kind: word for word, kind in _SOURCES.items()}
        dimensions = kept["CloudWatchDestination"]["DimensionConfigurations"]
        shown["CloudWatchDestination"] = {"DimensionConfigurations": [
            {**one, "DimensionValueSource": sources[one["DimensionValueSource"]]} for one in dimensions
        ]}  # fmt: skip
    return shown


@op("CreateConfigurationSet")
def create_configuration_set(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep a set."""
    sets.add(ctx, ConfigurationSet(name=req["ConfigurationSet"]["Name"]))
    return {}


@op("ListConfigurationSets")
def list_configuration_sets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Names of sets."""
    return {"ConfigurationSets": [{"Name": held.name} for held in ctx.db[ConfigurationSet].all()]}


@op("DescribeConfigurationSet")
def describe_configuration_set(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A set, with what of it is asked for."""
    held = ctx.db[ConfigurationSet].need(req["ConfigurationSetName"])
    wanted = req.get("ConfigurationSetAttributeNames") or ()
    shown: dict[str, Any] = {"ConfigurationSet": {"Name": held.name}}
    if "eventDestinations" in wanted:
        told = [(name, kept) for name, kept in held.destinations.items() if not kept.get("EventBridgeDestination")]
        shown["EventDestinations"] = [_shown(name, kept) for name, kept in told]
    if "reputationOptions" in wanted:
        shown["ReputationOptions"] = {"SendingEnabled": held.sending, "ReputationMetricsEnabled": False}
    return shown


@op("DeleteConfigurationSet")
def delete_configuration_set(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Forget a set."""
    table = ctx.db[ConfigurationSet]
    table.drop(table.need(req["ConfigurationSetName"]))
    return {}


@op("UpdateConfigurationSetSendingEnabled")
def update_configuration_set_sending_enabled(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Stop what is sent with a set, or let it go on."""
    table = ctx.db[ConfigurationSet]
    table.put(replace(table.need(req["ConfigurationSetName"]), sending=bool(req["Enabled"])))
    return {}


def _aim(ctx: Ctx, req: dict[str, Any], *, new: bool) -> dict[str, Any]:
    given = req["EventDestination"]
    sets.aim(ctx, req["ConfigurationSetName"], given["Name"], _kept(given), new=new, service="ses")
    return {}


@op("CreateConfigurationSetEventDestination")
def create_configuration_set_event_destination(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Somebody more is told."""
    return _aim(ctx, req, new=True)


@op("UpdateConfigurationSetEventDestination")
def update_configuration_set_event_destination(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """He is told otherwise."""
    return _aim(ctx, req, new=False)


@op("DeleteConfigurationSetEventDestination")
def delete_configuration_set_event_destination(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """He is told no more."""
    sets.drop_aim(ctx, req["ConfigurationSetName"], req["EventDestinationName"])
    return {}
