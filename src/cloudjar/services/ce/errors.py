"""Messages that Cost Explorer words precisely."""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def invalid(message: str) -> AwsError:
    """400, for everything that a request gets wrong."""
    return AwsError("ValidationException", message, 400)


ORDER = "Start date (and hour) should be before end date (and hour)"
BEYOND = "end date past the beginning of next month"
TOO_OLD = "You haven't enabled historical data beyond 14 months"
HOURS_TOO_OLD = (
    "Start date is more than 14 days ago for hourly granularity. "
    "Please adjust start date as we support only 14 days of data at hourly granularity."
)
NO_HOURS = "Hourly timePeriod is not supported for this request"
NEEDS_HOURS = "Start and end of hourly granularity must be given as yyyy-MM-ddThh:mm:ssZ"


def missing_category(arn: str) -> AwsError:
    """400."""
    return AwsError("ResourceNotFoundException", f"No Cost Categories found with ARN: {arn}", 400)


def unavailable(message: str) -> AwsError:
    """400: there is too little to answer from."""
    return AwsError("DataUnavailableException", message, 400)
