"""Trusted Advisor's refusals.

https://docs.aws.amazon.com/trustedadvisor/latest/APIReference/API_GetRecommendation.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def no_recommendation(arn: str) -> AwsError:
    """An ARN behind which there is none."""
    return AwsError("ResourceNotFoundException", f"Recommendation {arn} was not found", 404)


def not_prioritized() -> AwsError:
    """Lifecycles are of recommendations that an account team sends, of which there are none here."""
    return AwsError(
        "ValidationException", "Lifecycle updates are only supported for prioritized recommendations", 400
    )
