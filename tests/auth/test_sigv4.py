"""Signature Version 4 against AWS's own vectors, against botocore's signers, and against forgers."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from botocore import auth as boto
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudjar.auth.presign import Credentials, presign, sign
from cloudjar.auth.sigv4 import (
    Signature,
    body_hash,
    canonical_path,
    canonical_request,
    parse,
    string_to_sign,
    verify,
    verify_payload,
)
from cloudjar.base.clock import SystemClock
from cloudjar.base.errors import AwsError
from cloudjar.wire.message import Request

SUITE = json.loads((Path(__file__).parent / "sigv4_vectors.json").read_text("utf-8"))["vectors"]
SUITE_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SUITE_NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
KEY = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
HEX = "0" * 64


def read_vector(text: str) -> Request:
    """A vector's request, as the server would hand it on; folded lines, which it refuses, are joined here."""
    head, _, body = text.partition("\n\n")
    first, *lines = head.rstrip("\n").split("\n")
    method, _, rest = first.partition(" ")
    target = rest.rpartition(" ")[0]
    headers: dict[str, str] = {}
    name = ""
    for line in lines:
        if line[0] == " ":
            headers[name] += " " + line.strip()
            continue
        raw, _, value = line.partition(":")
        name = raw.lower()
        headers[name] = f"{headers[name]},{value.strip()}" if name in headers else value.strip()
    path, _, query = target.partition("?")
    as_sent: Callable[[str], str] = lambda part: part.encode().decode("latin-1")  # noqa: E731 two uses, one line
    return Request(method, as_sent(path), as_sent(query), headers, body.encode())


@pytest.mark.parametrize("vector", SUITE, ids=[vector["name"] for vector in SUITE])
def test_awss_own_vectors(vector: dict[str, str]) -> None:
    request = read_vector(vector["request"])
    request.headers["authorization"] = vector["authorization"]
    if vector["name"] == "get-vanilla-with-session-token":  # whose request is the one before the signer adds the token
        request.headers["x-amz-security-token"] = vector["canonical"].split("x-amz-security-token:")[1].split("\n")[0]
    signature = parse(request)
    assert signature is not None
    canonical = canonical_request(request, signature, body_hash(request))
    assert canonical == vector["canonical"]
    assert string_to_sign(signature, canonical) == vector["string_to_sign"]
    verify(request, signature, SUITE_SECRET, SUITE_NOW, dialect="service")


def received(sent: Any) -> Request:
    """A request that botocore signed, as the server would hand it on."""
    prepared = sent.prepare()
    parts = urlsplit(prepared.url)
    headers = {name.lower(): _text(value) for name, value in prepared.headers.items()}
    headers.setdefault("host", parts.netloc)
    body = prepared.body or b""
    return Request(
        prepared.method, parts.path or "/", parts.query, headers, body.encode() if isinstance(body, str) else body
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def botocore_signs(signer: str, service: str, **kwargs: Any) -> AWSRequest:
    request = AWSRequest(**kwargs)
    credentials = BotoCredentials(KEY.key_id, KEY.secret, kwargs.pop("token", None))
    getattr(boto, signer)(credentials, service, "eu-west-3").add_auth(request)
    return request


def check(request: Request, dialect: str, secret: str = KEY.secret, at: datetime | None = None) -> Signature:
    signature = parse(request, dialect)
    assert signature is not None
    verify(request, signature, secret, at or SystemClock().real(), dialect=dialect)
    return signature


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
values = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
segments = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
paths = st.lists(segments, max_size=5).map(lambda parts: "/" + quote("/".join(parts), safe="/-_.~"))
queries = st.lists(st.tuples(names, values), max_size=4).map(
    lambda pairs: "&".join(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in pairs)
)


@settings(max_examples=150, deadline=None)
@given(paths, queries, st.binary(max_size=64))
def test_botocores_signatures_hold(path: str, query: str, body: bytes) -> None:
    url = f"http://localhost:4566{path}" + (f"?{query}" if query else "")
    for signer, service in (("SigV4Auth", "lambda"), ("S3SigV4Auth", "s3")):
        request = received(
            botocore_signs(signer, service, method="PUT", url=url, data=body, headers={"X-Amz-Meta-A": "b  c"})
        )
        assert check(request, service).service == service


@settings(max_examples=80, deadline=None)
@given(paths, queries)
def test_botocores_presigned_urls_hold(path: str, query: str) -> None:
    url = f"http://localhost:4566{path}" + (f"?{query}" if query else "")
    for signer, service in (("SigV4QueryAuth", "sts"), ("S3SigV4QueryAuth", "s3")):
        if signer == "SigV4QueryAuth" and len(query.split("&")) != len({p.partition("=")[0] for p in query.split("&")}):
            continue  # botocore folds repeated parameters of a query it presigns
        request = received(botocore_signs(signer, service, method="GET", url=url))
        assert check(request, service).expires == 3600


@settings(max_examples=80, deadline=None)
@given(paths, queries, st.sampled_from(["s3", "execute-api"]))
def test_our_own_signatures_hold_and_any_change_breaks_them(path: str, query: str, service: str) -> None:
    request = Request("POST", path, query, {"host": "localhost", "x-amz-target": "a"}, b"body")
    sign(request, KEY, "us-east-1", service, NOW)
    check(request, service, at=NOW)
    forged: list[Callable[[], None]] = [
        lambda: setattr(request, "method", "GET"),
        lambda: setattr(request, "path", path + "x"),
        lambda: setattr(request, "query", "more=1&" + query),
        lambda: request.headers.update({"host": "elsewhere"}),
        lambda: request.headers.update({"x-amz-target": "b"}),
        lambda: setattr(request, "body", b"Body"),
    ]
    before = (request.method, request.path, request.query, dict(request.headers), request.body)
    for forge in forged:
        request.method, request.path, request.query, request.headers, request.body = (
            *before[:3],
            dict(before[3]),
            before[4],
        )
        forge()
        with pytest.raises(AwsError) as refused:
            check(request, service, at=NOW)
        assert refused.value.code in ("SignatureDoesNotMatch", "InvalidSignatureException", "XAmzContentSHA256Mismatch")


def test_a_repeated_parameter_is_sorted_by_its_value() -> None:
    request = Request("GET", "/", "b=2&a=&b=1&B=0", {"host": "h"})
    signature = sign(request, KEY, "r", "iam", NOW)
    assert canonical_request(request, signature, HEX).split("\n")[2] == "B=0&a=&b=1&b=2"


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("/", "/"),
        ("", "/"),
        ("//a//b/", "/a/b/"),
        ("/a/../..", "/"),
        ("/a/./b/.", "/a/b"),
        ("/a%20b", "/a%2520b"),
        ("/a:b", "/a%3Ab"),
    ],
)
def test_paths_are_normalised_and_encoded_again(path: str, canonical: str) -> None:
    assert canonical_path(path) == canonical


def signed(service: str = "iam", **headers: str) -> Request:
    request = Request("POST", "/", "", {"host": "localhost:4566", **headers}, b"Action=ListUsers")
    sign(request, KEY, "us-east-1", service, NOW)
    return request


def refusal(request: Request, dialect: str, secret: str = KEY.secret, at: datetime = NOW) -> AwsError:
    with pytest.raises(AwsError) as refused:
        check(request, dialect, secret, at)
    return refused.value


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [
        ("iam", "SignatureDoesNotMatch", 403),
        ("ec2", "AuthFailure", 401),
        ("s3", "SignatureDoesNotMatch", 403),
        ("dynamodb", "InvalidSignatureException", 400),
        ("lambda", "InvalidSignatureException", 403),
    ],
)
def test_a_wrong_secret(service: str, code: str, status: int) -> None:
    error = refusal(signed(service), service, secret="other")
    assert (error.code, error.status) == (code, status)
    if service == "s3":
        assert error.members["AWSAccessKeyId"] == KEY.key_id
        assert error.members["CanonicalRequest"].startswith("POST\n/\n")
        assert bytes.fromhex(error.members["StringToSignBytes"]).decode() == error.members["StringToSign"]
    elif service == "iam":
        assert "The Canonical String for this request should have been\n'POST\n/\n\n" in error.message


@pytest.mark.parametrize("minutes", [16, -16])
def test_clocks_that_disagree(minutes: int) -> None:
    later = NOW + timedelta(minutes=minutes)
    s3 = refusal(signed("s3"), "s3", at=later)
    assert (s3.code, s3.status, s3.members["MaxAllowedSkewMilliseconds"]) == ("RequestTimeTooSkewed", 403, "900000")
    assert refusal(signed("ec2"), "ec2", at=later).code == "RequestExpired"
    iam = refusal(signed(), "iam", at=later)
    assert iam.code == "SignatureDoesNotMatch"
    assert iam.message == (
        "Signature expired: 20260115T120000Z is now earlier than 20260115T120100Z (20260115T121600Z - 15 min.)"
        if minutes > 0
        else "Signature not yet current: 20260115T120000Z is still later than 20260115T115900Z "
        "(20260115T114400Z + 15 min.)"
    )


def test_within_fifteen_minutes_clocks_may_disagree() -> None:
    assert check(signed(), "iam", at=NOW + timedelta(minutes=15)).key_id == KEY.key_id
    assert check(signed(), "iam", at=NOW - timedelta(minutes=15)).key_id == KEY.key_id


def test_what_must_be_signed() -> None:
    request = signed()
    request.headers["x-amz-target"] = "added"
    assert "'x-amz-target' must be a 'SignedHeader'" in refusal(request, "iam").message
    request = signed("s3")
    request.headers["x-amz-acl"] = "public-read"
    error = refusal(request, "s3")
    assert (error.code, error.members["HeadersNotSigned"]) == ("AccessDenied", "x-amz-acl")
    request = signed()
    request.headers["authorization"] = request.headers["authorization"].replace("host;", "")
    assert refusal(request, "iam").message.startswith("'Host' or ':authority' must be a 'SignedHeader'")


def test_the_body_is_always_checked_outside_s3() -> None:
    request = Request("POST", "/", "", {"host": "h"}, b"body")
    sign(request, KEY, "us-east-1", "polly", NOW, payload="UNSIGNED-PAYLOAD")
    assert refusal(request, "polly").code == "InvalidSignatureException"
    signature = parse(request)
    assert signature is not None
    verify(request, signature, KEY.secret, NOW, dialect="polly", unsigned_body=True)
    request = signed("s3")
    request.body = b"other"
    error = refusal(request, "s3")
    assert (error.code, error.status) == ("XAmzContentSHA256Mismatch", 400)


def test_the_head_alone_can_be_checked_when_it_declares_its_payload() -> None:
    request = signed("s3")
    body, request.body = request.body, b""
    signature = parse(request)
    assert signature is not None
    verify(request, signature, KEY.secret, NOW, dialect="s3", body_read=False)
    request.body = body
    verify_payload(request, "s3")
    request.body = b"other"
    with pytest.raises(AwsError, match="XAmzContentSHA256Mismatch"):
        verify_payload(request, "s3")


def test_a_chunked_body_that_nobody_checked_is_refused() -> None:
    request = Request("PUT", "/b/k", "", {"host": "h"}, b"1\r\na\r\n0\r\n\r\n")
    sign(request, KEY, "us-east-1", "s3", NOW, payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    assert refusal(request, "s3").code == "NotImplemented"
    request.decoded = True
    assert check(request, "s3", at=NOW).service == "s3"


def test_s3_wants_its_payload_header() -> None:
    request = signed("iam")
    assert refusal(request, "s3").message == "Missing required header for this request: x-amz-content-sha256"
    request = signed("s3")
    request.headers["x-amz-content-sha256"] = "nonsense"
    assert refusal(request, "s3").members["ArgumentValue"] == "nonsense"


def presigned(service: str, acl: str = "") -> Request:
    headers = {"x-amz-acl": acl} if acl else {}
    url = presign(
        "GET",
        "http://b.s3.localhost:4566/k%20ey?x=%2B",
        KEY,
        "us-east-1",
        service,
        NOW,
        expires=60,
        headers=headers,
    )
    parts = urlsplit(url)
    return Request("GET", parts.path, parts.query, {"host": parts.netloc, **headers})


def test_presigned_urls_live_as_long_as_they_say() -> None:
    assert check(presigned("s3"), "s3", at=NOW + timedelta(seconds=60)).expires == 60
    error = refusal(presigned("s3"), "s3", at=NOW + timedelta(seconds=61))
    assert (error.code, error.status, error.message) == ("AccessDenied", 403, "Request has expired")
    assert error.members["Expires"] == "2026-01-15T12:01:00Z"
    assert check(presigned("sts"), "sts", at=NOW + timedelta(minutes=14)).service == "sts"
    assert refusal(presigned("sts"), "sts", at=NOW + timedelta(minutes=16)).code == "SignatureDoesNotMatch"
    assert refusal(presigned("s3"), "s3", at=NOW - timedelta(minutes=20)).code == "AccessDenied"


def test_presigned_headers_must_be_sent_and_no_others() -> None:
    assert check(presigned("s3", acl="private"), "s3", at=NOW).signed_headers == "host;x-amz-acl"
    request = presigned("s3", acl="private")
    del request.headers["x-amz-acl"]
    assert refusal(request, "s3").code == "SignatureDoesNotMatch"
    request = presigned("s3")
    request.headers["x-amz-acl"] = "public-read"
    assert refusal(request, "s3").members["HeadersNotSigned"] == "x-amz-acl"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("X-Amz-Expires=60", "X-Amz-Expires=x", "X-Amz-Expires should be a number"),
        ("X-Amz-Expires=60", "X-Amz-Expires=-1", "X-Amz-Expires must be non-negative"),
        ("X-Amz-Expires=60", "X-Amz-Expires=604801", "must be less than 604800 seconds"),
        ("X-Amz-Expires=60", "", "Query-string authentication version 4 requires"),
        ("X-Amz-Date=20260115", "X-Amz-Date=20260116", "Invalid credential date"),
        ("X-Amz-Date=20260115T", "X-Amz-Date=", "ISO8601 Long Format"),
        ("%2Faws4_request", "", "mal-formed"),
        ("aws4_request", "aws5_request", "incorrect terminal"),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-MD5", "X-Amz-Algorithm only supports"),
        ("X-Amz-Date=", "X-Amz-Date=1&X-Amz-Date=", "more than once"),
    ],
)
def test_presigned_urls_that_cannot_be(old: str, new: str, message: str) -> None:
    request = presigned("s3")
    assert old in request.query
    request.query = request.query.replace(old, new)
    error = refusal(request, "s3")
    assert (error.code, error.status) == ("AuthorizationQueryParametersError", 400)
    assert message in error.message


MALFORMED = "AuthorizationHeaderMalformed"


def _header(scope: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential=a/{scope}, SignedHeaders=b, Signature=c"


@pytest.mark.parametrize(
    ("header", "s3", "iam"),
    [
        ("", "InvalidArgument", "IncompleteSignature"),
        ("Basic dTpw", "InvalidArgument", "IncompleteSignature"),
        ("AWS AKID:c2ln", "InvalidRequest", "IncompleteSignature"),
        ("AWS4-ECDSA-P256-SHA256 Credential=a", "NotImplemented", "NotImplemented"),
        ("AWS4-HMAC-SHA256", MALFORMED, "IncompleteSignature"),
        ("AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c", MALFORMED, "IncompleteSignature"),
        (_header("20260115/r/s/x"), MALFORMED, "SignatureDoesNotMatch"),
        (_header("20260114/r/s/aws4_request"), MALFORMED, "SignatureDoesNotMatch"),
    ],
)
def test_authorization_headers_that_cannot_be(header: str, s3: str, iam: str) -> None:
    request = Request("GET", "/", "", {"host": "h", "authorization": header, "x-amz-date": "20260115T120000Z"})
    assert refusal(request, "s3").code == s3
    assert refusal(request, "iam").code == iam


def test_all_that_is_missing_is_named() -> None:
    request = Request("GET", "/", "", {"host": "h", "authorization": "AWS4-HMAC-SHA256 Credential=x"})
    message = refusal(request, "iam").message
    assert message.startswith(
        "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. "
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
    )


def test_anonymous_and_twice_signed() -> None:
    assert parse(Request("GET", "/", "a=1", {"host": "h"})) is None
    request = presigned("s3")
    request.headers["authorization"] = signed("s3").headers["authorization"]
    assert refusal(request, "s3").code == "InvalidArgument"
    assert refusal(Request("GET", "/", "AWSAccessKeyId=a&Signature=b&Expires=1", {}), "s3").code == "InvalidRequest"


def test_a_date_header_serves_too() -> None:
    request = Request("GET", "/", "", {"host": "h", "date": "Thu, 15 Jan 2026 12:00:00 GMT"})
    sign(request, KEY, "r", "iam", NOW)
    signature = parse(request)
    assert signature is not None
    del request.headers["x-amz-date"]
    other = Signature(*signature[:4], "date;host", "", signature.timestamp)
    request.headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={other.key_id}/{other.scope},SignedHeaders=date;host,Signature={'0' * 64}"
    )
    assert "20260115T120000Z" in refusal(request, "iam").message


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["authorization", "x-amz-date", "date", "host", "x-amz-content-sha256"]),
        st.text(st.characters(max_codepoint=255)),
    ),
    st.text(st.characters(max_codepoint=255)),
)
def test_garbage_is_always_an_answer(headers: dict[str, str], query: str) -> None:
    if "authorization" in headers:
        headers["authorization"] = "AWS4-HMAC-SHA256 Credential=" + headers["authorization"]
    for request in (Request("GET", "/", "", headers), Request("GET", query, "X-Amz-Signature=&" + query, {})):
        with pytest.raises((AwsError, _Anonymous)):
            verify(request, parse(request, "s3") or _anonymous(), KEY.secret, NOW, dialect="s3")


class _Anonymous(Exception):
    pass


def _anonymous() -> Signature:
    raise _Anonymous
