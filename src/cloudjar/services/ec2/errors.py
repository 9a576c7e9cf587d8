"""Answers that several families of EC2 share, in AWS's words.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base.errors import AwsError


def malformed(code: str, value: str, prefix: str) -> AwsError:
    """An id that is not of its kind's form."""
    return AwsError(code, f'Invalid id: "{value}" (expecting "{prefix}-...")')


def dependency(noun: str, key: str) -> AwsError:
    """Something still needs what was to be removed."""
    return AwsError("DependencyViolation", f"The {noun} '{key}' has dependencies and cannot be deleted.")


def invalid_value(message: str) -> AwsError:
    """A parameter that cannot be."""
    return AwsError("InvalidParameterValue", message)


def invalid_parameter(value: object, parameter: str, why: str) -> AwsError:
    """A parameter that cannot be, in the words of the newer checks."""
    return invalid_value(f"Value ({value}) for parameter {parameter} is invalid. {why}")


def combination(message: str) -> AwsError:
    """Parameters that exclude each other."""
    return AwsError("InvalidParameterCombination", message)


def missing(message: str) -> AwsError:
    """A parameter that should be there."""
    return AwsError("MissingParameter", message)


def missing_one(name: str) -> AwsError:
    """A required parameter that the model does not mark as one."""
    return missing(f"The request must contain the parameter {name}")


def different_networks(one: str, other: str) -> AwsError:
    """Two things of different VPCs."""
    return invalid_value(f"{one} and {other} belong to different networks.")


def no_default_vpc() -> AwsError:
    """The account has deleted its default VPC here."""
    return AwsError("VPCIdNotSpecified", "No default VPC for this user")


def no_association(key: str) -> AwsError:
    """An association id of a route table, network ACL or address that nothing has."""
    return AwsError("InvalidAssociationID.NotFound", f"The association ID '{key}' does not exist")


def not_found(code: str, noun: str, key: str) -> AwsError:
    """A thing that Cloudjar has none of yet, so that no id of its kind exists."""
    return AwsError(code, f"The {noun} ID '{key}' does not exist")


def not_built(what: str) -> AwsError:
    """A parameter that Cloudjar does not honour yet: refused, never ignored."""
    return AwsError("UnsupportedOperation", f"{what} is not built in Cloudjar yet.")


def refuse(req: Mapping[str, Any], *members: str) -> None:
    """Refuse a request that asks for something through members that are not built."""
    for member in members:
        if req.get(member):
            raise not_built(f"The parameter {member}")
