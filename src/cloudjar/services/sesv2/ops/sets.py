"""Configuration sets, and who is told of events.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_CreateConfigurationSet.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import errors, sets
from cloudjar.kit.mailing.records import ConfigurationSet
from cloudjar.kit.operation import op
from cloudjar.services.sesv2 import listing

_ABSENT = (
    "TrackingOptions", "DeliveryOptions", "ReputationOptions", "VdmOptions", "ArchivingOptions",
    "MessageSecurityOptions",
)  # fmt: skip


@op("CreateConfigurationSet")
@errors.in_v2
def create_configuration_set(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep a set."""
    for member in _ABSENT:
        if req.get(member):
            raise errors.not_built("sesv2", f"{member} of configuration sets")
    reasons = (req.get("SuppressionOptions") or {}).get("SuppressedReasons")
    sending = (req.get("SendingOptions") or {}).get("SendingEnabled")
    sets.add(ctx, ConfigurationSet(
        name=req["ConfigurationSetName"], sending=sending is not False, tags=tags.from_list(req.get("Tags") or ()),
        suppresses=None if reasons is None else tuple(reasons),
    ))  # fmt: skip
    return {}


@op("GetConfigurationSet")
@errors.in_v2
def get_configuration_set(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """All about a set."""
    held = ctx.db[ConfigurationSet].need(req["ConfigurationSetName"])
    shown: dict[str, Any] = {
        "ConfigurationSetName": held.name,
        "SendingOptions": {"SendingEnabled": held.sending},
        "Tags": tags.as_list(held.tags),
    }
    if held.suppresses is not None:
        shown["SuppressionOptions"] = {"SuppressedReasons": list(held.suppresses)}
    return shown


@op("ListConfigurationSets")
@errors.in_v2
def list_configuration_sets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Names of sets."""
    names = [held.name for held in ctx.db[ConfigurationSet].all()]
    return listing.page("ListConfigurationSets", req, "ConfigurationSets", names)


@op("DeleteConfigurationSet")
@errors.in_v2
def delete_configuration_set(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Forget a set."""
    table = ctx.db[ConfigurationSet]
    table.drop(table.need(req["ConfigurationSetName"]))
    return {}


@op("PutConfigurationSetSendingOptions")
@errors.in_v2
def put_configuration_set_sending_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Stop what is sent with a set, or let it go on."""
    table = ctx.db[ConfigurationSet]
    table.put(replace(table.need(req["ConfigurationSetName"]), sending=bool(req.get("SendingEnabled"))))
    return {}


@op("PutConfigurationSetSuppressionOptions")
@errors.in_v2
def put_configuration_set_suppression_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """For what reasons addresses are not written to with a set."""
    table = ctx.db[ConfigurationSet]
    reasons = tuple(req.get("SuppressedReasons") or ())
    table.put(replace(table.need(req["ConfigurationSetName"]), suppresses=reasons))
    return {}


@op("CreateConfigurationSetEventDestination")
@errors.in_v2
def create_configuration_set_event_destination(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Somebody more is told."""
    name, place = req["ConfigurationSetName"], req["EventDestinationName"]
    sets.aim(ctx, name, place, req["EventDestination"], new=True, service="sesv2")
    return {}


@op("UpdateConfigurationSetEventDestination")
@errors.in_v2
def update_configuration_set_event_destination(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """He is told otherwise."""
    name, place = req["ConfigurationSetName"], req["EventDestinationName"]
    sets.aim(ctx, name, place, req["EventDestination"], new=False, service="sesv2")
    return {}


@op("DeleteConfigurationSetEventDestination")
@errors.in_v2
def delete_configuration_set_event_destination(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """He is told no more."""
    sets.drop_aim(ctx, req["ConfigurationSetName"], req["EventDestinationName"])
    return {}


@op("GetConfigurationSetEventDestinations")
@errors.in_v2
def get_configuration_set_event_destinations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Who is told."""
    held = ctx.db[ConfigurationSet].need(req["ConfigurationSetName"])
    shown = [{"Name": name, "Enabled": False, **given} for name, given in held.destinations.items()]
    return {"EventDestinations": shown}
