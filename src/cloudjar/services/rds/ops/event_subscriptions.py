"""Event subscriptions: topics that are told what happens.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Subscribing.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import errors, rules, tagging
from cloudjar.services.rds.subscriptions import CATEGORIES, SOURCES, EventSubscription


@op("CreateEventSubscription")
def create_event_subscription(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a topic told of events."""
    name = rules.identifier("SubscriptionName", req["SubscriptionName"], 255)
    if ctx.db[EventSubscription].get(name) is not None:
        raise AwsError("SubscriptionAlreadyExist", f"Subscription {name} already exists.")
    kind = _kind(req.get("SourceType"))
    made = EventSubscription(
        name=name,
        topic=_topic(ctx, req["SnsTopicArn"]),
        made=ctx.now,
        kind=kind,
        categories=_categories(kind, req.get("EventCategories")),
        sources=tuple(_source(ctx, kind, one) for one in req.get("SourceIds") or ()),
        enabled=req.get("Enabled") is not False,
        tags=tagging.asked(req),
    )
    return {"EventSubscription": _shown(ctx.db[EventSubscription].add(made))}


@op("ModifyEventSubscription")
def modify_event_subscription(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another topic, another kind of source, other categories, or a rest."""
    one = _need(ctx, req)
    if req.get("SnsTopicArn"):
        one = replace(one, topic=_topic(ctx, req["SnsTopicArn"]))
    if req.get("SourceType") is not None and _kind(req["SourceType"]) != one.kind:
        if one.sources:
            raise errors.combination("The source type cannot be changed while the subscription names sources.")
        one = replace(one, kind=_kind(req["SourceType"]), categories=())
    if req.get("EventCategories") is not None:
        one = replace(one, categories=_categories(one.kind, req["EventCategories"]))
    if req.get("Enabled") is not None:
        one = replace(one, enabled=req["Enabled"])
    return {"EventSubscription": _shown(ctx.db[EventSubscription].put(one))}


@op("AddSourceIdentifierToSubscription")
def add_source_identifier_to_subscription(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One source more."""
    one = _need(ctx, req)
    sources = dict.fromkeys((*one.sources, _source(ctx, one.kind, req["SourceIdentifier"])))
    return {"EventSubscription": _shown(ctx.db[EventSubscription].put(replace(one, sources=tuple(sources))))}


@op("RemoveSourceIdentifierFromSubscription")
def remove_source_identifier_from_subscription(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One source less."""
    one, gone = _need(ctx, req), req["SourceIdentifier"].lower()
    if gone not in one.sources:
        raise AwsError("SourceNotFound", f"Source {gone} is not found in subscription {one.name}.", 404)
    left = tuple(source for source in one.sources if source != gone)
    return {"EventSubscription": _shown(ctx.db[EventSubscription].put(replace(one, sources=left)))}


@op("DeleteEventSubscription")
def delete_event_subscription(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tell a topic no more."""
    one = _need(ctx, req)
    ctx.db[EventSubscription].drop(one)
    return {"EventSubscription": {**_shown(one), "Status": "deleting"}}


@op("DescribeEventSubscriptions")
def describe_event_subscriptions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One subscription, or all."""
    found = [_need(ctx, req)] if req.get("SubscriptionName") else ctx.db[EventSubscription].all()
    shown = filters.apply(req.get("Filters"), {}, sorted(found, key=lambda one: one.name))
    return {"EventSubscriptionsList": [_shown(one) for one in shown]}


@op("DescribeEventCategories")
def describe_event_categories(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What a subscription may be about."""
    kind = _kind(req.get("SourceType"))
    return {
        "EventCategoriesMapList": [
            {"SourceType": name, "EventCategories": list(categories)}
            for name, categories in CATEGORIES.items()
            if kind in ("", name)
        ]
    }


def _need(ctx: Ctx, req: dict[str, Any]) -> EventSubscription:
    return ctx.db[EventSubscription].need(req["SubscriptionName"].lower())


def _kind(given: str | None) -> str:
    if given and given not in CATEGORIES:
        raise errors.not_built(f"The source type {given}")
    return given or ""


def _categories(kind: str, given: list[str] | None) -> tuple[str, ...]:
    known = {one for name, categories in CATEGORIES.items() if kind in ("", name) for one in categories}
    for one in given or ():
        if one not in known:
            raise AwsError("SubscriptionCategoryNotFound", f"The category {one} does not exist.", 404)
    return tuple(dict.fromkeys(given or ()))


def _source(ctx: Ctx, kind: str, given: str) -> str:
    if not kind:
        raise errors.combination("SourceType must be specified when sources are.")
    held = SOURCES.get(kind)
    if held is None or ctx.db[held].get(given.lower()) is None:
        raise AwsError("SourceNotFound", f"Source {given.lower()} could not be found.", 404)
    return given.lower()


def _topic(ctx: Ctx, arn: str) -> str:
    parsed = arns.parse(arn)
    if parsed is None or parsed.service != "sns":
        raise AwsError("SNSInvalidTopic", f"The SNS topic {arn} is not valid.")
    if parsed.region != ctx.region:
        raise AwsError("SNSInvalidTopic", f"The SNS topic {arn} is not in the Region of the subscription.")
    if ctx.at(parsed.account, parsed.region).find("sns", "topic", parsed.resource) is None:
        raise AwsError("SNSTopicArnNotFound", f"The SNS topic {arn} does not exist.", 404)
    return arn


def _shown(one: EventSubscription) -> dict[str, Any]:
    return {
        "CustomerAwsId": one.account,
        "CustSubscriptionId": one.name,
        "SnsTopicArn": one.topic,
        "Status": "active",
        "SubscriptionCreationTime": one.made.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
        "SourceType": one.kind or None,
        "SourceIdsList": list(one.sources),
        "EventCategoriesList": list(one.categories),
        "Enabled": one.enabled,
        "EventSubscriptionArn": arn_of(one),
    }
