"""What SNS answers, in its words."""

from __future__ import annotations

from cloudjar.base.errors import AwsError

NO_TOPIC = ("NotFound", "Topic does not exist", 404)
NO_SUBSCRIPTION = ("NotFound", "Subscription does not exist", 404)


def no_topic() -> AwsError:
    """No topic of this ARN."""
    return AwsError(*NO_TOPIC)


def no_subscription() -> AwsError:
    """No subscription of this ARN."""
    return AwsError(*NO_SUBSCRIPTION)


def invalid(what: str) -> AwsError:
    """InvalidParameter."""
    return AwsError("InvalidParameter", f"Invalid parameter: {what}", 400)


def bad_value(message: str) -> AwsError:
    """ParameterValueInvalid: of message attributes."""
    return AwsError("ParameterValueInvalid", message, 400)


def not_built(what: str) -> AwsError:
    """The honest answer for what SNS can and the product cannot."""
    return AwsError("NotImplemented", f"sns: {what} is not built in Cloudjar yet. See services/sns/README.md.", 501)
