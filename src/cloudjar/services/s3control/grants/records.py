"""What is stored of Access Grants: the instance of an account and Region, its locations, its grants.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-grants-concepts.html
"""

from __future__ import annotations

from datetime import datetime

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import by_arn
from cloudjar.kit.record import Record, record

PRINCIPAL = "access-grants.s3.amazonaws.com"
DEFAULT = "default"
EVERYTHING = "s3://"


@record(
    "s3",
    "accessgrantsinstance",
    key="id",
    arn="access-grants/{id}",
    missing=("AccessGrantsInstanceNotExistsError", "Access Grants Instance does not exist", 404),
)
class GrantsInstance(Record, frozen=True, kw_only=True):
    """The one instance of an account in a Region; `id` is ``default``."""

    id: str = DEFAULT
    created: datetime
    policy: str = ""
    """Resource policy, for callers of other accounts."""
    organization: str = ""
    policy_created: datetime | None = None
    tags: dict[str, str] = {}


@record(
    "s3",
    "accessgrantslocation",
    key="id",
    index=("scope",),
    arn="access-grants/default/location/{id}",
    missing=("AccessGrantsLocationNotExistsError", "Access Grants Location does not exist", 404),
)
class GrantsLocation(Record, frozen=True, kw_only=True):
    """A bucket, or a part of one (``s3://``: everything), and the role whose credentials are given out for it."""

    id: str
    scope: str
    role: str
    created: datetime
    tags: dict[str, str] = {}


@record(
    "s3",
    "accessgrant",
    key="id",
    index=("location", "grantee"),
    arn="access-grants/default/grant/{id}",
    missing=("AccessGrantNotExistsError", "Access Grant does not exist", 404),
)
class AccessGrant(Record, frozen=True, kw_only=True):
    """Someone's access: `scope` ends in a star, or is an object's; `grantee` the ARN of a user or role."""

    id: str
    location: str
    sub_prefix: str = ""
    scope: str
    grantee: str
    permission: str
    created: datetime
    tags: dict[str, str] = {}


@by_arn("s3", "accessgrantslocation")
def location_by_arn(ctx: Ctx, arn: arns.Arn) -> Record | None:
    """A location behind its ARN."""
    return ctx.db[GrantsLocation].get(arn.resource.rpartition("/")[2])


@by_arn("s3", "accessgrant")
def grant_by_arn(ctx: Ctx, arn: arns.Arn) -> Record | None:
    """A grant behind its ARN."""
    return ctx.db[AccessGrant].get(arn.resource.rpartition("/")[2])
