"""What services that send to queues know of SQS."""

from __future__ import annotations

from cloudjar.base.arn import Arn


def url_of(arn: Arn) -> str:
    """How SQS calls the queue of an ARN in its requests.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html
    """
    return f"https://sqs.{arn.region}.amazonaws.com/{arn.account}/{arn.resource}"
