"""Buckets themselves: names, places, one namespace over all accounts."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.auth.presign import Credentials, presign, sign
from cloudjar.kit.quota import AppliedQuota
from cloudjar.kit.record import meta
from cloudjar.wire.message import Request
from tests.jar import TestJar
from tests.services.s3.conftest import REGION, Bucket
from tests.services.s3.raw import ask

BODY = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
PARIS = {"LocationConstraint": REGION}


def code(call: Any, *args: Any, **params: Any) -> str:
    """The error code that a call answers."""
    with pytest.raises(ClientError) as caught:
        call(*args, **params)
    return str(caught.value.response["Error"]["Code"])


def test_made_found_listed_removed(s3: Any) -> None:
    made = s3.create_bucket(Bucket="jam", CreateBucketConfiguration=PARIS)
    assert made["Location"] == "http://jam.s3.amazonaws.com/"
    assert made["BucketArn"] == "arn:aws:s3:::jam"
    head = s3.head_bucket(Bucket="jam")
    assert (head["BucketRegion"], head["AccessPointAlias"]) == (REGION, False)
    assert s3.get_bucket_location(Bucket="jam")["LocationConstraint"] == REGION
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["jam"]
    s3.delete_bucket(Bucket="jam")
    assert code(s3.head_bucket, Bucket="jam") == "404"
    assert code(s3.delete_bucket, Bucket="jam") == "NoSuchBucket"
    assert s3.list_buckets()["Buckets"] == []


def test_places(jar: TestJar, s3: Any) -> None:
    assert code(s3.create_bucket, Bucket="jam") == "IllegalLocationConstraintException"
    elsewhere = {"LocationConstraint": "eu-west-1"}
    assert code(s3.create_bucket, Bucket="jam", CreateBucketConfiguration=elsewhere) == (
        "IllegalLocationConstraintException"
    )
    nowhere = {"LocationConstraint": "mars-west-1"}
    assert code(s3.create_bucket, Bucket="jam", CreateBucketConfiguration=nowhere) == "InvalidLocationConstraint"
    home = jar.client("s3", "us-east-1")
    there = {"LocationConstraint": "us-east-1"}
    assert code(home.create_bucket, Bucket="jam", CreateBucketConfiguration=there) == "InvalidLocationConstraint"
    home.create_bucket(Bucket="jam")
    assert home.get_bucket_location(Bucket="jam").get("LocationConstraint") is None
    home.create_bucket(Bucket="dublin", CreateBucketConfiguration={"LocationConstraint": "EU"})
    assert home.get_bucket_location(Bucket="dublin")["LocationConstraint"] == "eu-west-1"


def test_once_more(jar: TestJar, s3: Any) -> None:
    s3.create_bucket(Bucket="jam", CreateBucketConfiguration=PARIS)
    assert code(s3.create_bucket, Bucket="jam", CreateBucketConfiguration=PARIS) == "BucketAlreadyOwnedByYou"
    other = jar.client("s3", REGION, key="111111111111")
    assert code(other.create_bucket, Bucket="jam", CreateBucketConfiguration=PARIS) == "BucketAlreadyExists"
    home = jar.client("s3", "us-east-1")
    home.create_bucket(Bucket="butter")
    home.create_bucket(Bucket="butter")
    assert [one["Name"] for one in home.list_buckets()["Buckets"]] == ["butter", "jam"]
    assert other.list_buckets()["Buckets"] == []


@pytest.mark.parametrize(
    "name",
    ["ab", "a" * 64, "Jam", "jam_pot", "-jam", "jam-", "jam..pot", "jam.-pot", "10.0.0.1", "xn--jam", "sthree-jam",
     "jam-s3alias", "amzn-s3-demo-jam", "jam.mrap"],
)  # fmt: skip
def test_names_that_are_none(steady_jar: TestJar, name: str) -> None:
    s3 = steady_jar.client("s3", REGION, parameter_validation=False, s3={"addressing_style": "path"})
    s3.meta.events.unregister("before-parameter-build.s3", None)
    answer = code(s3.create_bucket, Bucket=name, CreateBucketConfiguration=PARIS)
    assert answer == "InvalidBucketName"


def test_a_bucket_goes_empty_or_not_at_all(versioned: Bucket) -> None:
    versioned.put("k", b"x")
    versioned.s3.delete_object(Bucket="jam", Key="k")
    with pytest.raises(ClientError) as caught:
        versioned.s3.delete_bucket(Bucket="jam")
    assert caught.value.response["Error"]["Code"] == "BucketNotEmpty"
    listed = versioned.s3.list_object_versions(Bucket="jam")
    for one in [*listed["Versions"], *listed["DeleteMarkers"]]:
        versioned.s3.delete_object(Bucket="jam", Key="k", VersionId=one["VersionId"])
    versioned.s3.delete_bucket(Bucket="jam")


def test_pages_of_buckets(s3: Any, jar: TestJar) -> None:
    for name in ("jam-1", "jam-2", "tea-1"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=PARIS)
    jar.client("s3", "us-east-1").create_bucket(Bucket="jam-3")
    first = s3.list_buckets(MaxBuckets=2)
    assert [one["Name"] for one in first["Buckets"]] == ["jam-1", "jam-2"]
    assert first["Buckets"][0]["BucketRegion"] == REGION
    rest = s3.list_buckets(MaxBuckets=2, ContinuationToken=first["ContinuationToken"])
    assert [one["Name"] for one in rest["Buckets"]] == ["jam-3", "tea-1"]
    assert "ContinuationToken" not in rest
    assert [one["Name"] for one in s3.list_buckets(Prefix="jam", BucketRegion=REGION)["Buckets"]] == ["jam-1", "jam-2"]


def test_the_quota(jar: TestJar, s3: Any) -> None:
    quota = AppliedQuota(account="000000000000", region="us-east-1", code="s3/L-DC2B2D3D", value=1)
    with jar.jar.database.transaction():
        jar.jar.world.state.tables.put(meta(AppliedQuota).spec, quota)
    s3.create_bucket(Bucket="one", CreateBucketConfiguration=PARIS)
    assert code(s3.create_bucket, Bucket="two", CreateBucketConfiguration=PARIS) == "TooManyBuckets"


def test_other_regions_redirect(jar: TestJar, bucket: Bucket) -> None:
    london = jar.client("s3", "eu-west-2", s3={"addressing_style": "path"})
    seen: list[Any] = []
    london.meta.events.register_first("needs-retry.s3", lambda response, **_: seen.append(response[1]))
    assert london.list_objects_v2(Bucket="jam")["KeyCount"] == 0  # the SDK follows
    assert seen[0]["Error"]["Code"] == "PermanentRedirect"
    assert seen[0]["Error"]["Endpoint"] == f"jam.s3.{REGION}.localhost:{jar.port}"
    assert seen[0]["ResponseMetadata"]["HTTPStatusCode"] == 301
    assert seen[0]["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == REGION


def test_the_owner_may_be_asked_for(bucket: Bucket) -> None:
    assert bucket.s3.head_bucket(Bucket="jam", ExpectedBucketOwner="000000000000")
    assert code(bucket.s3.get_bucket_acl, Bucket="jam", ExpectedBucketOwner="111111111111") == "AccessDenied"


def test_answers_as_they_are_on_the_wire(bucket: Bucket) -> None:
    missing = ask(bucket.jar, "GET", "/nobody-has-this")
    assert missing.status == 404
    assert missing.tag("Code") == "NoSuchBucket"
    assert missing.tag("BucketName") == "nobody-has-this"
    assert missing.tag("RequestId") == missing.headers["x-amz-request-id"]
    assert missing.tag("HostId") == missing.headers["x-amz-id-2"]
    assert "xmlns" not in missing.text
    head = ask(bucket.jar, "HEAD", "/nobody-has-this")
    assert (head.status, head.body) == (404, b"")
    assert "date" in head.headers


def test_not_built_is_said(s3: Any) -> None:
    assert code(s3.create_session, Bucket="jam--use1-az1--x-s3") == "NotImplemented"
    namespace = {"Bucket": "jam", "BucketNamespace": "account-regional"}
    assert code(s3.create_bucket, **namespace, CreateBucketConfiguration=PARIS) == "NotImplemented"


def test_addresses_of_regions(bucket: Bucket) -> None:
    def get(host: str, region: str = REGION) -> Any:
        url = presign("GET", f"http://{host}/", Credentials("test", "test"), region, "s3", bucket.jar.clock.real())
        _, _, path = url.partition(host)
        return ask(bucket.jar, "GET", path, host=host)

    assert get(f"jam.s3.{REGION}.amazonaws.com").status == 200
    assert get("jam.s3.amazonaws.com").status == 200
    elsewhere = get("jam.s3.eu-west-1.amazonaws.com", "eu-west-1")
    assert (elsewhere.status, elsewhere.tag("Code")) == (301, "PermanentRedirect")
    assert elsewhere.tag("Endpoint") == f"jam.s3.{REGION}.amazonaws.com"
    wrong = get(f"jam.s3.{REGION}.amazonaws.com", "us-east-1")
    assert (wrong.status, wrong.tag("Code"), wrong.tag("Region")) == (400, "AuthorizationHeaderMalformed", REGION)
    everywhere = get("jam.s3.amazonaws.com", "us-east-1")
    assert (everywhere.status, everywhere.tag("Code")) == (400, "AuthorizationHeaderMalformed")
    assert everywhere.tag("Message").endswith(f"the region 'us-east-1' is wrong; expecting '{REGION}'")
    assert get("jam.s3-accelerate.amazonaws.com").tag("Code") == "InvalidRequest"
    status = {"Status": "Enabled"}
    bucket.s3.put_bucket_accelerate_configuration(Bucket="jam", AccelerateConfiguration=status)
    assert get("jam.s3-accelerate.amazonaws.com").status == 200


def test_a_configuration_is_what_its_checksum_says(bucket: Bucket) -> None:
    def put(**headers: str) -> Any:
        request = Request("PUT", "/jam", "tagging", {"host": "localhost", **headers}, BODY)
        sign(request, Credentials("test", "test"), REGION, "s3", bucket.jar.clock.real())
        sent = {name: value for name, value in request.headers.items() if name != "host"}
        return ask(bucket.jar, "PUT", "/jam?tagging", sent, BODY, host="localhost")

    assert put(**{"content-md5": "AAAAAAAAAAAAAAAAAAAAAA=="}).tag("Code") == "BadDigest"
    assert put(**{"content-md5": "nonsense"}).tag("Code") == "InvalidDigest"
    assert put(**{"x-amz-checksum-crc32": "AAAAAA=="}).tag("Code") == "BadDigest"
    assert put().status == 200
    assert bucket.s3.get_bucket_tagging(Bucket="jam")["TagSet"] == [{"Key": "a", "Value": "b"}]
