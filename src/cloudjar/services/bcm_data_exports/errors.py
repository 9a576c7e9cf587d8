"""What Data Exports answers, in its words."""

from __future__ import annotations

from cloudjar.base.errors import AwsError

NO_EXPORT = ("ResourceNotFoundException", "Export {key} not found.", 400)


def invalid(message: str) -> AwsError:
    """ValidationException."""
    return AwsError("ValidationException", message, 400)


def not_found(what: str, key: str) -> AwsError:
    """ResourceNotFoundException."""
    members = {"ResourceId": key, "ResourceType": what}
    return AwsError("ResourceNotFoundException", f"{what} {key} not found.", 400, members=members)


def too_many(limit: int) -> AwsError:
    """ServiceQuotaExceededException."""
    members = {"ResourceId": "", "ResourceType": "export", "QuotaCode": "", "ServiceCode": "bcm-data-exports"}
    said = f"An account can have up to {limit} exports."
    return AwsError("ServiceQuotaExceededException", said, 400, members=members)
