"""What Firehose answers, in its words.

https://docs.aws.amazon.com/firehose/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def invalid(message: str) -> AwsError:
    """InvalidArgumentException."""
    return AwsError("InvalidArgumentException", message, 400)


def no_stream(name: str, account: str) -> AwsError:
    """No delivery stream of this name."""
    return AwsError("ResourceNotFoundException", f"Firehose {name} under account {account} not found.", 400)


def in_use(message: str) -> AwsError:
    """ResourceInUseException."""
    return AwsError("ResourceInUseException", message, 400)


def limit(message: str) -> AwsError:
    """LimitExceededException."""
    return AwsError("LimitExceededException", message, 400)


def slow_down() -> AwsError:
    """More than a delivery stream takes in a second."""
    return AwsError("ServiceUnavailableException", "Slow down.", 503)


def not_built(what: str) -> AwsError:
    """The honest answer for what is in the model but not in the product."""
    return AwsError("NotImplemented", f"{what} is not built in Cloudjar yet. See the coverage page for what is.", 501)


def unable_to_assume(role: str) -> AwsError:
    """The role does not trust Firehose."""
    return invalid(f"Firehose is unable to assume role {role}. Please check the role provided.")
