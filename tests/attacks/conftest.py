"""A jar with people in it: one who may everything, one who may nothing, one of another account."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest

from cloudjar.auth.presign import Credentials, sign
from cloudjar.base.clock import SystemClock
from cloudjar.wire.message import Request
from tests.calls import Answer, Line, Sent
from tests.jar import TestJar, running

REGION = "eu-west-3"
WHO_AM_I = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}
LIST_USERS = {"Action": "ListUsers", "Version": "2010-05-08"}
AWAY = Credentials("111111111111", "test")
"""The root user of another account."""
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def now() -> datetime:
    """The machine's time, by which signatures are judged."""
    return SystemClock().real()


class Scene(NamedTuple):
    """The jar, a connection, an administrator and somebody without any permission."""

    jar: TestJar
    line: Line
    alice: Credentials
    mallory: Credentials

    def user(self, name: str, *statements: dict[str, Any], **more: Any) -> Credentials:
        """A new user of the default account with a policy."""
        iam = self.jar.client("iam")
        iam.create_user(UserName=name, **more)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=document(*statements))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def role(self, name: str, trusted: Any, *statements: dict[str, Any]) -> str:
        """A new role; its ARN."""
        iam = self.jar.client("iam")
        trust = document({"Effect": "Allow", "Principal": trusted, "Action": ["sts:AssumeRole", "sts:TagSession"]})
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=document(*statements))
        return str(made["Role"]["Arn"])

    def session(self, role: str, who: Credentials, name: str = "session", **more: Any) -> Credentials:
        """Credentials of a role's session."""
        sts = self.jar.client("sts", key=who.key_id, secret=who.secret, token=who.token or None)
        got = sts.assume_role(RoleArn=role, RoleSessionName=name, **more)["Credentials"]
        return Credentials(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])

    def client(self, service: str, who: Credentials, region: str = REGION) -> Any:
        """boto3 as somebody."""
        return self.jar.client(service, region, who.key_id, who.secret, who.token or None)

    def send(self, sent: Sent) -> Answer:
        """A request exactly as it is."""
        return self.line.send(sent)

    def raw(self, data: bytes) -> bytes:
        """Bytes on a connection of their own; everything that is answered until the other side hangs up."""
        with socket.create_connection(("127.0.0.1", self.jar.port), 10) as link:
            link.sendall(data)
            link.shutdown(socket.SHUT_WR)
            pieces = []
            while piece := link.recv(65536):
                pieces.append(piece)
        return b"".join(pieces)


def document(*statements: dict[str, Any]) -> str:
    """A policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def signed(
    who: Credentials,
    params: dict[str, str] | None = None,
    *,
    service: str = "iam",
    region: str = REGION,
    method: str = "POST",
    target: str = "/",
    at: datetime | None = None,
    also: Mapping[str, str] | None = None,
    **headers: str,
) -> Sent:
    """A query-protocol request with a good signature."""
    body = urlencode(LIST_USERS if params is None else params).encode() if method == "POST" else b""
    form = {"content-type": "application/x-www-form-urlencoded"} if body else {}
    more = {**(also or {}), **{name.replace("_", "-"): value for name, value in headers.items()}}
    parts = urlsplit(target)
    request = Request(method, parts.path, parts.query, {"host": "127.0.0.1", **form, **more}, body)
    sign(request, who, region, service, at or now())
    return Sent(method, target, request.headers, body)


def ago(**time: float) -> datetime:
    """Some time before now."""
    return now() - timedelta(**time)


def lines(sent: Sent, headers: Sequence[tuple[str, str]]) -> bytes:
    """A request as bytes, with header lines exactly as given."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    length = f"Content-Length: {len(sent.body)}\r\nConnection: close\r\n"
    return f"{sent.method} {sent.target} HTTP/1.1\r\n{head}{length}\r\n".encode("latin-1") + sent.body


def status_of(answer: bytes) -> int:
    """The status of the first answer; 0 when there was none."""
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The jar under attack."""
    with running(tmp_path_factory.mktemp("attacks")) as jar:
        line = Line(jar.port)
        nobody = Credentials("", "")
        bare = Scene(jar, line, nobody, nobody)
        yield bare._replace(alice=bare.user("alice", EVERYTHING), mallory=bare.user("mallory"))
        line.close()
