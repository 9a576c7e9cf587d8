"""What SES refuses, in its words: codes of v1, which `in_v2` makes those of v2."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx

Handler = Callable[[Ctx, dict[str, Any]], dict[str, Any]]

_IN_V2 = {
    "InvalidParameterValue": ("BadRequestException", 400),
    "ValidationError": ("BadRequestException", 400),
    "AccountSendingPausedException": ("SendingPausedException", 400),
    "ConfigurationSetSendingPausedException": ("SendingPausedException", 400),
    "ConfigurationSetDoesNotExist": ("NotFoundException", 404),
    "TemplateDoesNotExist": ("NotFoundException", 404),
    "EventDestinationDoesNotExist": ("NotFoundException", 404),
    "AlreadyExists": ("AlreadyExistsException", 400),
    "ConfigurationSetAlreadyExists": ("AlreadyExistsException", 400),
    "EventDestinationAlreadyExists": ("AlreadyExistsException", 400),
    "InvalidTemplate": ("BadRequestException", 400),
    "InvalidRenderingParameter": ("BadRequestException", 400),
    "MissingRenderingAttribute": ("BadRequestException", 400),
    "InvalidSNSDestination": ("BadRequestException", 400),
    "InvalidFirehoseDestination": ("BadRequestException", 400),
    "InvalidCloudWatchDestination": ("BadRequestException", 400),
    "InvalidConfigurationSet": ("BadRequestException", 400),
    "LimitExceeded": ("LimitExceededException", 400),
    "InvalidPolicy": ("BadRequestException", 400),
    "Throttling": ("TooManyRequestsException", 429),
}


def in_v2(handler: Handler) -> Handler:
    """Decorator: a handler of v2, whose refusals bear v2's codes."""

    @wraps(handler)
    def handle(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        try:
            return handler(ctx, req)
        except AwsError as error:
            code, status = _IN_V2.get(error.code, ("", 0))
            if not code:
                raise
            raise AwsError(code, error.message, status) from error

    return handle


def invalid(message: str) -> AwsError:
    """InvalidParameterValue (v2: BadRequestException)."""
    return AwsError("InvalidParameterValue", message, 400)


def rejected(message: str) -> AwsError:
    """MessageRejected."""
    return AwsError("MessageRejected", message, 400)


def throttled(message: str) -> AwsError:
    """Throttling (v2: TooManyRequestsException): faster than the rate, or more than the day's quota."""
    return AwsError("Throttling", message, 400)


def no_identity(name: str) -> AwsError:
    """NotFoundException, of v2 alone: v1 knows no identity that is not there."""
    return AwsError("NotFoundException", f"Email identity {name} does not exist.", 404)


def not_built(service: str, what: str) -> AwsError:
    """The honest answer for what SES can and the product cannot."""
    folder = service.replace("-", "_")
    text = f"{service}: {what} is not built in Cloudjar yet. See services/{folder}/README.md."
    return AwsError("NotImplemented", text, 501)
