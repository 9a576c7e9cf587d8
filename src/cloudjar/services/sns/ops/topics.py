"""Topics: made, shown, set, listed, deleted.

https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
"""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.sns import attributes, errors, finding
from cloudjar.services.sns.ops.tagging import checked
from cloudjar.services.sns.outbox import outbox
from cloudjar.services.sns.records import Subscription, Topic

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")


@op("CreateTopic")
def create_topic(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A topic; the one that is there when it is as asked for."""
    name, given = req["Name"], dict(req.get("Attributes") or {})
    fifo = given.get("FifoTopic") == "true"
    if req.get("DataProtectionPolicy"):
        raise errors.not_built("DataProtectionPolicy")
    if not _NAME.fullmatch(name.removesuffix(".fifo") if fifo else name) or len(name) > 256:
        raise errors.invalid("Topic Name")
    if fifo != name.endswith(".fifo"):
        raise errors.invalid("Topic Name Reason: The name of a FIFO topic must end in .fifo")
    asked = checked(tags.from_list(req.get("Tags") or ()))
    topic = Topic(name=name, number=0, fifo=fifo, base=finding.base(ctx), account=ctx.account, region=ctx.region)
    topic = replace(topic, policy=attributes.default_policy(ctx.arn(topic), topic.account))
    for attribute, value in given.items():
        topic = replace(topic, **attributes.of_topic(topic, attribute, value))
    known = ctx.db[Topic].get(name)
    if known is not None:
        _same(known, topic, given, asked, carries_tags=bool(req.get("Tags")))
        return {"TopicArn": ctx.arn(known)}
    made = ctx.db[Topic].add(replace(topic, number=outbox(ctx.world).number(), tags=asked))
    return {"TopicArn": ctx.arn(made)}


def _same(known: Topic, topic: Topic, given: dict[str, str], asked: dict[str, str], *, carries_tags: bool) -> None:
    if carries_tags and known.tags != asked:
        raise errors.invalid("Tags Reason: Topic already exists with different tags")
    fields = {"ContentBasedDeduplication": "content_dedup", "Policy": "policy", "SignatureVersion": "signature"}
    changed = [one for name, one in fields.items() if name in given and getattr(topic, one) != getattr(known, one)]
    settings = {name: value for name, value in topic.settings.items() if known.settings.get(name) != value}
    if settings or changed:
        raise errors.invalid("Attributes Reason: Topic already exists with different attributes")


@op("GetTopicAttributes")
def get_topic_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A topic's attributes."""
    topic = finding.topic(ctx, req["TopicArn"])
    return {"Attributes": attributes.show_topic(topic, ctx.arn(topic), finding.of_topic(ctx, topic))}


@op("SetTopicAttributes")
def set_topic_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change one attribute."""
    topic = finding.topic(ctx, req["TopicArn"])
    if req["AttributeName"] == "FifoTopic":
        raise errors.invalid("AttributeName")
    fields = attributes.of_topic(topic, req["AttributeName"], req.get("AttributeValue") or "")
    ctx.db.at(topic.account, topic.region)[Topic].put(replace(topic, **fields))
    return {}


@op("ListTopics")
def list_topics(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's topics, a hundred at a time."""
    return {"Topics": [{"TopicArn": ctx.arn(topic)} for topic in ctx.db[Topic].all()]}


@op("DeleteTopic")
def delete_topic(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a topic with its subscriptions; succeeds also when there is none."""
    try:
        topic = finding.topic(ctx, req["TopicArn"])
    except AwsError as error:
        if error.code == "NotFound":
            return {}
        raise
    db, box = ctx.db.at(topic.account, topic.region), outbox(ctx.world)
    for one in finding.of_topic(ctx, topic):
        box.forget(one.id)
        db[Subscription].drop(one)
    box.erase(topic.number)
    db[Topic].drop(topic)
    return {}
