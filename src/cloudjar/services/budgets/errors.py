"""What AWS Budgets answers, in its words."""

from __future__ import annotations

from cloudjar.base.errors import AwsError

NO_BUDGET = ("NotFoundException", "Unable to get budget: {key} - the budget doesn't exist.", 400)
NO_ACTION = ("NotFoundException", "Unable to get action: {key} - the action doesn't exist.", 400)


def invalid(message: str) -> AwsError:
    """InvalidParameterException."""
    return AwsError("InvalidParameterException", message, 400)


def denied(message: str) -> AwsError:
    """AccessDeniedException."""
    return AwsError("AccessDeniedException", message, 400)


def duplicate(message: str) -> AwsError:
    """DuplicateRecordException."""
    return AwsError("DuplicateRecordException", message, 400)


def duplicate_budget(name: str) -> AwsError:
    """There is a budget of this name."""
    return duplicate(f"Error creating budget: {name} - the budget already exists.")


def no_notification() -> AwsError:
    """No such notification."""
    return AwsError("NotFoundException", "Unable to get notification - the notification doesn't exist.", 400)


def no_subscriber() -> AwsError:
    """No such subscriber."""
    return AwsError("NotFoundException", "Unable to get subscriber - the subscriber doesn't exist.", 400)


def too_many(message: str) -> AwsError:
    """CreationLimitExceededException."""
    return AwsError("CreationLimitExceededException", message, 400)


def locked(message: str) -> AwsError:
    """ResourceLockedException."""
    return AwsError("ResourceLockedException", message, 400)
