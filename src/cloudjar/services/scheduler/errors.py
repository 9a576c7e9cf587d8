"""What EventBridge Scheduler answers, in its words."""

from __future__ import annotations

from cloudjar.base.errors import AwsError

LIMIT = ("ServiceQuotaExceededException", "The requested resource exceeds the maximum number allowed.")
NO_SCHEDULE = ("ResourceNotFoundException", "Schedule {key} does not exist.", 404)
NO_GROUP = ("ResourceNotFoundException", "Schedule group {key} does not exist.", 404)


def invalid(message: str) -> AwsError:
    """ValidationException."""
    return AwsError("ValidationException", message, 400)


def expression(text: str) -> AwsError:
    """The schedule expression is none."""
    return invalid(f"Invalid Schedule Expression {text}.")


def conflict(message: str) -> AwsError:
    """ConflictException."""
    return AwsError("ConflictException", message, 409)


def no_schedule(name: str) -> AwsError:
    """No schedule of this name in the group."""
    return AwsError(NO_SCHEDULE[0], f"Schedule {name} does not exist.", 404)


def no_group(name: str) -> AwsError:
    """No group of this name."""
    return AwsError(NO_GROUP[0], f"Schedule group {name} does not exist.", 404)
