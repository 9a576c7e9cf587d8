"""S3 in the laws: a bucket and an object with the smallest names, so that the smallest requests are about them."""

from __future__ import annotations

from typing import Any, Protocol

from tests.calls import REGION
from tests.jar import ACCOUNT, TestJar

NAME = "aaa"
"""What `calls.minimal` says for a name."""


class Scenery(Protocol):
    """`scenes.Things`."""

    jar: TestJar


def bucket(jar: TestJar) -> Any:
    """A client of S3, and the bucket with its object."""
    s3 = jar.client("s3", REGION, s3={"addressing_style": "path"})
    if NAME not in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=NAME, Key=NAME, Body=b"x")
    return s3


def there(t: Scenery) -> dict[str, Any]:
    """The object is there, whatever was tried before."""
    bucket(t.jar)
    return {}


_OF_OBJECTS = (
    "CopyObject", "DeleteObject", "DeleteObjectTagging", "GetObject", "GetObjectAcl", "GetObjectAttributes",
    "GetObjectLegalHold", "GetObjectRetention", "GetObjectTagging", "HeadObject", "PutObjectAcl", "PutObjectLegalHold",
    "PutObjectRetention", "PutObjectTagging", "RestoreObject", "SelectObjectContent", "UploadPartCopy",
)  # fmt: skip


def _tagged(_: Scenery) -> dict[str, Any]:
    return {"AccountId": ACCOUNT, "ResourceArn": f"arn:aws:s3:::{NAME}"}


def _rewrapped(t: Scenery) -> dict[str, Any]:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-4000-8000-000000000000"
    return {**there(t), "ObjectEncryption": {"SSEKMS": {"KMSKeyArn": key}}}


def _replicated(_: Scenery) -> dict[str, Any]:
    to = {"Bucket": f"arn:aws:s3:::{NAME}-too"}
    rule = {"Status": "Enabled", "Priority": 1, "Filter": {}, "Destination": to}
    role = f"arn:aws:iam::{ACCOUNT}:role/nobody"
    return {"Bucket": NAME, "ReplicationConfiguration": {"Role": role, "Rules": [rule]}}


def _with_role(_: Scenery) -> dict[str, Any]:
    return {"AccountId": ACCOUNT, "IAMRoleArn": f"arn:aws:iam::{ACCOUNT}:role/nobody"}


SCENES = {
    **{f"s3:{operation}": there for operation in _OF_OBJECTS},
    **{f"s3control:{name}Resource": _tagged for name in ("Tag", "Untag")},
    "s3control:ListTagsForResource": _tagged,
    **{f"s3control:{verb}AccessGrantsLocation": _with_role for verb in ("Create", "Update")},
    "s3:PutBucketReplication": _replicated,
    "s3:UpdateObjectEncryption": _rewrapped,
}


def waited(jar: TestJar, *, object_too: bool, there: bool) -> dict[str, Any]:
    """What a waiter asks about: a bucket or an object that is there, or not."""
    bucket(jar)
    named = {"Bucket": NAME if object_too or there else "nothing-of-the-kind"}
    return named | ({"Key": NAME if there else "nothing"} if object_too else {})


WAITERS = {
    "BucketExists": lambda jar: waited(jar, object_too=False, there=True),
    "BucketNotExists": lambda jar: waited(jar, object_too=False, there=False),
    "ObjectExists": lambda jar: waited(jar, object_too=True, there=True),
    "ObjectNotExists": lambda jar: waited(jar, object_too=True, there=False),
}


def many(jar: TestJar, count: int) -> dict[str, Any]:
    """A bucket with several of everything that is listed."""
    s3 = jar.client("s3", s3={"addressing_style": "path"})
    for number in range(count):
        where = {"CreateBucketConfiguration": {"LocationConstraint": s3.meta.region_name}}
        s3.create_bucket(Bucket=f"pages-{number}", **where)
    name = "pages-0"
    for number in range(count):
        s3.put_object(Bucket=name, Key=f"k/{number}", Body=b"x")
    upload = ""
    for number in range(count):
        upload = s3.create_multipart_upload(Bucket=name, Key=f"u/{number}")["UploadId"]
    for number in range(1, count + 1):
        s3.upload_part(Bucket=name, Key=f"u/{count - 1}", UploadId=upload, PartNumber=number, Body=b"x")
    control = jar.client("s3control")
    control.create_access_grants_instance(AccountId=ACCOUNT)
    here = {"Bucket": name}
    listed = dict.fromkeys(("ListObjects", "ListObjectsV2", "ListObjectVersions", "ListMultipartUploads"), here)
    own = {"ListCallerAccessGrants": {"AccountId": ACCOUNT}}
    return {**listed, **own, "ListParts": {**here, "Key": f"u/{count - 1}", "UploadId": upload}}
