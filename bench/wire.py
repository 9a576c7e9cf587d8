"""How long the wire takes: `python bench/wire.py`. Times are the best of five."""

from __future__ import annotations

import subprocess
import sys
import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cloudjar.kit.validate import validator
from cloudjar.spec.models import OperationModel, Shape, service
from cloudjar.wire.codec import View, codec
from cloudjar.wire.message import Request
from cloudjar.wire.route import detect

AUTH = "AWS4-HMAC-SHA256 Credential=test/20260115/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
FORM = "application/x-www-form-urlencoded; charset=utf-8"


def show(label: str, call: Callable[[], object], number: int = 20000) -> None:
    best = min(timeit.repeat(call, number=number, repeat=5)) / number
    text = f"{best * 1e6:9.2f} us" if best < 1e-3 else f"{best * 1e3:9.2f} ms"
    print(f"{label:<52}{text}")


def request(name: str, body: bytes, headers: dict[str, str] | None = None) -> Request:
    base = {"authorization": AUTH.format(name), "content-type": FORM, "host": "localhost:4566"}
    return Request("POST", "/", "", {**base, **(headers or {})}, body)


def sample(shape: Shape, depth: int = 0) -> Any:
    """A plausible value; recursion and breadth are kept small."""
    if shape.type == "structure":
        return {n: sample(m, depth + 1) for n, m in list(shape.members.items())[:45] if depth < 4}
    if shape.type == "list":
        return [sample(shape.member, depth + 1)]
    if shape.type == "map":
        return {"key": sample(shape.value, depth + 1)}
    simple = {"integer": 3, "long": 3, "boolean": True, "timestamp": datetime(2026, 1, 15, tzinfo=UTC), "double": 1.0}
    return simple.get(shape.type, "i-0123456789abcdef0")


def operation(name: str, op: str) -> OperationModel:
    return service(name).operations[op]


def small() -> None:
    """The requests that the server answers most."""
    sts = operation("sts", "GetCallerIdentity")
    whoami = request("sts", b"Action=GetCallerIdentity&Version=2011-06-15")
    made = codec(sts, "query")
    answer = {"UserId": "AIDA", "Account": "000000000000", "Arn": "arn:aws:iam::000000000000:user/x"}
    show("route  sts:GetCallerIdentity", lambda: detect(whoami))
    show("parse  sts:GetCallerIdentity", lambda: made.parse(whoami, {}))
    show("answer sts:GetCallerIdentity", lambda: made.respond(answer, "rid"))
    user = operation("iam", "CreateUser")
    body = request(
        "iam", b"Action=CreateUser&Version=2010-05-08&UserName=bob&Tags.member.1.Key=a&Tags.member.1.Value=b"
    )
    parsed = codec(user, "query").parse(body, {})
    check = validator(user)
    show("parse  iam:CreateUser with a tag", lambda: codec(user, "query").parse(body, {}))
    show("check  iam:CreateUser with a tag", lambda: check(parsed))
    send = operation("sqs", "SendMessage")
    wire = codec(send, "json")
    message = request(
        "sqs",
        b'{"QueueUrl":"http://localhost:4566/000000000000/q","MessageBody":"hello"}',
        {"x-amz-target": "AmazonSQS.SendMessage", "content-type": "application/x-amz-json-1.0"},
    )
    show("route  sqs:SendMessage (json)", lambda: detect(message))
    show("parse  sqs:SendMessage (json)", lambda: wire.parse(message, {}))
    show("answer sqs:SendMessage (json)", lambda: wire.respond({"MessageId": "m", "MD5OfMessageBody": "x"}, "rid"))
    head = {"authorization": AUTH.format("s3"), "host": "localhost:4566"}
    get = Request("GET", "/bucket/some/key.txt", "", head)
    show("route  s3:GetObject", lambda: detect(get))
    s3 = codec(operation("s3", "GetObject"), "rest-xml")
    show("parse  s3:GetObject", lambda: s3.parse(get, {"Bucket": "bucket", "Key": "some/key.txt"}))


def large() -> None:
    """A thousand instances."""
    op = operation("ec2", "DescribeInstances")
    assert op.output is not None
    instance = op.output.members["Reservations"].member.members["Instances"].member
    made = codec(op, "ec2")
    plain = [{"ReservationId": f"r-{i}", "Instances": [sample(instance)]} for i in range(1000)]
    views = [{"ReservationId": f"r-{i}", "Instances": [View(sample(instance))]} for i in range(1000)]
    size = len(made.respond({"Reservations": plain}, "rid").body)  # type: ignore[arg-type]  # bytes here
    print(f"DescribeInstances, 1000 instances of {len(plain[0]['Instances'][0])} members, {size / 1e6:.1f} MB")
    show("answer ec2:DescribeInstances, written", lambda: made.respond({"Reservations": plain}, "rid"), 3)
    show("answer ec2:DescribeInstances, views", lambda: made.respond({"Reservations": views}, "rid"), 20)


COLD = """
import time; t = time.perf_counter()
from cloudjar.wire.route import detect
from cloudjar.wire.codec import codec
from cloudjar.wire.message import Request
from cloudjar.spec.models import service
r = Request("POST", "/", "", {"authorization": %r, "content-type": %r}, b"Action=GetCallerIdentity&Version=2011-06-15")
route = detect(r)
made = codec(service(route.service).operations[route.operation], route.protocol)
made.parse(r, {}); made.respond({"Account": "000000000000"}, "rid")
print(f"{'cold: import, route, parse and answer one STS call':<52}{(time.perf_counter() - t) * 1e3:9.2f} ms")
"""


if __name__ == "__main__":
    small()
    large()
    sys.stdout.flush()
    subprocess.run([sys.executable, "-c", COLD % (AUTH.format("sts"), FORM)], check=True)
