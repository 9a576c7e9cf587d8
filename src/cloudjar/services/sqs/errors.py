"""What SQS answers where the model does not say it.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError

NO_QUEUE = ("QueueDoesNotExist", "The specified queue does not exist.", 400)
_INVALID = "InvalidParameterValue"


def no_queue() -> AwsError:
    """No queue of this name, or not for the one who asks."""
    return AwsError(*NO_QUEUE)


def invalid(message: str) -> AwsError:
    """InvalidParameterValue."""
    return AwsError(_INVALID, message, 400)


def bad_value(value: object, name: str, reason: str) -> AwsError:
    """A parameter's value that may not be."""
    return invalid(f"Value {value} for parameter {name} is invalid. Reason: {reason}")


def missing(name: str) -> AwsError:
    """A parameter that must be there, for this queue."""
    return AwsError("MissingParameter", f"The request must contain the parameter {name}.", 400)


def bad_attribute(name: str) -> AwsError:
    """A queue attribute's value that may not be."""
    return AwsError("InvalidAttributeValue", f"Invalid value for the parameter {name}.", 400)


def unknown_attribute(name: str) -> AwsError:
    """No queue attribute is called so."""
    return AwsError("InvalidAttributeName", f"Unknown Attribute {name}.", 400)


def wrong_type(value: object, name: str) -> AwsError:
    """A parameter of the other type of queue."""
    return bad_value(value, name, "The request include parameter that is not valid for this queue type")


def bad_handle(handle: str) -> AwsError:
    """No receipt handle looks like this."""
    said = f'The input receipt handle "{handle}" is not a valid receipt handle.'
    return AwsError("ReceiptHandleIsInvalid", said, 400)


def expired_handle(handle: str) -> AwsError:
    """A FIFO queue's message was received too long ago."""
    return bad_value(handle, "ReceiptHandle", "The receipt handle has expired.")


def unavailable(handle: str) -> AwsError:
    """The message of a handle is not there any more."""
    reason = "Message does not exist or is not available for visibility timeout change."
    return bad_value(handle, "ReceiptHandle", reason)


def not_in_flight() -> AwsError:
    """A message that nobody holds."""
    return AwsError("MessageNotInflight", "The specified message isn't in flight.", 400)


def throttled() -> AwsError:
    """A FIFO queue is asked more often than it may be."""
    return AwsError("ThrottlingException", "Rate exceeded", 400)


def over_limit() -> AwsError:
    """Too many messages in flight."""
    return AwsError("OverLimit", "Too many messages are in flight: 120000 at most.", 403)
