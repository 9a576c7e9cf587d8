"""Every sub-resource under every method: what is no operation is refused, and never taken for the plain one."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.jar import running
from tests.services.s3.buckets.test_buckets import code
from tests.services.s3.conftest import REGION, Bucket, create
from tests.services.s3.raw import Answer

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")
STRANGE = ("frobnicate", "Policy", "acls", "objectlock", "renameObject2")
"""Names that no version of the API knows: they differ from known ones by little. Reads pass over them, as AWS's do."""


def operations() -> set[tuple[str, str, str]]:
    """(method, what it is about, sub-resource) of all operations of the model."""
    model = botocore.session.get_session().get_service_model("s3")
    found = set()
    for name in model.operation_names:
        given = model.operation_model(name).http
        path, _, query = given["requestUri"].partition("?")
        about = "key" if "{Key+}" in path else "bucket"
        if path.startswith("/{Bucket}"):
            found.add((given["method"], about, query.partition("&")[0].partition("=")[0]))
    return found


OPERATIONS = operations()
NAMES = sorted({name for _, _, name in OPERATIONS if name} - {"x-id", "list-type"})


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """A bucket with one object, for all questions."""
    home: Path = tmp_path_factory.mktemp("subresources")
    with running(home) as jar:
        made = create(jar, "jam")
        made.put("k", b"precious")
        yield made


def signed(bucket: Bucket, method: str, path: str) -> Answer:
    """A request with any query, signed as root."""
    request = AWSRequest(method=method, url=f"{bucket.jar.endpoint}{path}", data=b"")
    S3SigV4Auth(Credentials("test", "test"), "s3", REGION).add_auth(request)
    line = http.client.HTTPConnection("127.0.0.1", bucket.jar.port, timeout=60)
    try:
        line.request(method, path, b"", dict(request.headers.items()))
        got = line.getresponse()
        return Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
    finally:
        line.close()


@pytest.mark.parametrize("about", ["bucket", "key"])
def test_what_is_no_operation_is_refused(bucket: Bucket, about: str) -> None:
    path = "/jam" if about == "bucket" else "/jam/k"
    let_through = []
    for name in (*NAMES, *STRANGE):
        for method in METHODS:
            if (method, about, name) in OPERATIONS or (name in STRANGE and method in ("GET", "HEAD")):
                continue
            answer = signed(bucket, method, f"{path}?{name}")
            if answer.status not in (400, 405, 501) or (method != "HEAD" and not answer.tag("Code")):
                let_through.append((method, name, answer.status, answer.tag("Code")))
    assert let_through == []
    assert bucket.read("k") == b"precious"
    assert [one["Name"] for one in bucket.s3.list_buckets()["Buckets"]] == ["jam"]
    assert bucket.keys() == ["k"]


NONE: list[tuple[str, dict[str, Any], str]] = [
    ("get_bucket_policy", {}, "NoSuchBucketPolicy"),
    ("get_bucket_policy_status", {}, "NoSuchBucketPolicy"),
    ("get_bucket_lifecycle_configuration", {}, "NoSuchLifecycleConfiguration"),
    ("get_bucket_cors", {}, "NoSuchCORSConfiguration"),
    ("get_bucket_website", {}, "NoSuchWebsiteConfiguration"),
    ("get_bucket_tagging", {}, "NoSuchTagSet"),
    ("get_bucket_replication", {}, "ReplicationConfigurationNotFoundError"),
    ("get_object_lock_configuration", {}, "ObjectLockConfigurationNotFoundError"),
    ("get_object_retention", {"Key": "k"}, "InvalidRequest"),
    ("get_object_legal_hold", {"Key": "k"}, "InvalidRequest"),
    *((f"get_bucket_{kind}_configuration", {"Id": "none"}, "NoSuchConfiguration")
      for kind in ("analytics", "inventory", "metrics", "intelligent_tiering")),
    *((f"delete_bucket_{kind}_configuration", {"Id": "none"}, "NoSuchConfiguration")
      for kind in ("analytics", "inventory", "metrics", "intelligent_tiering")),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "more", "none"), NONE, ids=lambda one: str(one))
def test_what_there_is_none_of_says_so(bucket: Bucket, operation: str, more: dict[str, Any], none: str) -> None:
    assert code(getattr(bucket.s3, operation), Bucket="jam", **more) == none
    missing = {"Bucket": "nothing-of-the-kind", **more}
    assert code(getattr(bucket.s3, operation), **missing) == "NoSuchBucket"


def test_what_is_never_none(bucket: Bucket) -> None:
    s3 = bucket.s3
    assert s3.get_bucket_encryption(Bucket="jam")["ServerSideEncryptionConfiguration"]["Rules"]
    assert "Status" not in s3.get_bucket_versioning(Bucket="jam")
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket="jam")
    assert s3.get_bucket_request_payment(Bucket="jam")["Payer"] == "BucketOwner"
    assert s3.get_object_tagging(Bucket="jam", Key="k")["TagSet"] == []
    told = s3.get_bucket_notification_configuration(Bucket="jam")
    assert set(told) == {"ResponseMetadata"}
    for kind in ("analytics", "inventory", "metrics", "intelligent_tiering"):
        listed = getattr(s3, f"list_bucket_{kind}_configurations")(Bucket="jam")
        assert listed["IsTruncated"] is False
