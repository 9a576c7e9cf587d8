"""Topics that are told of connections: when one is asked for, accepted, rejected, deleted.

https://docs.aws.amazon.com/vpc/latest/privatelink/create-connection-notification-endpoint-service.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, narrow, need
from cloudjar.services.ec2.vpc_endpoint_services.records import EndpointService, Notification
from cloudjar.services.ec2.vpc_endpoint_services.views import NOTIFICATIONS, show_notification
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint

EVENTS = ("Accept", "Connect", "Delete", "Reject")
_TOPIC = re.compile(r"arn:aws:sns:([a-z0-9-]+):(\d{12}):[A-Za-z0-9_-]{1,256}")
_PRINCIPAL = "vpce.amazonaws.com"


def tell(ctx: Ctx, service: EndpointService, endpoint: VpcEndpoint, event: str) -> None:
    """Publish to the topics of both sides that want to know; who refuses misses it, and nobody else does."""
    for account, wanted in ((service.account, ("service_id", service.id)), (endpoint.account, ("endpoint_id",
                                                                                            endpoint.id))):  # fmt: skip
        own = ctx.at(account, service.region)
        for one in own.db[Notification].all():
            if getattr(one, wanted[0]) == wanted[1] and event in one.events:
                _publish(own, one, service, endpoint, event)


def _publish(
    ctx: Ctx, one: Notification, service: EndpointService, endpoint: VpcEndpoint, event: str
) -> None:  # fmt: skip
    if not ctx.world.load("sns"):
        return  # nobody can be subscribed to a topic
    message = {
        "event": event, "service_id": service.id, "vpc_endpoint_id": endpoint.id,
        "vpc_endpoint_owner": endpoint.account, "vpc_endpoint_state": endpoint.state,
    }  # fmt: skip
    source = arn_of(service if one.service_id else endpoint)
    asked = {"TopicArn": one.topic, "Subject": f"VPC endpoint {event.lower()}", "Message": json.dumps(message)}
    try:
        ctx.call("sns", "Publish", asked, caller=service_caller(_PRINCIPAL, ctx.account, source))
    except AwsError:
        return


@op("CreateVpcEndpointConnectionNotification")
def create_vpc_endpoint_connection_notification(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a topic told of what becomes of a service's connections, or of an endpoint."""
    service, endpoint = req.get("ServiceId") or "", req.get("VpcEndpointId") or ""
    if bool(service) == bool(endpoint):
        raise errors.combination("Exactly one of ServiceId and VpcEndpointId must be specified.")
    if service:
        ctx.db[EndpointService].need(service)
    else:
        need(ctx, VpcEndpoint, endpoint)
    topic = _topic(ctx, req["ConnectionNotificationArn"])
    for one in ctx.db[Notification].all():
        if (one.topic, one.service_id, one.endpoint_id) == (topic, service, endpoint):
            raise AwsError("InvalidParameter", f"{one.id} already notifies {topic} of it.")
    made = ctx.db[Notification].add(
        Notification(
            id=ctx.new_id("vpce-nfn"),
            topic=topic,
            events=_events(req["ConnectionEvents"]),
            service_id=service,
            endpoint_id=endpoint,
        )
    )
    return {"ConnectionNotification": show_notification(made), "ClientToken": req.get("ClientToken")}


def _topic(ctx: Ctx, arn: str) -> str:
    found = _TOPIC.fullmatch(arn)
    if found is None or found[1] != ctx.region:
        raise AwsError("InvalidParameter", f"Invalid ARN for the connection notification: '{arn}'")
    return arn


def _events(given: list[str]) -> tuple[str, ...]:
    unknown = sorted(set(given) - set(EVENTS))
    if unknown or not given:
        raise AwsError("InvalidParameter", f"Invalid connection events: {', '.join(unknown) or 'none'}")
    return tuple(dict.fromkeys(given))


@op("DescribeVpcEndpointConnectionNotifications")
def describe_vpc_endpoint_connection_notifications(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's notifications, or one."""
    key, table = req.get("ConnectionNotificationId"), ctx.db[Notification]
    found = [table.need(key)] if key else table.all()
    return {"ConnectionNotificationSet": narrow(req, NOTIFICATIONS, [Row({}, show_notification(n)) for n in found])}


@op("ModifyVpcEndpointConnectionNotification")
def modify_vpc_endpoint_connection_notification(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another topic, other events."""
    one = ctx.db[Notification].need(req["ConnectionNotificationId"])
    if req.get("ConnectionNotificationArn"):
        one = replace(one, topic=_topic(ctx, req["ConnectionNotificationArn"]))
    if req.get("ConnectionEvents"):
        one = replace(one, events=_events(req["ConnectionEvents"]))
    ctx.db[Notification].put(one)
    return {"ReturnValue": True}


@op("DeleteVpcEndpointConnectionNotifications")
def delete_vpc_endpoint_connection_notifications(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove notifications; those that are not there are told."""
    unsuccessful = []
    for key in dict.fromkeys(req["ConnectionNotificationIds"]):
        one = ctx.db[Notification].get(key)
        if one is not None:
            ctx.db[Notification].drop(one)
            continue
        text = f"The VpcEndpointConnectionNotification Id '{key}' does not exist"
        error = {"Code": "InvalidConnectionNotificationId.NotFound", "Message": text}
        unsuccessful.append({"ResourceId": key, "Error": error})
    return {"Unsuccessful": unsuccessful}
