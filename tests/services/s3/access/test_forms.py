"""Browsers' uploads: forms with a signed policy."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.services.s3.conftest import Bucket
from tests.services.s3.raw import Answer, ask, form


def signed(bucket: Bucket, key: str = "up/${filename}", **more: Any) -> dict[str, str]:
    """The fields of a form that boto3 makes."""
    post = bucket.s3.generate_presigned_post(bucket.name, key, **more)
    fields: dict[str, str] = post["fields"]
    return fields


def send(bucket: Bucket, fields: dict[str, str], content: bytes = b"meow", **more: Any) -> Answer:
    headers, body = form(fields, content)
    return ask(bucket.jar, "POST", f"/{bucket.name}", headers, body, **more)


def test_a_form_becomes_an_object(bucket: Bucket) -> None:
    answer = send(bucket, signed(bucket))
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["etag"] == bucket.head("up/cat.txt")["ETag"]
    assert bucket.read("up/cat.txt") == b"meow"


def test_large_files_too_and_in_the_host_name(bucket: Bucket) -> None:
    content = bytes(range(256)) * 8192
    answer = send(bucket, signed(bucket, "big"), content)
    assert answer.status == 204
    headers, body = form(signed(bucket, "hosted"), b"x")
    assert ask(bucket.jar, "POST", "/", headers, body, host="jam.s3.localhost").status == 204
    assert bucket.read("big") == content
    assert bucket.read("hosted") == b"x"


def test_fields_become_headers(bucket: Bucket) -> None:
    more = {"Content-Type": "text/cat", "x-amz-meta-colour": "red", "tagging": "<Tagging><TagSet><Tag><Key>a</Key>"
            "<Value>b</Value></Tag></TagSet></Tagging>"}  # fmt: skip
    fields = signed(bucket, "k", Fields=more, Conditions=[{name: value} for name, value in more.items()])
    assert send(bucket, fields).status == 204
    head = bucket.head("k")
    assert (head["ContentType"], head["Metadata"]) == ("text/cat", {"colour": "red"})
    tags = bucket.s3.get_object_tagging(Bucket=bucket.name, Key="k")["TagSet"]
    assert tags == [{"Key": "a", "Value": "b"}]


def test_what_success_looks_like(bucket: Bucket) -> None:
    def wanting(**fields: str) -> Answer:
        made = signed(bucket, "k", Fields=fields, Conditions=[{n: v} for n, v in fields.items()])
        return send(bucket, made)

    assert wanting(success_action_status="200").status == 200
    made = wanting(success_action_status="201")
    assert (made.status, made.tag("Bucket"), made.tag("Key")) == (201, "jam", "k")
    moved = wanting(success_action_redirect="http://example.com/done?x=1")
    assert moved.status == 303
    assert moved.headers["location"].startswith("http://example.com/done?x=1&bucket=jam&key=k&etag=%22")


@pytest.mark.parametrize(
    ("conditions", "change", "status", "code", "message"),
    [
        ([], {"x-amz-meta-a": "b"}, 403, "AccessDenied", "Policy: Extra input fields: x-amz-meta-a"),
        ([["content-length-range", 10, 20]], {}, 400, "EntityTooSmall", "Your proposed upload is smaller than the"),
        ([["content-length-range", 0, 2]], {}, 400, "EntityTooLarge", "Your proposed upload exceeds the maximum"),
        ([["starts-with", "$Content-Type", "image/"]], {"Content-Type": "text/plain"}, 403, "AccessDenied",
         'Invalid according to Policy: Policy Condition failed: ["starts-with", "$Content-Type", "image/"]'),
        ([], {"key": "elsewhere"}, 403, "AccessDenied", "Invalid according to Policy: Policy Condition failed"),
        ([], {"x-amz-signature": "0" * 64}, 403, "SignatureDoesNotMatch", "The request signature we calculated"),
        ([], {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20260115/eu-west-3/s3/aws4_request"}, 403,
         "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist"),
        ([], {"x-amz-signature": ""}, 400, "InvalidArgument", "must contain a field named 'X-Amz-Signature'"),
        ([], {"key": ""}, 400, "InvalidArgument", "Bucket POST must contain a field named 'key'"),
    ],
)  # fmt: skip
def test_the_policy_decides(
    bucket: Bucket, conditions: list[Any], change: dict[str, str], status: int, code: str, message: str
) -> None:
    fields = {**signed(bucket, "k", Conditions=conditions), **change}
    answer = send(bucket, fields)
    assert (answer.status, answer.tag("Code")) == (status, code)
    assert message in answer.tag("Message").replace("&quot;", '"')
    assert bucket.keys() == []


def test_a_policy_ends(bucket: Bucket) -> None:
    fields = signed(bucket, "k", ExpiresIn=-5)
    answer = send(bucket, fields)
    assert (answer.status, answer.tag("Message")) == (403, "Invalid according to Policy: Policy expired.")


def test_documents_that_are_none(bucket: Bucket) -> None:
    from cloudjar.auth.presign import sign_text

    fields = signed(bucket, "k")
    for document, message in (
        (b"{", "Invalid Policy: Invalid JSON."),
        (json.dumps({"conditions": []}).encode(), "Invalid Policy: Policy missing expiration."),
        (json.dumps({"expiration": "2100-01-01T00:00:00Z"}).encode(), "Invalid Policy: Policy missing conditions."),
    ):
        text = base64.b64encode(document).decode()
        date = fields["x-amz-credential"].split("/")[1]
        fields |= {"policy": text, "x-amz-signature": sign_text(text, "test", date, "eu-west-3", "s3")}
        answer = send(bucket, fields)
        assert (answer.status, answer.tag("Code"), answer.tag("Message")) == (400, "InvalidPolicyDocument", message)


def test_nobody_uploads_without_a_policy(bucket: Bucket) -> None:
    answer = send(bucket, {"key": "k"})
    assert (answer.status, answer.tag("Code")) == (403, "AccessDenied")
    assert bucket.keys() == []


def test_forms_that_are_none(bucket: Bucket) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    broken = ask(bucket.jar, "POST", "/jam", headers, b"--x\r\nnothing")
    assert (broken.status, broken.tag("Code")) == (400, "MalformedPOSTRequest")
    without = ask(
        bucket.jar, "POST", "/jam", headers,
        b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--x--\r\n',
    )  # fmt: skip
    assert (without.tag("Code"), without.tag("Message")) == (
        "InvalidArgument",
        "POST requires exactly one file upload per request.",
    )
    fat, body = form({"key": "k" * 30_000}, b"x")
    assert ask(bucket.jar, "POST", "/jam", fat, body).tag("Code") == "MaxPostPreDataLengthExceeded"
