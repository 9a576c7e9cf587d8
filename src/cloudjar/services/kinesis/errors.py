"""What Kinesis Data Streams answers, in its words.

https://docs.aws.amazon.com/kinesis/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError

INVALID = "InvalidArgumentException"


def invalid(message: str) -> AwsError:
    """InvalidArgumentException."""
    return AwsError(INVALID, message, 400)


def no_stream(name: str, account: str) -> AwsError:
    """No stream of this name."""
    return AwsError("ResourceNotFoundException", f"Stream {name} under account {account} not found.", 400)


def no_shard(shard: str, name: str, account: str) -> AwsError:
    """The stream has no such shard."""
    said = f"Shard {shard} in stream {name} under account {account} does not exist"
    return AwsError("ResourceNotFoundException", said, 400)


def no_consumer(what: str, account: str) -> AwsError:
    """No consumer with this name or ARN."""
    return AwsError("ResourceNotFoundException", f"Consumer {what}, account {account} not found.", 400)


def exists(name: str, account: str) -> AwsError:
    """There is a stream of this name."""
    return AwsError("ResourceInUseException", f"Stream {name} under account {account} already exists.", 400)


def not_active(name: str, account: str, state: str) -> AwsError:
    """The stream is busy."""
    said = f"Stream {name} under account {account} not ACTIVE, instead in state {state}"
    return AwsError("ResourceInUseException", said, 400)


def in_use(message: str) -> AwsError:
    """ResourceInUseException."""
    return AwsError("ResourceInUseException", message, 400)


def limit(message: str) -> AwsError:
    """LimitExceededException."""
    return AwsError("LimitExceededException", message, 400)


def validation(message: str) -> AwsError:
    """ValidationException."""
    return AwsError("ValidationException", message, 400)


SLOW_DOWN = "ProvisionedThroughputExceededException"


def too_fast(shard: str, name: str, account: str) -> AwsError:
    """More than a shard takes or gives."""
    return AwsError(SLOW_DOWN, f"Rate exceeded for shard {shard} in stream {name} under account {account}.", 400)


def dry_run() -> AwsError:
    """The answer to a call that was only to be tried."""
    return AwsError("DryRunOperationException", "Request would have succeeded, but DryRun flag is set.", 400)


def expired_token() -> AwsError:
    """A NextToken that is too old."""
    said = "The pagination token has expired. Tokens are valid for 300 seconds."
    return AwsError("ExpiredNextTokenException", said, 400)
