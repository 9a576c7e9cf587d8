"""Bytes: two requests in one, one body that is two, chunks that were not signed, types that lie."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from cloudjar.auth.presign import Credentials, sign
from cloudjar.wire.message import Request
from tests.attacks.conftest import REGION, WHO_AM_I, Scene, lines, now, signed, status_of
from tests.calls import ROOT, Sent, write
from tests.calls import signed as signed_as_model

SECOND = b"GET /_cloudjar/health HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
SMUGGLED: dict[str, bytes] = {
    "a length and chunks": POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunks and a length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + SECOND,
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + SECOND,
    "two lengths in one": POST + b"Content-Length: 0, 5\r\n\r\n" + SECOND,
    "a length with a sign": POST + b"Content-Length: +0\r\n\r\n" + SECOND,
    "a length in hexadecimal": POST + b"Content-Length: 0x0\r\n\r\n" + SECOND,
    "a length in other digits": POST + b"Content-Length: \xb2\r\n\r\n" + SECOND,
    "a negative length": POST + b"Content-Length: -1\r\n\r\n" + SECOND,
    "an empty length": POST + b"Content-Length: \r\n\r\n" + SECOND,
    "a length with an underscore": POST + b"Content-Length: 1_0\r\n\r\n" + SECOND,
    "an encoding that is none": POST + b"Transfer-Encoding: xchunked\r\n\r\n" + SECOND,
    "an encoding before chunks": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunks twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunks in two lines": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n" + SECOND,
    "chunks behind a tab": POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + SECOND,
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "a folded header": POST + b"X: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "a bare line feed": POST + b"X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "a bare carriage return": POST + b"X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "a null in a header": POST + b"X: a\0b\r\nContent-Length: 0\r\n\r\n" + SECOND,
    "a chunk's size that overflows": POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n" + SECOND,
    "a chunk's size with a sign": POST + b"Transfer-Encoding: chunked\r\n\r\n-0\r\n\r\n" + SECOND,
    "a chunk's size in hexadecimal's notation": POST + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + SECOND,
    "a chunk that is longer than it says": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n" + SECOND,
    "a chunk's end without a carriage return": POST + b"Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n" + SECOND,
    "two hosts": POST + b"Host: other\r\nContent-Length: 0\r\n\r\n" + SECOND,
    "no host": b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n" + SECOND,
    "a version that is none": b"POST / HTTP/1.1x\r\nHost: x\r\nContent-Length: 0\r\n\r\n" + SECOND,
    "a request within the target": b"POST /\rGET HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" + SECOND,
}


@pytest.mark.parametrize("data", SMUGGLED.values(), ids=SMUGGLED.keys())
def test_a_request_within_a_request(scene: Scene, data: bytes) -> None:
    """What two readers could cut differently is refused, and nothing after it on that connection is read."""
    answer = scene.raw(data)
    assert 400 <= status_of(answer) < 600, answer
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert b'"available"' not in answer  # health was not answered


def test_the_second_request_of_an_honest_connection_is_answered(scene: Scene) -> None:
    """The control of the above."""
    answer = scene.raw(b"GET /_cloudjar/health HTTP/1.1\r\nHost: x\r\n\r\n" + SECOND)
    assert answer.count(b'"available"') >= 2


# Types -----------------------------------------------------------------------------------------------------

TYPES = ("application/x-amz-json-1.1", "application/x-amz-json-1.0", "application/cbor", "text/plain", "", "text/xml",
         "multipart/form-data; boundary=a", "application/x-www-form-urlencoded; charset=utf-7")  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
def test_a_body_under_another_type(scene: Scene, kind: str) -> None:
    """Whatever type an honestly signed body claims, it is never read as a call that its signer may not make."""
    body = write("iam", "ListUsers", {}).body
    request = Request("POST", "/", "", {"host": "127.0.0.1", "content-type": kind}, body)
    sign(request, scene.mallory, REGION, "iam", now())
    answer = scene.send(Sent("POST", "/", request.headers, body))
    assert 400 <= answer.status < 500, answer
    assert b"UserName>" not in answer.body


def test_a_type_changed_on_the_way(scene: Scene) -> None:
    """The type is not in every signature; without it the body is still that of a JSON call, or nothing."""
    params = {"Action": "CreateUser", "UserName": "smuggled", "Version": "2010-05-08"}
    for service, operation in (("ssm", "DescribeParameters"), ("service-quotas", "ListServices")):
        sent = signed_as_model(write(service, operation, {}), service, ROOT)
        form = "&".join(f"{k}={v}" for k, v in params.items()).encode()
        changed = {**sent.headers, "content-type": "application/x-www-form-urlencoded"}
        assert scene.send(sent._replace(headers=changed)).status in (200, 400, 403)
        assert scene.send(sent._replace(headers=changed, body=form)).status in (400, 403)
    users = [u["UserName"] for u in scene.jar.client("iam").list_users()["Users"]]
    assert "smuggled" not in users


@pytest.mark.parametrize("form", [b"Action=GetCallerIdentity&Action=ListUsers&Version=2011-06-15",
                                  b"Action=ListUsers&Action=GetCallerIdentity&Version=2010-05-08"])  # fmt: skip
def test_two_actions_in_one_form(scene: Scene, form: bytes) -> None:
    """Routed, authorised and executed as the same one of the two, or refused."""
    for service in ("iam", "sts"):
        request = Request("POST", "/", "", {"host": "127.0.0.1", "content-type": "application/x-www-form-urlencoded"},
                          form)  # fmt: skip
        sign(request, scene.mallory, REGION, service, now())
        answer = scene.send(Sent("POST", "/", request.headers, form))
        assert b"<UserName>" not in answer.body, answer


def test_an_action_in_the_query_and_another_in_the_body(scene: Scene) -> None:
    sent = signed(scene.mallory, WHO_AM_I, service="sts", target="/?Action=ListUsers&Version=2010-05-08")
    answer = scene.send(sent)
    assert b"<UserName>" not in answer.body, answer


# Chunks ----------------------------------------------------------------------------------------------------


def chunked(who: Credentials, tamper: Callable[[bytes], bytes]) -> Sent:
    """An upload in signed chunks to S3, changed after it was signed."""
    import hmac

    from cloudjar.auth.sigv4 import signing_key

    moment = now()
    mark = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    headers = {"host": "127.0.0.1", "content-encoding": "aws-chunked", "x-amz-decoded-content-length": "5"}
    request = Request("PUT", "/box/key", "", headers, b"")
    seed = sign(request, who, REGION, "s3", moment, payload=mark)
    key, stamp, previous = signing_key(who.secret, seed.date, REGION, "s3"), seed.timestamp, seed.signature
    empty = hashlib.sha256(b"").hexdigest()
    body = b""
    for data in (b"hello", b""):
        digest = hashlib.sha256(data).hexdigest()
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{stamp}\n{seed.scope}\n{previous}\n{empty}\n{digest}"
        previous = hmac.digest(key, text.encode(), "sha256").hex()
        body += f"{len(data):x};chunk-signature={previous}\r\n".encode() + data + b"\r\n"
    return Sent("PUT", "/box/key", request.headers, tamper(body))


TAMPERED: dict[str, Callable[[bytes], bytes]] = {
    "other data": lambda body: body.replace(b"hello", b"jello"),
    "another signature": lambda body: body.replace(b"5;chunk-signature=", b"5;chunk-signature=0", 1)[:-1] + b"\n",
    "no signature": lambda body: body.replace(b";chunk-signature=", b";x=", 1),
    "without its last chunk": lambda body: body[: body.rindex(b"0;")],
    "a chunk twice": lambda body: body[: body.rindex(b"0;")] * 2 + body[body.rindex(b"0;") :],
    "something after the end": lambda body: body + b"more",
    "unsigned chunks": lambda _: b"5\r\nhello\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED.keys())
def test_an_upload_in_chunks_that_were_changed(scene: Scene, tamper: Callable[[bytes], bytes]) -> None:
    answer = scene.send(chunked(scene.alice, tamper))
    assert answer.status in (400, 403), answer
    assert scene.send(chunked(scene.alice, bytes)).status not in (400, 403)  # the control: taken in as it was signed


# What a proxy might add --------------------------------------------------------------------------------------


def test_header_names_in_other_letters_are_the_same_header(scene: Scene) -> None:
    """Two spellings of a signed header are a repeated header: joined, so the signature no longer holds."""
    sent = signed(scene.alice, WHO_AM_I, service="sts")
    answer = scene.raw(lines(sent, [*sent.headers.items(), ("X-AMZ-DATE", sent.headers["x-amz-date"])]))
    assert 400 <= status_of(answer) < 500
    spelled = [(name.upper(), f"  {value}\t ") for name, value in sent.headers.items()]
    assert status_of(scene.raw(lines(sent, spelled))) == 200  # letters and blanks around a value mean nothing
