"""What is stored of a bucket. Objects are not records: they have an index of their own (`s3.objects.index`).

A sub-resource is kept in AWS's own spelling, as it was put, so that it is echoed exactly and what was not set is left
out; None (or an empty value) is "there is none".

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from cloudjar.base.caller import canonical_id
from cloudjar.kit.record import Quota, Record, record

Versioning = Literal["", "Enabled", "Suspended"]
Ownership = Literal["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"]

Named = dict[str, dict[str, Any]]
"""Configurations of which a bucket has several, by Id."""


@record(
    "s3",
    "bucket",
    key="name",
    index=("location",),
    arn="{name}",
    arn_account=False,
    missing=("NoSuchBucket", "The specified bucket does not exist", 404),
    quotas=(
        Quota(
            ("s3", "L-DC2B2D3D"),
            ("TooManyBuckets", "You have attempted to create more buckets than allowed"),
        ),
    ),
    regional=False,
    everywhere=True,
)
class Bucket(Record, frozen=True, kw_only=True):
    """One bucket. Names are unique over all accounts; `region` is "" (the table is global), `location` is where the
    bucket lies."""

    name: str
    location: str
    created: datetime
    tags: dict[str, str] = {}
    policy: str = ""
    """JSON as it was put."""
    named: dict[str, str] = {}
    """Unique ids of the users and roles whom the policy names, by their ARN when it was put."""
    acl: str = ""
    """In the form of `access.acl`; "" is the owner's full control."""
    ownership: Ownership | None = "BucketOwnerEnforced"
    """None: the ownership controls were deleted, which is as ObjectWriter."""
    public_access_block: dict[str, bool] | None = None
    """The settings as they were put (the bucket is made with all of them); None: there is none."""
    versioning: Versioning = ""
    mfa_delete: Versioning = ""
    encryption: dict[str, Any] | None = None
    """The one rule of ServerSideEncryptionConfiguration; None: SSE-S3."""
    cors: list[dict[str, Any]] | None = None
    website: dict[str, Any] | None = None
    lifecycle: list[dict[str, Any]] | None = None
    """Rules."""
    lifecycle_minimum: str = ""
    """TransitionDefaultMinimumObjectSize."""
    lifecycle_v1: bool = False
    notification: dict[str, Any] | None = None
    replication: dict[str, Any] | None = None
    logging: dict[str, Any] | None = None
    """LoggingEnabled."""
    object_lock: bool = False
    object_lock_rule: dict[str, Any] | None = None
    """Rule of ObjectLockConfiguration."""
    request_payment: Literal["BucketOwner", "Requester"] = "BucketOwner"
    accelerate: Versioning = ""
    inventory: Named = {}
    analytics: Named = {}
    metrics: Named = {}
    intelligent_tiering: Named = {}
    abac: bool = False
    """Whether tags of the bucket count in policies (aws:ResourceTag)."""

    @property
    def owner_id(self) -> str:
        """The canonical user id of the account that owns the bucket."""
        return canonical_id(self.account)

    @property
    def acls_off(self) -> bool:
        """ACLs are disabled: the bucket's owner owns every object in it."""
        return self.ownership == "BucketOwnerEnforced"

    @property
    def versioned(self) -> bool:
        """New versions are kept beside old ones."""
        return self.versioning == "Enabled"

    @property
    def ever_versioned(self) -> bool:
        """Versioning is on or was."""
        return self.versioning != ""

    @property
    def requester_pays(self) -> bool:
        """Whoever asks pays, and must say that he will."""
        return self.request_payment == "Requester"
