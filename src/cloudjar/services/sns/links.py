"""The links in messages: confirm, end a subscription, fetch the certificate. They need no signature: a token is one.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from cloudjar.base import arn as arns
from cloudjar.base.caller import ANONYMOUS
from cloudjar.base.errors import AwsError
from cloudjar.kit import doors
from cloudjar.kit.context import Ctx, World
from cloudjar.services.sns import confirming, errors, finding, signing, texting
from cloudjar.services.sns.records import SigningKey
from cloudjar.wire.message import Request, Response

_XML = "http://sns.amazonaws.com/doc/2010-03-31/"


@doors.door("link")
def follow(
    world: World, request: Request, ask: Callable[[Request], Response | Awaitable[Response]], request_id: str
) -> Response | None:
    """The answer to a link of SNS's; None when it is not one."""
    if request.path.startswith(signing.PATH):
        return _certificate(world, request)
    asked = dict(parse_qsl(request.query))
    try:
        with world.state.database.transaction():
            if asked.get("Action") == "ConfirmSubscription":
                body = _confirm(world, request, asked)
            elif asked.get("Action") == "Unsubscribe" and "PhoneNumber" in asked:
                body = ""
                texting.stop(Ctx(world, "", "", ANONYMOUS), asked["PhoneNumber"], asked.get("Token", ""))
            elif asked.get("Action") == "Unsubscribe":
                body = _end(world, request, asked)
            else:
                return None
    except AwsError as error:
        text = f"<ErrorResponse xmlns=\"{_XML}\"><Error><Type>Sender</Type><Code>{error.code}</Code></Error>"
        text += f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        return Response(error.status or 400, [("Content-Type", "text/xml")], text.encode())
    name = asked["Action"]
    text = f"<{name}Response xmlns=\"{_XML}\">{body}<ResponseMetadata><RequestId>{request_id}</RequestId>"
    text += f"</ResponseMetadata></{name}Response>"
    return Response(200, [("Content-Type", "text/xml")], text.encode())


def _ctx(world: World, request: Request, text: str) -> Ctx:
    """The context of an ARN."""
    arn = arns.parse(text)
    if arn is None or arn.service != "sns" or not arn.account or not arn.region:
        raise errors.no_topic()
    return Ctx(world, arn.account, arn.region, ANONYMOUS, "", request)


def _confirm(world: World, request: Request, asked: dict[str, str]) -> str:
    ctx = _ctx(world, request, asked.get("TopicArn", ""))
    topic = finding.topic(ctx, asked["TopicArn"])
    held = confirming.confirmed(ctx, topic, asked.get("Token", ""), protect=False)
    found = f"<SubscriptionArn>{held.arn}</SubscriptionArn>"
    return f"<ConfirmSubscriptionResult>{found}</ConfirmSubscriptionResult>"


def _end(world: World, request: Request, asked: dict[str, str]) -> str:
    """Who has the link may end a subscription, unless its owner keeps that to himself."""
    ctx = _ctx(world, request, asked.get("SubscriptionArn", ""))
    held = finding.subscription(ctx, asked["SubscriptionArn"])
    if held.protected or held.protocol == "sqs":
        raise AwsError("AuthorizationError", "Only the owner of this subscription may end it.", 403)
    confirming.end(ctx, held)
    return ""


def _certificate(world: World, request: Request) -> Response:
    held = Ctx(world, "", "", ANONYMOUS).db[SigningKey].get("current")
    name = request.path.removeprefix(signing.PATH).removesuffix(".pem")
    if held is None or held.serial != name:
        return Response(404, [("Content-Type", "text/plain")], b"There is no such certificate.\n")
    return Response(200, [("Content-Type", "application/x-pem-file")], held.certificate.encode())
