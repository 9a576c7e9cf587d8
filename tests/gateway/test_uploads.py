"""Large uploads to a whole jar: refused by their headers, checked before they are recorded, nowhere kept in clear."""

from __future__ import annotations

import base64
import hashlib
import socket
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from cloudjar.auth.presign import Credentials, sign
from cloudjar.base.clock import SystemClock
from cloudjar.wire.message import Request
from tests.gateway.live import Answer, read_answer
from tests.jar import TestJar, running

CONTENT = (b"the quick brown fox jumps over the lazy dog " * 30_000)[: 1 << 20]
ROOT = Credentials("test", "test")
UNSIGNED = "UNSIGNED-PAYLOAD"


@pytest.fixture(scope="module")
def jar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestJar]:
    with running(tmp_path_factory.mktemp("uploads") / "home") as made:
        where = {"LocationConstraint": "eu-west-3"}
        made.client("s3").create_bucket(Bucket="uploads-here", CreateBucketConfiguration=where)
        yield made


@pytest.fixture
def client(jar: TestJar) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", jar.port), timeout=60) as connection:
        yield connection


def head(jar: TestJar, path: str, length: int | None, who: Credentials | None = ROOT, **headers: str) -> bytes:
    """A signed request's head; ``_`` in the names of headers stands for ``-``."""
    sent = {"host": f"127.0.0.1:{jar.port}", **{name.replace("_", "-"): text for name, text in headers.items()}}
    request = Request("PUT", path, "", sent)
    if who is not None:
        now = SystemClock().real()
        sign(request, who, "eu-west-3", "s3", now, payload=sent.get("x-amz-content-sha256", UNSIGNED))
    lines = "".join(f"{name}: {text}\r\n" for name, text in sent.items())
    framed = f"Content-Length: {length}\r\n" if length is not None else "Transfer-Encoding: chunked\r\n"
    return f"PUT {path} HTTP/1.1\r\n{lines}{framed}\r\n".encode()


def code(answer: Answer) -> tuple[int, str]:
    """Status and error code."""
    return answer.status, answer.body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()


def arriving(jar: TestJar) -> list[str]:
    return jar.jar.blobs.files.arrivals()


def stored(jar: TestJar) -> list[str]:
    return [item["Key"] for item in jar.client("s3").list_objects_v2(Bucket="uploads-here").get("Contents", ())]


@pytest.mark.parametrize(
    ("path", "who", "headers", "length", "said"),
    [
        ("/uploads-here/a", Credentials("test", "wrong"), {}, 9_000_000, (403, "SignatureDoesNotMatch")),
        ("/uploads-here/a", Credentials("AKIAIOSFODNN7EXAMPLE", "x"), {}, 9_000_000, (403, "InvalidAccessKeyId")),
        ("/uploads-here/a", None, {}, 9_000_000, (403, "AccessDenied")),
        ("/uploads-here/a", Credentials("222222222222", "test"), {}, 9_000_000, (403, "AccessDenied")),
        ("/nobody-has-this/a", ROOT, {}, 9_000_000, (404, "NoSuchBucket")),
        ("/uploads-here/a", ROOT, {}, (5 << 30) + 1, (400, "EntityTooLarge")),
        ("/uploads-here/a", ROOT, {}, None, (411, "MissingContentLength")),
        ("/uploads-here/a", ROOT, {"x_amz_content_sha256": "nonsense"}, 9_000_000, (400, "InvalidArgument")),
    ],
)
def test_it_is_refused_before_a_byte_of_it_is_read(
    jar: TestJar,
    client: socket.socket,
    path: str,
    who: Credentials | None,
    headers: dict[str, str],
    length: int | None,
    said: tuple[int, str],
) -> None:
    client.sendall(head(jar, path, length, who, expect="100-continue", **headers))
    assert code(read_answer(client)) == said
    assert arriving(jar) == []


def test_a_put_says_how_long_it_is_and_be_it_nothing(jar: TestJar, client: socket.socket) -> None:
    without = head(jar, "/uploads-here/none", 0).replace(b"Content-Length: 0\r\n", b"")
    client.sendall(without)
    assert code(read_answer(client)) == (411, "MissingContentLength")
    assert "none" not in stored(jar)
    client.sendall(head(jar, "/uploads-here/none", 0))
    assert read_answer(client).status == 200
    jar.client("s3").delete_object(Bucket="uploads-here", Key="none")


def test_who_may_is_told_to_go_on(jar: TestJar, client: socket.socket) -> None:
    client.sendall(head(jar, "/uploads-here/going on", len(CONTENT), expect="100-continue").replace(b"g on", b"g%20on"))
    assert read_answer(client).status == 100
    client.sendall(CONTENT)
    assert read_answer(client).headers["etag"] == f'"{hashlib.md5(CONTENT).hexdigest()}"'
    jar.client("s3").delete_object(Bucket="uploads-here", Key="going on")


def chunked(trailer: str) -> bytes:
    half = len(CONTENT) // 2
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (CONTENT[:half], CONTENT[half:]))
    return pieces + f"0\r\nx-amz-checksum-crc32:{trailer}\r\n\r\n".encode()


def test_a_checksum_that_follows_the_body_is_checked_before_anything_is_recorded(jar: TestJar) -> None:
    right = base64.b64encode(zlib.crc32(CONTENT).to_bytes(4, "big")).decode()
    for trailer, said in ((right, (200, "")), ("AAAAAA==", (400, "BadDigest"))):
        with socket.create_connection(("127.0.0.1", jar.port), timeout=60) as client:
            body = chunked(trailer)
            marks: dict[str, Any] = {
                "x_amz_content_sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                "x_amz_decoded_content_length": str(len(CONTENT)),
                "x_amz_trailer": "x-amz-checksum-crc32",
                "content_encoding": "aws-chunked",
            }
            client.sendall(head(jar, f"/uploads-here/{said[0]}", len(body), ROOT, **marks) + body)
            assert code(read_answer(client)) == said
    assert stored(jar) == ["200"]
    jar.client("s3").delete_object(Bucket="uploads-here", Key="200")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"x_amz_content_sha256": hashlib.sha256(b"other").hexdigest()}, (400, "XAmzContentSHA256Mismatch")),
        ({"content_md5": base64.b64encode(hashlib.md5(b"other").digest()).decode()}, (400, "BadDigest")),
        ({"x_amz_checksum_crc32": "AAAAAA=="}, (400, "BadDigest")),
    ],
)
def test_a_body_that_is_not_what_was_promised_is_not_kept(
    jar: TestJar, client: socket.socket, headers: dict[str, str], said: tuple[int, str]
) -> None:
    client.sendall(head(jar, "/uploads-here/b", len(CONTENT), ROOT, **headers) + CONTENT)
    assert code(read_answer(client)) == said
    assert stored(jar) == []


def test_nothing_of_it_is_ever_in_clear_on_disk(jar: TestJar) -> None:
    s3 = jar.client("s3")
    s3.put_object(Bucket="uploads-here", Key="secret", Body=CONTENT)
    s3.put_object(Bucket="uploads-here", Key="small secret", Body=CONTENT[:2000])
    assert s3.get_object(Bucket="uploads-here", Key="secret", Range="bytes=700000-700009")["Body"].read() == CONTENT[
        700000:700010
    ]
    needle = b"quick brown fox"
    found = [path for path in jar.home.rglob("*") if path.is_file() and needle in path.read_bytes()]
    assert found == []
    for key in ("secret", "small secret"):
        s3.delete_object(Bucket="uploads-here", Key=key)


def test_rot_on_disk_is_an_error_to_the_reader(jar: TestJar) -> None:
    s3 = jar.client("s3")
    s3.put_object(Bucket="uploads-here", Key="rot", Body=CONTENT)
    [(file, _)] = jar.jar.blobs.counts()
    place = jar.jar.blobs.files.place(file)
    whole = bytearray(place.read_bytes())
    whole[100] ^= 1
    place.write_bytes(whole)
    with pytest.raises(s3.exceptions.ClientError) as error:
        s3.get_object(Bucket="uploads-here", Key="rot")
    assert error.value.response["Error"]["Code"] == "InternalError"
    s3.delete_object(Bucket="uploads-here", Key="rot")
