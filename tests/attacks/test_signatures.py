"""What is signed is what is done: nothing may be added, changed, repeated or kept for later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote, urlsplit

import pytest

from cloudjar.auth.presign import presign
from tests.attacks.conftest import (
    LIST_USERS,
    REGION,
    WHO_AM_I,
    Scene,
    ago,
    lines,
    now,
    signed,
    status_of,
)
from tests.calls import Sent

Change = Callable[[Sent], Sent]


def headers(sent: Sent, **changed: str | None) -> Sent:
    """The request with headers replaced or (None) removed, its signature as it was."""
    merged = {**sent.headers, **{name.replace("_", "-"): value for name, value in changed.items()}}
    return sent._replace(headers={name: value for name, value in merged.items() if value is not None})


def scope(old: str, new: str) -> Change:
    """Another credential scope under the same signature."""
    return lambda sent: headers(sent, authorization=sent.headers["authorization"].replace(old, new, 1))


CHANGES: dict[str, Change] = {
    "another action in the body": lambda s: s._replace(body=s.body.replace(b"ListUsers", b"ListRoles")),
    "an action more in the body": lambda s: s._replace(body=s.body + b"&UserName=alice"),
    "a space at the end of the body": lambda s: s._replace(body=s.body + b" "),
    "a parameter in the query": lambda s: s._replace(target="/?MaxItems=1"),
    "an action in the query": lambda s: s._replace(target="/?Action=ListRoles"),
    "a parameter without a name": lambda s: s._replace(target="/?=1"),
    "a parameter without a value": lambda s: s._replace(target="/?a"),
    "an encoded plus": lambda s: s._replace(target="/?a=%2B"),
    "a semicolon in the query": lambda s: s._replace(target="/?a=1;Action=ListRoles"),
    "another path": lambda s: s._replace(target="/x"),
    "another method": lambda s: s._replace(method="PUT"),
    "another host": lambda s: headers(s, host="iam.us-gov-west-1.amazonaws.com"),
    "a host in other letters": lambda s: headers(s, host="127.0.0.1."),
    "another type of the body": lambda s: headers(s, content_type="application/json"),
    "a target on top": lambda s: headers(s, x_amz_target="AWSOrganizationsV20161128.ListAccounts"),
    "a token on top": lambda s: headers(s, x_amz_security_token="IQoJ"),
    "an unsigned header that AWS reads": lambda s: headers(s, x_amz_user_agent="x"),
    "another moment": lambda s: headers(s, x_amz_date=ago(minutes=3).strftime("%Y%m%dT%H%M%SZ")),
    "no moment": lambda s: headers(s, x_amz_date=None),
    "another moment in Date": lambda s: headers(s, x_amz_date=None, date="Thu, 15 Jan 2026 12:00:00 GMT"),
    "no host among the signed headers": lambda s: headers(
        s, authorization=s.headers["authorization"].replace(";host", "").replace("host;", "")),
    "no signed headers": lambda s: headers(
        s, authorization=s.headers["authorization"].partition("SignedHeaders=")[0]
        + "SignedHeaders=, Signature=" + "0" * 64),
    "a header signed that is not there": lambda s: headers(
        s, authorization=s.headers["authorization"].replace("host;", "host;x-amz-nothing;")),
    "a signature of zeros": lambda s: headers(s, authorization=s.headers["authorization"][:-64] + "0" * 64),
    "the signature in capitals": lambda s: headers(
        s, authorization=s.headers["authorization"][:-64] + s.headers["authorization"][-64:].upper() + "A"),
    "the signature cut short": lambda s: headers(s, authorization=s.headers["authorization"][:-2]),
    "no signature": lambda s: headers(s, authorization=None),
    "an empty Authorization": lambda s: headers(s, authorization=""),
    "Basic": lambda s: headers(s, authorization="Basic dGVzdDp0ZXN0"),
    "Signature Version 2": lambda s: headers(s, authorization="AWS test:frJIUN8DYpKDtOLCwo//yllqDzg="),
    "no algorithm at all": lambda s: headers(
        s, authorization=s.headers["authorization"].replace("AWS4-HMAC-SHA256", "NONE")),
    "the scope of another region": scope(f"/{REGION}/", "/us-east-1/"),
    "the scope of another service": scope("/iam/", "/sts/"),
    "the scope of another day": lambda s: headers(
        s, authorization=s.headers["authorization"].replace(f"/{now():%Y%m%d}/", "/20260101/", 1)),
    "another end of the scope": scope("/aws4_request", "/aws5_request"),
    "a body that is not the declared one": lambda s: headers(
        s, x_amz_content_sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    "a body declared as unsigned": lambda s: headers(s, x_amz_content_sha256="UNSIGNED-PAYLOAD"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_request_changed_after_it_was_signed(scene: Scene, change: Change) -> None:
    sent = signed(scene.alice)
    assert scene.send(sent).status == 200
    answer = scene.send(change(sent))
    assert 400 <= answer.status < 500, answer
    assert b"<UserName>" not in answer.body, answer


MARKS = ("UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
         "STREAMING-AWS4-HMAC-SHA256-EVENTS")  # fmt: skip


@pytest.mark.parametrize("mark", MARKS)
def test_a_body_that_was_honestly_not_signed(scene: Scene, mark: str) -> None:
    """The mark itself is signed: outside S3 it is still no signature of the body."""
    sent = signed(scene.alice, x_amz_content_sha256=mark)
    answer = scene.send(sent._replace(body=sent.body.replace(b"ListUsers", b"ListRoles")))
    assert 400 <= answer.status < 500, answer


@pytest.mark.parametrize(("service", "signing"), [("iam", "sts"), ("iam", "s3"), ("iam", "ec2"), ("sts", "iam")])
def test_a_good_signature_for_another_service(scene: Scene, service: str, signing: str) -> None:
    """Signed in earnest with a scope that is not the service's own; the host says which service is meant."""
    params = LIST_USERS if service == "iam" else WHO_AM_I
    sent = signed(scene.alice, params, service=signing, host=f"{service}.amazonaws.com")
    answer = scene.send(sent)
    assert 400 <= answer.status < 500, answer
    assert b"<UserName>" not in answer.body
    assert b"<Arn>" not in answer.body


@pytest.mark.parametrize("region", ["mars-1", "us-east-1a", "*", "eu-west-3/us-east-1", ".."])
def test_a_region_that_is_none(scene: Scene, region: str) -> None:
    assert 400 <= scene.send(signed(scene.alice, region=region)).status < 500


def test_the_region_of_the_scope_counts_and_no_other(scene: Scene) -> None:
    only = scene.user("parisian", {"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*",
                      "Condition": {"StringEquals": {"aws:RequestedRegion": REGION}}})  # fmt: skip
    ask = {"Action": "DescribeVpcs", "Version": "2016-11-15"}
    assert scene.send(signed(only, ask, service="ec2")).status == 200
    answer = scene.send(signed(only, ask, service="ec2", region="us-east-1", x_amz_region=REGION))
    assert (answer.status, b"UnauthorizedOperation" in answer.body) == (403, True)
    answer = scene.send(signed(only, ask, service="ec2", region="us-east-1", host=f"ec2.{REGION}.amazonaws.com"))
    assert answer.status in (401, 403), answer


@pytest.mark.parametrize("minutes", [16, 60, 60 * 24, -16, -60])
def test_a_replay_beyond_fifteen_minutes(scene: Scene, minutes: int) -> None:
    answer = scene.send(signed(scene.alice, at=ago(minutes=minutes)))
    assert (answer.status, b"SignatureDoesNotMatch" in answer.body) == (403, True), answer
    assert scene.send(signed(scene.alice, at=ago(minutes=14))).status == 200


# Twice ------------------------------------------------------------------------------------------------


def doubled(sent: Sent, name: str, *values: str, first: bool = False) -> bytes:
    """The request with more lines of one header."""
    extra = [(name, value) for value in values]
    own = list(sent.headers.items())
    return lines(sent, [*extra, *own] if first else [*own, *extra])


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(
    "name", ["Authorization", "X-Amz-Date", "Host", "X-Amz-Security-Token", "Content-Type", "X-Amz-Target"]
)
def test_a_header_twice(scene: Scene, name: str, first: bool) -> None:
    sent = signed(scene.mallory, WHO_AM_I, service="sts")
    other = signed(scene.alice, WHO_AM_I, service="sts", at=ago(minutes=2)).headers
    value = {**other, "host": "sts.amazonaws.com", "x-amz-security-token": "IQoJ", "x-amz-target": "X.Y",
             "content-type": "application/json"}[name.lower()]  # fmt: skip
    answer = scene.raw(doubled(sent, name, value, first=first))
    assert 400 <= status_of(answer) < 500, answer
    assert b":user/" not in answer.partition(b"\r\n\r\n")[2], answer


def test_header_and_query_both_sign(scene: Scene) -> None:
    url = presign("POST", "http://127.0.0.1/", scene.alice, REGION, "sts", now(), body=b"")
    sent = signed(scene.mallory, WHO_AM_I, service="sts")
    answer = scene.send(sent._replace(target="/?" + urlsplit(url).query))
    assert (answer.status, b"IncompleteSignature" in answer.body) == (400, True)


# Canonical forms ----------------------------------------------------------------------------------------

SPELLINGS: dict[str, tuple[str, str]] = {
    "an encoded slash": ("/a/b", "/a%2Fb"),
    "encoded twice": ("/a%20b", "/a%2520b"),
    "decoded once": ("/a%2520b", "/a%20b"),
    "dot segments away": ("/a/b", "/a/../b"),
    "an encoded dot segment": ("/a/b", "/a/%2e%2e/b"),
    "another letter case": ("/a", "/A"),
    "a backslash": ("/a/b", "/a\\b"),
    "a null byte": ("/a", "/a%00"),
    "a parameter": ("/a", "/a;x=1"),
    "a fragment's sign": ("/a", "/a%23b"),
    "query: encoded ampersand": ("/?a=1&b=2", "/?a=1%26b=2"),
    "query: encoded equals": ("/?a=1", "/?a%3D1"),
    "query: plus for an encoded plus": ("/?a=1%2B1", "/?a=1+1"),
    "query: the value elsewhere": ("/?a=b&c=d", "/?a=d&c=b"),
    "query: one more of the same": ("/?a=1", "/?a=1&a=1"),
    "query: a semicolon for an ampersand": ("/?a=1&b=2", "/?a=1;b=2"),
    "query: an empty name": ("/?a=1", "/?a=1&=2"),
    "query: another letter case": ("/?a=1", "/?A=1"),
    "query: a space at the end": ("/?a=1", "/?a=1%20"),
}


@pytest.mark.parametrize(("meant", "sent_as"), SPELLINGS.values(), ids=SPELLINGS.keys())
def test_another_spelling_under_the_same_signature(scene: Scene, meant: str, sent_as: str) -> None:
    """Signed for one target, sent to another that a careless canonicaliser takes for the same."""
    sent = signed(scene.alice, WHO_AM_I, service="sts", target=meant)
    answer = scene.send(sent._replace(target=sent_as))
    assert 400 <= answer.status < 500, answer
    assert b":user/" not in answer.body


# Presigned URLs -----------------------------------------------------------------------------------------


def url_of(scene: Scene) -> str:
    """Alice's presigned question who she is; its target."""
    base = "http://127.0.0.1/?Action=GetCallerIdentity&Version=2011-06-15"
    parts = urlsplit(presign("GET", base, scene.alice, REGION, "sts", now()))
    return f"{parts.path}?{parts.query}"


def get(target: str, method: str = "GET", **more: str) -> Sent:
    """A request without a header that signs it."""
    return Sent(method, target, {"host": "127.0.0.1", **more}, b"")


URLS: dict[str, Callable[[str], Sent]] = {
    "another method": lambda u: get(u, "POST"),
    "another host": lambda u: get(u, host="sts.us-east-1.amazonaws.com"),
    "another action": lambda u: get(u.replace("GetCallerIdentity", "GetSessionToken")),
    "a parameter more": lambda u: get(u + "&DurationSeconds=900"),
    "a parameter before": lambda u: get(u.replace("/?", "/?Action=GetSessionToken&")),
    "a longer life": lambda u: get(u.replace("X-Amz-Expires=3600", "X-Amz-Expires=604800")),
    "a second life": lambda u: get(u + "&X-Amz-Expires=604800"),
    "a life beyond a week": lambda u: get(u.replace("X-Amz-Expires=3600", "X-Amz-Expires=604801")),
    "a life without end": lambda u: get(u.replace("X-Amz-Expires=3600", "X-Amz-Expires=-1")),
    "another region": lambda u: get(u.replace(quote(f"/{REGION}/", safe=""), quote("/us-east-1/", safe=""))),
    "another service": lambda u: get(u.replace(quote("/sts/", safe=""), quote("/iam/", safe=""))),
    "another key": lambda u: get(u.replace("X-Amz-Credential=", "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F")),
    "two signatures": lambda u: get(u + "&X-Amz-Signature=" + "0" * 64),
    "no signature": lambda u: get(u.partition("&X-Amz-Signature")[0]),
    "an unsigned header that AWS reads": lambda u: get(u, **{"x-amz-target": "X.Y"}),
    "a token that was not signed": lambda u: get(u, **{"x-amz-security-token": "IQoJ"}),
    "fewer signed headers": lambda u: get(u.replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=")),
}


@pytest.mark.parametrize("forge", URLS.values(), ids=URLS.keys())
def test_a_presigned_url_for_something_else(scene: Scene, forge: Callable[[str], Sent]) -> None:
    good = url_of(scene)
    assert scene.send(get(good)).status == 200
    answer = scene.send(forge(good))
    assert 400 <= answer.status < 500, answer
    assert b":user/" not in answer.body


def test_a_presigned_url_after_its_time(scene: Scene) -> None:
    base = "http://127.0.0.1/?Action=GetCallerIdentity&Version=2011-06-15"
    for expires, age in ((1800, timedelta(minutes=31)), (60, timedelta(minutes=16)), (604_800, timedelta(days=8))):
        parts = urlsplit(presign("GET", base, scene.alice, REGION, "sts", now() - age, expires=expires))
        answer = scene.send(get(f"{parts.path}?{parts.query}"))
        assert (answer.status, b"SignatureDoesNotMatch" in answer.body) == (403, True), (expires, answer)
