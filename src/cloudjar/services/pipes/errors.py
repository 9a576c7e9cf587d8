"""What EventBridge Pipes answers, in its words."""

from __future__ import annotations

from cloudjar.base.errors import AwsError

NO_PIPE = ("NotFoundException", "Pipe {key} does not exist.", 404)


def invalid(message: str) -> AwsError:
    """ValidationException."""
    return AwsError("ValidationException", message, 400)


def conflict(name: str, message: str) -> AwsError:
    """ConflictException."""
    return AwsError("ConflictException", message, 409, members={"resourceId": name, "resourceType": "pipe"})


def no_pipe(name: str) -> AwsError:
    """No pipe of this name."""
    return AwsError(NO_PIPE[0], f"Pipe {name} does not exist.", 404)


def limit(name: str) -> AwsError:
    """More pipes than there may be."""
    told = {"resourceId": name, "resourceType": "pipe", "serviceCode": "pipes", "quotaCode": ""}
    return AwsError("ServiceQuotaExceededException", "The limit of pipes has been reached.", 402, members=told)
