"""What a bucket may be called, and where it may be made.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
"""

from __future__ import annotations

import re

from cloudjar.base.errors import AwsError
from cloudjar.services.s3 import errors
from cloudjar.spec import regions

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*", re.ASCII)
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}", re.ASCII)
_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_US = "us-east-1"


def check_name(name: str) -> None:
    """Raise InvalidBucketName for what no general purpose bucket may be called."""
    if name.endswith("--x-s3"):
        raise errors.not_built("A directory bucket")
    legal = 3 <= len(name) <= 63 and _NAME.fullmatch(name) and not _ADDRESS.fullmatch(name)
    if not legal or name.startswith(_PREFIXES) or name.endswith(_SUFFIXES):
        raise AwsError("InvalidBucketName", "The specified bucket is not valid.", 400, members={"BucketName": name})


def place(constraint: str, region: str) -> str:
    """The region in which a bucket is made: the request's own, which must be said outside of us-east-1.

    Raises IllegalLocationConstraintException and InvalidLocationConstraint.
    """
    if not constraint:
        if region == _US:
            return _US
        raise _illegal("unspecified")
    wanted = "eu-west-1" if constraint == "EU" else constraint
    if wanted == _US or all(known.name != wanted for known in regions.regions()):
        raise AwsError(
            "InvalidLocationConstraint",
            "The specified location-constraint is not valid",
            400,
            members={"LocationConstraint": constraint},
        )
    if region not in (_US, wanted):
        raise _illegal(constraint)
    return wanted


def _illegal(constraint: str) -> AwsError:
    return AwsError(
        "IllegalLocationConstraintException",
        f"The {constraint} location constraint is incompatible for the region specific endpoint this request was "
        "sent to.",
        400,
    )
