"""What SES sends on by itself: events to topics and delivery streams.

https://docs.aws.amazon.com/ses/latest/dg/monitor-sending-using-event-publishing-setup.html
"""

from __future__ import annotations

from cloudjar.base import arn as arns
from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.mailing.records import Told

_PRINCIPAL = "ses.amazonaws.com"


@reconciler(Told)
def tell(step: Step, told: Told | None) -> None:
    """Tell, and forget it; what the other side does not take is lost, as on AWS, unless that is its own fault."""
    if told is None:
        return
    arn = arns.parse(told.target)
    with step.world.state.database.transaction():
        try:
            if arn is not None:
                _send(step, told, arn)
        except AwsError as error:
            if error.is_server_fault:
                step.soon(5)
                return
        step.db[Told].drop(told)


def _send(step: Step, told: Told, arn: arns.Arn) -> None:
    there = step.ctx.at(step.ctx.account, arn.region)
    with step.world.state.database.transaction():
        if arn.service == "sns":
            caller = service_caller(_PRINCIPAL, step.ctx.account, told.about)
            asked = {"TopicArn": told.target, "Message": told.body, "Subject": "Amazon SES Email Event Notification"}
            there.call("sns", "Publish", asked, caller=caller)
            return
        caller = there.as_role(told.role, service=_PRINCIPAL, source_arn=told.about, session_name="SES")
        name = arn.resource.removeprefix("deliverystream/")
        record = {"Data": f"{told.body}\n".encode()}
        there.call("firehose", "PutRecord", {"DeliveryStreamName": name, "Record": record}, caller=caller)
