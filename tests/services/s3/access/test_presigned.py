"""Presigned URLs: whoever holds one may what its signer may, for as long as it says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cloudjar.auth.presign import Credentials, presign
from tests.services.s3.access.test_authorisation import OTHER, allow, client, mine, policy, user  # noqa: F401 a fixture
from tests.services.s3.conftest import REGION, Bucket
from tests.services.s3.raw import Answer, ask


def fetch(bucket: Bucket, url: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
    """Use a URL as it is."""
    _, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(bucket.jar, method, slash + path, named, body, host=host)


def sign(bucket: Bucket, operation: str = "get_object", s3: Any = None, seconds: int = 3600, **params: str) -> str:
    url: str = (s3 or bucket.s3).generate_presigned_url(
        operation, Params={"Bucket": "jam", "Key": "k", **params}, ExpiresIn=seconds
    )
    return url


def test_get_put_delete(bucket: Bucket) -> None:
    assert fetch(bucket, sign(bucket, "put_object"), "PUT", b"hello").status == 200
    assert fetch(bucket, sign(bucket)).body == b"hello"
    head = fetch(bucket, sign(bucket, "head_object"), "HEAD")
    assert (head.status, head.headers["content-length"]) == (200, "5")
    shown = fetch(bucket, sign(bucket, ResponseContentType="text/x-jam", ResponseContentDisposition="attachment"))
    assert (shown.headers["content-type"], shown.headers["content-disposition"]) == ("text/x-jam", "attachment")
    assert fetch(bucket, sign(bucket, "delete_object"), "DELETE").status == 204
    assert fetch(bucket, sign(bucket)).tag("Code") == "NoSuchKey"


def test_in_the_host_name(bucket: Bucket) -> None:
    bucket.put("k", b"hello")
    now = bucket.jar.jar.world.clock.real()
    for host in (f"jam.s3.{REGION}.amazonaws.com", f"jam.s3.localhost:{bucket.jar.port}"):
        url = presign("GET", f"http://{host}/k", Credentials("test", "test"), REGION, "s3", now, expires=60)
        assert fetch(bucket, url).body == b"hello"
        assert fetch(bucket, url.replace("jam.s3", "ham.s3")).tag("Code") == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("change", "status", "code", "message"),
    [
        (("/jam/k", "/jam/other"), 403, "SignatureDoesNotMatch", "The request signature we calculated"),
        (("X-Amz-Expires=3600", "X-Amz-Expires=7200"), 403, "SignatureDoesNotMatch", "The request signature"),
        (("X-Amz-Expires=3600", "X-Amz-Expires=604801"), 400, "AuthorizationQueryParametersError",
         "X-Amz-Expires must be less than a week"),
        (("X-Amz-Expires=3600", "X-Amz-Expires=-1"), 400, "AuthorizationQueryParametersError",
         "X-Amz-Expires must be non-negative"),
        (("&X-Amz-SignedHeaders=host", ""), 400, "AuthorizationQueryParametersError",
         "Query-string authentication version 4 requires"),
        (("test%2F", "AKIAIOSFODNN7EXAMPLE%2F"), 403, "InvalidAccessKeyId", "The AWS Access Key Id you provided"),
    ],
)  # fmt: skip
def test_tampered_with(bucket: Bucket, change: tuple[str, str], status: int, code: str, message: str) -> None:
    bucket.put("k", b"hello")
    url = sign(bucket)
    assert change[0] in url
    answer = fetch(bucket, url.replace(*change))
    assert (answer.status, answer.tag("Code")) == (status, code)
    assert message in answer.tag("Message")


def test_over(bucket: Bucket) -> None:
    long_ago = bucket.jar.jar.world.clock.real() - timedelta(hours=2)
    where = f"http://127.0.0.1:{bucket.jar.port}/jam/k"
    url = presign("GET", where, Credentials("test", "test"), REGION, "s3", long_ago, expires=3600)
    answer = fetch(bucket, url)
    assert (answer.status, answer.tag("Code"), answer.tag("Message")) == (403, "AccessDenied", "Request has expired")
    assert answer.tag("X-Amz-Expires") == "3600"


def test_headers_that_were_not_signed(bucket: Bucket) -> None:
    answer = fetch(bucket, sign(bucket, "put_object"), "PUT", b"x", x_amz_acl="public-read")
    assert (answer.status, answer.tag("Code")) == (403, "AccessDenied")
    assert answer.tag("HeadersNotSigned") == "x-amz-acl"


def test_version_2_is_no_more(bucket: Bucket) -> None:
    old = bucket.jar.client("s3", REGION, signature_version="s3", s3={"addressing_style": "path"})
    answer = fetch(bucket, sign(bucket, s3=old))
    assert (answer.status, answer.tag("Code")) == (400, "InvalidRequest")
    assert "AWS4-HMAC-SHA256" in answer.tag("Message")


def test_of_a_session(bucket: Bucket) -> None:
    bucket.put("k", b"hello")
    got = bucket.jar.client("sts").get_session_token()["Credentials"]
    s3 = client(bucket.jar, got["AccessKeyId"], got["SecretAccessKey"], token=got["SessionToken"])
    url = sign(bucket, s3=s3)
    assert "X-Amz-Security-Token" in url
    assert fetch(bucket, url).body == b"hello"
    assert fetch(bucket, url.replace("X-Amz-Security-Token", "X-Amz-Other")).status in (400, 403)


def test_its_signer_must_be_allowed(bucket: Bucket, user: Any) -> None:  # noqa: F811 the fixture
    bucket.put("k", b"hello")
    url = sign(bucket, s3=user(mine("s3:GetObject", "jam/other")))
    assert fetch(bucket, url).tag("Code") == "AccessDenied"
    condition = {"StringEquals": {"s3:authType": "REST-QUERY-STRING"}}
    allowed = user(mine("s3:GetObject", "jam/*", Condition=condition), name="bob")
    assert fetch(bucket, sign(bucket, s3=allowed)).body == b"hello"
    policy(bucket, {**allow("s3:GetObject", "jam/*"), "Effect": "Deny",
                    "Condition": {"NumericGreaterThan": {"s3:signatureAge": "0"}}})  # fmt: skip
    assert fetch(bucket, sign(bucket, s3=client(bucket.jar, OTHER))).tag("Code") == "AccessDenied"
