"""Bytes that are no request, or none of AWS's: refused in time, and the next client is served."""

from __future__ import annotations

import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudjar.app import SERVICES
from cloudjar.auth.presign import Credentials, presign
from cloudjar.base.clock import SystemClock
from cloudjar.spec import models
from tests.calls import ROOT, Answer, Line, Sent, minimal, signed, write
from tests.fuzz.corpus import BODIES, HEADS, TYPES
from tests.fuzz.world import World, assert_decent

DEADLINE = 30.0


def exchange(port: int, raw: bytes, *, half_close: bool = True) -> bytes:
    """Everything that comes back until the server closes; a server that hangs fails the test."""
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as client:
        back = b""
        try:
            client.sendall(raw)
            if half_close:
                client.shutdown(socket.SHUT_WR)
            while piece := client.recv(65536):
                back += piece
        except ConnectionError:
            pass  # it may hang up on what is no HTTP
        return back


def statuses(back: bytes) -> list[int]:
    """The status of each answer in what came back."""
    return [int(part[:3]) for part in back.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("raw", HEADS, ids=lambda raw: repr(raw[:40]))
def test_what_is_no_request(fuzzed: World, raw: bytes) -> None:
    port = fuzzed.jar.port
    found = statuses(exchange(port, raw))
    assert all(400 <= status < 500 or status in (204, 501, 505) for status in found), found
    assert statuses(exchange(port, b"GET /_cloudjar/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")) == [200]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=400),
    st.sampled_from(["POST", "GET", "PUT", "\u00e9"]),
    st.text(max_size=40),
    st.text(max_size=40),
)
def test_any_bytes_in_any_place(fuzzed: World, body: bytes, method: str, path: str, header: str) -> None:
    head = (
        f"{method} /{path} HTTP/1.1\r\nHost: {header}\r\nX-Amz-Target: {header}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    for status in statuses(exchange(fuzzed.jar.port, head.encode() + body)):
        assert 400 <= status < 500 or status in (200, 204, 501, 505), status


# -- signed, and wrong ---------------------------------------------------------------------------------------------


def is_answer(answer: Answer) -> bool:
    """A result or a refusal; never our own failure."""
    return answer.status == 200 or 400 <= answer.status < 500 or answer.status == 501


def first(service: str, protocol: str) -> Sent:
    """A service's first operation, with nothing in it but what its address needs."""
    operation = next(iter(models.service(service).operations.values()))
    members = operation.input.members if operation.input else {}
    needed = operation.input.required if operation.input else ()
    outside = {name: "nothing" for name in needed if members[name].location in ("uri", "header")}
    return write(service, operation.name, outside, protocol)


def targets() -> list[tuple[str, str, Sent]]:
    """(service, protocol, a request) for each way into each service that is built."""
    found = []
    for service in sorted(SERVICES):
        for protocol in models.service(service).protocols:
            found.append((service, protocol, first(service, protocol)))
    return found


@pytest.mark.parametrize(("service", "protocol", "request_"), targets(), ids=lambda value: str(value)[:24])
def test_signed_bodies_that_are_nothing(fuzzed: World, line: Line, service: str, protocol: str, request_: Sent) -> None:
    for number, body in enumerate(BODIES):
        for content_type in (request_.headers.get("content-type", ""), TYPES[number % len(TYPES)]):
            headers = {**request_.headers, "content-type": content_type}
            answer = line.send(signed(request_._replace(body=body, headers=headers), service))
            assert answer.status == 200 or 400 <= answer.status < 500 or answer.status == 501, (
                body[:80],
                content_type,
                answer,
            )
            if content_type == request_.headers.get("content-type") and body not in (
                b"",
                b"Action=",
                b"Action=&Version=",
            ):
                assert_family(answer, protocol)


def assert_family(answer: Answer, protocol: str) -> None:
    """The answer is in the words of the protocol that the request's headers named."""
    if protocol == "rest-json":
        assert answer.headers["content-type"] == "application/json", answer
    elif protocol == "json":
        assert answer.headers["content-type"].startswith("application/x-amz-json"), answer
    elif "cbor" in protocol:
        assert answer.headers["content-type"] == "application/cbor", answer
    else:
        assert answer.body.startswith(b"<"), answer


@settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data(), st.binary(max_size=300), st.sampled_from(targets()))
def test_any_signed_bytes(
    fuzzed: World, line: Line, data: st.DataObject, body: bytes, target: tuple[str, str, Sent]
) -> None:
    service, protocol, request = target
    if data.draw(st.booleans(), "inside"):
        body = request.body + b"&" + body
    answer = line.send(signed(request._replace(body=body), service))
    assert is_answer(answer), (protocol, body, answer)


def test_a_truncated_body_holds_nobody_up(fuzzed: World, line: Line) -> None:
    whole = signed(write("iam", "ListUsers", {}), "iam")
    head = f"{whole.method} {whole.target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in whole.headers.items())
    assert exchange(fuzzed.jar.port, f"{head}Content-Length: 5000\r\n\r\n".encode() + whole.body) == b""
    assert_decent(line.send(signed(write("iam", "ListUsers", {}), "iam")), "iam", "query", "after a truncated body")


def test_a_body_that_was_changed_on_the_way_is_refused(line: Line) -> None:
    for service in sorted(SERVICES):
        for protocol in models.service(service).protocols:
            request = signed(first(service, protocol), service)
            answer = line.send(request._replace(body=request.body + b" "))
            assert answer.status in (401, 403, 400), answer
            said = answer.body + answer.headers.get("x-amzn-errortype", "").encode()
            assert any(word in said for word in (b"Signature", b"AuthFailure", b"XAmzContentSHA256Mismatch")), answer


def test_presigned_garbage(fuzzed: World, line: Line) -> None:
    jar = fuzzed.jar
    now = SystemClock().real()
    for query in ("Action=GetCallerIdentity", "Action=Nothing&Version=x", "%ff=%00", "a" * 5000, ""):
        for credentials in (
            ROOT,
            Credentials("test", "wrong"),
            Credentials("AKIA" + "A" * 16, "x"),
            Credentials("t", "t", "tok"),
        ):
            url = presign("GET", f"{jar.endpoint}/?{query}", credentials, "us-east-1", "sts", now)
            path = url.removeprefix(jar.endpoint)
            answer = line.send(Sent("GET", path, {"host": f"127.0.0.1:{jar.port}"}, b""))
            assert is_answer(answer), (query, answer)
            assert answer.status != 200 or credentials == ROOT


def test_minimal_requests_under_every_wrong_signature(line: Line) -> None:
    """Signed for another service, another region, long ago, by nobody."""
    for service in sorted(SERVICES):
        operation = next(iter(models.service(service).operations))
        request = write(service, operation, minimal(models.service(service).operations[operation].input))
        another = "ec2" if service.startswith("s3") else "s3"
        wrong = [
            signed(request, another),
            signed(request, service, region="nowhere-1"), signed(request, service, region="é"),
            signed(request, service, Credentials("", "")),
            signed(request, service, Credentials("test", "test", "t" * 9000)),
        ]  # fmt: skip
        old = signed(request, service)
        wrong.append(old._replace(headers={**old.headers, "x-amz-date": "20200101T000000Z"}))
        for case in wrong:
            answer = line.send(case)
            assert 400 <= answer.status < 500, (case, answer)
