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


def _invalid_region(message: str) -> AwsError:
    members = {"reason": "invalidRegionOptTarget"}
    return AwsError("ValidationException", message, 400, members=members)


def no_region(name: str) -> AwsError:
    """400: no such region."""
    return _invalid_region(f"{name} is not a valid Region.")


def always_there(name: str) -> AwsError:
    """400: a region that nobody opts in to or out of."""
    return _invalid_region(f"The opt-in status of the Region {name} cannot be changed: it is enabled by default.")


def region_changes(name: str) -> AwsError:
    """409: one change at a time."""
    return AwsError("ConflictException", f"The opt-in status of the Region {name} is being changed already.", 409)
