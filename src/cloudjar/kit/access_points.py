"""S3's access points and an account's block of public access: what S3 reads at every request and S3 Control writes.

Here and not in a service, since both speak of the same records.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from cloudjar.kit.record import Quota, Record, record

BLOCK_ALL = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


@record(
    "s3",
    "accesspoint",
    key="name",
    index=("bucket", "alias"),
    arn="accesspoint/{name}",
    missing=("NoSuchAccessPoint", "The specified accesspoint does not exist", 404),
    quotas=(
        Quota(
            ("s3", "L-FAABEEBA"),
            ("TooManyAccessPoints", "You have attempted to create more access points than allowed"),
        ),
    ),
)
class AccessPoint(Record, frozen=True, kw_only=True):
    """A further way into a bucket, with a name, a policy and a block of public access of its own."""

    name: str
    bucket: str
    bucket_account: str
    alias: str
    created: datetime
    vpc: str = ""
    """The only VPC from which it may be used; "" for the internet."""
    public_access_block: dict[str, bool] = {}
    policy: str = ""
    named: dict[str, str] = {}
    """Unique ids of the users and roles whom the policy names, by their ARN when it was put."""
    tags: dict[str, str] = {}

    @property
    def origin(self) -> Literal["VPC", "Internet"]:
        """``NetworkOrigin``."""
        return "VPC" if self.vpc else "Internet"


@record("s3", "account-public-access", regional=False, missing=("NoSuchPublicAccessBlockConfiguration", "", 404))
class AccountPublicAccess(Record, frozen=True, kw_only=True):
    """What an account blocks for all its buckets; `id` is the account."""

    id: str
    settings: dict[str, bool]
