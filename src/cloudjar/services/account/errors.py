"""Account Management's refusals, in AWS's words.

https://docs.aws.amazon.com/accounts/latest/reference/API_Operations.html
"""

from __future__ import annotations

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError


def not_permitted(caller: Caller, operation: str, why: str) -> AwsError:
    """What asks about another account than the caller's own, and may not."""
    return AwsError(
        "AccessDeniedException",
        f"User: {caller.arn} is not authorized to perform: account:{operation} ({why})",
        403,
    )


def no_alternate_contact() -> AwsError:
    """404."""
    return AwsError("ResourceNotFoundException", "No contact of the inputted alternate contact type found.", 404)


def no_contact_information() -> AwsError:
    """404."""
    return AwsError("ResourceNotFoundException", "No contact information found for the inputted account.", 404)
