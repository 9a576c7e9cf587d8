"""After much garbage the server holds no more than before: no memory, no descriptors, no threads."""

from __future__ import annotations

import gc
import random
import re
import socket
import threading

from cloudjar.kit import filters
from cloudjar.spec import models, patterns
from tests.calls import Line, minimal, signed, write
from tests.crash.server import until
from tests.fuzz.corpus import BODIES, HEADS
from tests.fuzz.nasty import mangle
from tests.fuzz.test_bytes import exchange
from tests.fuzz.world import World, memory, open_files

WARM_UP, ROUNDS = 300, 1500
ALLOWED_BYTES = 24 << 20


def pour(port: int, line: Line, draw: random.Random, amount: int) -> None:
    """Garbage of every kind."""
    names = [("ec2", "DescribeVpcs"), ("iam", "CreateUser"), ("sts", "AssumeRole"), ("cloudtrail", "LookupEvents")]
    for _ in range(amount):
        service, operation = draw.choice(names)
        shape = models.service(service).operations[operation].input
        request = mangle(draw, write(service, operation, minimal(shape)))
        if draw.random() < 0.2:
            request = request._replace(body=draw.choice(BODIES))
        line.send(signed(request, service))
        if draw.random() < 0.05:
            exchange(port, draw.choice(HEADS))


def test_garbage_leaves_nothing(fuzzed: World, line: Line) -> None:
    port, draw = fuzzed.jar.port, random.Random(7)
    pour(port, line, draw, WARM_UP)
    gc.collect()
    files, threads, before = open_files(), threading.active_count(), memory()
    pour(port, line, draw, ROUNDS)
    assert memory() - before < ALLOWED_BYTES
    assert open_files() <= files + 2
    assert threading.active_count() <= threads


def test_clients_that_vanish_leave_nothing(fuzzed: World, line: Line) -> None:
    port = fuzzed.jar.port
    request = signed(write("ec2", "DescribeVpcs", {}), "ec2")
    head = f"{request.method} {request.target} HTTP/1.1\r\n" + "".join(
        f"{k}: {v}\r\n" for k, v in request.headers.items()
    )
    raw = f"{head}Content-Length: {len(request.body)}\r\n\r\n".encode() + request.body
    line.send(request)
    files = open_files()
    for cut in range(0, len(raw), 7):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(raw[:cut])
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not an end
    assert line.send(request).status == 200
    until(lambda: open_files() <= files + 2, "the connections to be closed")


def test_no_filter_keeps_the_server_busy(fuzzed: World) -> None:
    jar = fuzzed.jar
    ec2 = jar.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "long", "Value": "a" * 255}])
    for value in ("*a" * 60 + "b", "?*" * 60 + "b", "*" * 200 + "b", "a*" * 120 + "b*"):
        assert ec2.describe_vpcs(Filters=[{"Name": "tag:long", "Values": [value]}])["Vpcs"] == []
    assert ec2.describe_vpcs(Filters=[{"Name": "tag:long", "Values": ["*a" * 60 + "*"]}])["Vpcs"] != []


def test_filters_agree_with_the_plain_meaning_of_wildcards() -> None:
    draw = random.Random(3)

    class Item:
        tags: dict[str, str] = {}

    for _ in range(3000):
        pattern = "".join(draw.choice("ab*?\\") for _ in range(draw.randint(1, 8)))
        item = Item()
        item.tags = {"x": "".join(draw.choice("ab*\\\n") for _ in range(draw.randint(0, 8)))}
        found = filters.apply([{"Name": "tag:x", "Values": [pattern]}], {}, [item])
        assert bool(found) == bool(re.fullmatch(_plain(pattern), item.tags["x"], re.DOTALL)), (pattern, item.tags)


def _plain(pattern: str) -> str:
    """The regular expression that a pattern means, however slow."""
    out, at = "", 0
    while at < len(pattern):
        c = pattern[at]
        if c == "\\":
            at += 1
            out += re.escape(pattern[at : at + 1])
        else:
            out += {"*": ".*", "?": "."}.get(c) or re.escape(c)
        at += 1
    return out


def test_no_pattern_of_the_models_keeps_the_server_busy() -> None:
    """Each is tried on texts that make careless expressions backtrack."""
    tried = 0
    for service in ("ec2", "iam", "sts", "ssm", "cloudtrail", "service-quotas"):
        model = models.service(service)
        for name in model.shape_names():
            pattern = model.shape(name).pattern
            test = patterns.matcher(pattern) if pattern else None
            if test is None:
                continue
            tried += 1
            for text in (
                "a" * 2000 + "!",
                "a-" * 1000 + "!",
                "0" * 2000 + "\n",
                "arn:aws:" * 200 + "!",
                "/a" * 900 + "\x00",
            ):
                test(text)
    assert tried > 30
