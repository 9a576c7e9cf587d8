"""What may be set of topics and of subscriptions, and how it is shown.

https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html
"""

from __future__ import annotations

import json
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.policy.document import parse
from cloudjar.policy.grammar import Flavour, PolicySyntaxError
from cloudjar.services.sns import errors, filtering, retrying, status_logs
from cloudjar.services.sns.records import ATTRIBUTES, BODY, Subscription, Topic

_ACTIONS = (
    "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission", "SNS:DeleteTopic",
    "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
)  # fmt: skip
_FIFO = ("ContentBasedDeduplication", "FifoThroughputScope")
_PLAIN = ("DisplayName", "KmsMasterKeyId", "TracingConfig", "FifoThroughputScope")
_LONGEST_NAME = 100


def default_policy(arn: str, account: str) -> str:
    """The policy of a topic for which none was given: its owner's account may, also by services."""
    return json.dumps(
        {
            "Version": "2008-10-17",
            "Id": "__default_policy_ID",
            "Statement": [
                {
                    "Sid": "__default_statement_ID",
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": list(_ACTIONS),
                    "Resource": arn,
                    "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
                }
            ],
        },
        separators=(",", ":"),
    )


def of_topic(topic: Topic, name: str, value: str) -> dict[str, Any]:
    """The record's fields that an attribute changes. Raises InvalidParameter."""
    if name in _FIFO and not topic.fifo:
        raise errors.invalid(f"Attributes Reason: {name} is only supported for FIFO topics")
    if name == "Policy":
        return {"policy": _policy(value)}
    if name == "DeliveryPolicy":
        retrying.checked(value, "http" if value else "")
        return {"settings": _with(topic, name, value)}
    if name == "FifoTopic":
        if value not in ("true", "false") or (value == "true") != topic.fifo:
            raise errors.invalid("Attributes Reason: FifoTopic")
        return {}
    if name == "ContentBasedDeduplication":
        if value not in ("true", "false"):
            raise errors.invalid("Attributes Reason: ContentBasedDeduplication")
        return {"content_dedup": value == "true"}
    if name == "SignatureVersion":
        if value not in ("1", "2"):
            raise errors.invalid("Attributes Reason: SignatureVersion must be 1 or 2")
        return {"signature": value}
    if name == "DisplayName" and len(value) > _LONGEST_NAME:
        raise errors.invalid("Attributes Reason: Display name must be less than or equal to 100 characters long")
    if name == "FifoThroughputScope" and value not in ("Topic", "MessageGroup"):
        raise errors.invalid("Attributes Reason: FifoThroughputScope must be Topic or MessageGroup")
    if name in _PLAIN:
        return {"settings": _with(topic, name, value)}
    if name in status_logs.NAMES:
        status_logs.checked(name, value)
        return {"settings": _with(topic, name, value)}
    if name in ("ArchivePolicy", "DataProtectionPolicy"):
        raise errors.not_built(f"The topic attribute {name}")
    raise errors.invalid("AttributeName")


def _with(topic: Topic, name: str, value: str) -> dict[str, str]:
    kept = {key: held for key, held in topic.settings.items() if key != name}
    return {**kept, name: value} if value else kept


def _policy(text: str) -> str:
    try:
        parse(text, Flavour.RESOURCE)
    except PolicySyntaxError as error:
        raise errors.invalid(f"Policy Error: {error.reason}") from error
    return text


def show_topic(topic: Topic, arn: str, subscriptions: list[Subscription]) -> dict[str, str]:
    """A topic's attributes."""
    confirmed = sum(1 for one in subscriptions if one.confirmed)
    shown = {
        "TopicArn": arn,
        "Owner": topic.account,
        "Policy": topic.policy,
        "DisplayName": "",
        "SubscriptionsConfirmed": str(confirmed),
        "SubscriptionsPending": str(len(subscriptions) - confirmed),
        "SubscriptionsDeleted": str(topic.deleted_subscriptions),
        "EffectiveDeliveryPolicy": retrying.effective(topic.settings.get("DeliveryPolicy", "")),
        **topic.settings,
    }
    if topic.signature != "1":
        shown["SignatureVersion"] = topic.signature
    if topic.fifo:
        shown["FifoTopic"] = "true"
        shown["ContentBasedDeduplication"] = "true" if topic.content_dedup else "false"
    return shown


def of_subscription(ctx: Ctx, held: Subscription, given: dict[str, str]) -> dict[str, Any]:
    """The record's fields that attributes change. Raises InvalidParameter."""
    found: dict[str, Any] = {}
    scope = given.get("FilterPolicyScope", held.filter_scope)
    if scope not in (ATTRIBUTES, BODY):
        raise errors.invalid(f"FilterPolicyScope: Invalid value [{scope}]. Please use either MessageBody or "
                             "MessageAttributes")  # fmt: skip
    for name, value in given.items():
        if name == "RawMessageDelivery":
            if value.lower() not in ("true", "false"):
                raise errors.invalid("Attributes Reason: RawMessageDelivery: Invalid value. Must be true or false.")
            if held.protocol not in ("sqs", "http", "https"):
                raise errors.invalid("Attributes Reason: RawMessageDelivery: Not supported for this protocol")
            found["raw"] = value.lower() == "true"
        elif name == "FilterPolicy":
            found["filter_policy"] = value if value and filtering.checked(value, scope) else ""
        elif name == "FilterPolicyScope":
            found["filter_scope"] = scope
        elif name == "RedrivePolicy":
            found.update(_redrive(ctx, held, value))
        elif name == "DeliveryPolicy":
            retrying.checked(value, "subscription" if value else "")
            found["delivery_policy"] = value
        elif name in ("SubscriptionRoleArn", "ReplayPolicy"):
            raise errors.not_built(f"The subscription attribute {name}")
        else:
            raise errors.invalid("AttributeName")
    policy = found.get("filter_policy", held.filter_policy)
    if policy and scope != held.filter_scope and "filter_policy" not in found:
        filtering.checked(policy, scope)
    return found


def _redrive(ctx: Ctx, held: Subscription, text: str) -> dict[str, str]:
    """RedrivePolicy: the queue for what cannot be delivered."""
    if not text:
        return {"redrive": "", "dead_letters": ""}
    try:
        target = str(json.loads(text)["deadLetterTargetArn"])
    except (ValueError, KeyError, TypeError):
        raise errors.invalid("RedrivePolicy: failed to parse JSON.") from None
    arn = arns.parse(target)
    if arn is None or arn.service != "sqs" or (arn.region, arn.account) != (ctx.region, held.account):
        raise errors.invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")
    if arn.resource.endswith(".fifo") != held.topic.endswith(".fifo") and arn.resource.endswith(".fifo"):
        raise errors.invalid("RedrivePolicy: must use a standard queue for a standard topic")
    return {"redrive": text, "dead_letters": target}


def show_subscription(held: Subscription, topic: Topic, topic_arn: str) -> dict[str, str]:
    """A subscription's attributes."""
    shown = {
        "SubscriptionArn": held.arn,
        "TopicArn": topic_arn,
        "Owner": held.caller,
        "Protocol": held.protocol,
        "Endpoint": held.endpoint,
        "PendingConfirmation": "false" if held.confirmed else "true",
        "ConfirmationWasAuthenticated": "true" if held.confirmed and (held.protected or held.protocol == "sqs") else
        "false",
        "RawMessageDelivery": "true" if held.raw else "false",
        "SubscriptionPrincipal": f"arn:aws:iam::{held.caller}:root",
    }  # fmt: skip
    if held.filter_policy:
        shown.update(FilterPolicy=held.filter_policy, FilterPolicyScope=held.filter_scope)
    if held.redrive:
        shown["RedrivePolicy"] = held.redrive
    if held.delivery_policy:
        shown["DeliveryPolicy"] = held.delivery_policy
    if held.protocol in ("http", "https"):
        shown["EffectiveDeliveryPolicy"] = retrying.effective(
            topic.settings.get("DeliveryPolicy", ""), held.delivery_policy
        )
    return shown
