"""What boto3 really sends, over a real socket, to a server that checks it as the pipeline does."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request as UrlRequest
from urllib.request import urlopen

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from cloudjar.auth import chunked, sigv4
from cloudjar.auth.presign import Credentials, sign
from cloudjar.base.clock import SystemClock
from cloudjar.base.errors import AwsError
from cloudjar.gateway.body import BodyPolicy
from cloudjar.gateway.tls import Authority
from cloudjar.wire.message import Request, Response
from tests.gateway.live import Live, live

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


class Store:
    """As much of S3 as it takes to see what arrived: objects by path."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.marks: list[str] = []
        self.kinds: list[str] = []
        self.clock = SystemClock()

    def on_headers(self, request: Request) -> BodyPolicy | None:
        signature = sigv4.parse(request, "s3")
        if signature is None:
            raise AwsError("AccessDenied", "Access Denied", 403)
        if not sigv4.declares_payload(request, signature, signature.service):
            return None
        dialect = signature.service
        sigv4.verify(request, signature, SECRET, self.clock.real(), dialect=dialect, body_read=False)
        if chunked.is_chunked(request):
            return BodyPolicy(decoder=chunked.decoder(request, chunked.seed(signature, SECRET)))
        return None

    def __call__(self, request: Request) -> Response:
        signature = sigv4.parse(request, "s3")
        if signature is None:
            raise AwsError("AccessDenied", "Access Denied", 403)
        sigv4.verify(request, signature, SECRET, self.clock.real(), dialect=signature.service)
        if signature.service == "sts":
            return Response(200, [("Content-Type", "text/xml")], _CALLER)
        if request.method == "GET":
            return Response(200, [], self.objects[request.path])
        body = request.body
        self.objects[request.path] = body if isinstance(body, bytes) else b"".join(body.chunks())
        self.marks.append(request.headers.get("x-amz-content-sha256", ""))
        self.kinds.append(type(body).__name__)
        return Response(200, [("ETag", '"etag"')])


_CALLER = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Account>000000000000</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def server(store: Store, tmp_path: Path) -> Iterator[Live]:
    authority = Authority(tmp_path / "tls")
    with live(store, on_headers=store.on_headers, folder=tmp_path, tls=authority.context) as running:
        yield running


def client(server: Live, service: str, secret: str = SECRET, tls: Path | None = None, **config: Any) -> Any:
    return boto3.client(
        service,
        endpoint_url=f"http{'s' if tls else ''}://127.0.0.1:{server.port}",
        region_name="eu-west-3",
        aws_access_key_id=KEY,
        aws_secret_access_key=secret,
        verify=str(tls) if tls else None,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, **config),
    )


def test_a_query_service(server: Live) -> None:
    assert client(server, "sts").get_caller_identity()["Account"] == "000000000000"
    with pytest.raises(ClientError) as refused:
        client(server, "sts", secret="wrong").get_caller_identity()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
@pytest.mark.parametrize("size", [0, 11, 3_000_000])
def test_streamed_uploads_with_trailing_checksums(
    server: Live, store: Store, tmp_path: Path, algorithm: str, size: int
) -> None:
    body = os.urandom(size)
    s3 = client(server, "s3", tls=tmp_path / "tls" / "ca.pem")
    Authority(tmp_path / "tls").context()
    s3.put_object(Bucket="b", Key="k", Body=io.BytesIO(body), ChecksumAlgorithm=algorithm)
    assert store.objects == {"/b/k": body}
    assert store.marks == ["STREAMING-UNSIGNED-PAYLOAD-TRAILER"]
    assert store.kinds == ["Spooled" if size > 1 << 20 else "bytes"]


def test_plain_http_uploads_odd_keys_and_metadata(server: Live, store: Store) -> None:
    s3 = client(server, "s3")
    for key in ("a b", "å/ü+(1)*~!'", "a//b", "./x/../y", "50%", "q?a=b&c", "trailing/"):
        s3.put_object(Bucket="b", Key=key, Body=b"x" * 10, Metadata={"k": "v  w"}, ContentType="text/plain")
        assert s3.get_object(Bucket="b", Key=key)["Body"].read() == b"x" * 10
    assert len(store.objects) == 7


def test_managed_transfers(server: Live, store: Store) -> None:
    body = os.urandom(2 << 20)
    s3 = client(server, "s3")
    s3.upload_fileobj(io.BytesIO(body), "b", "k", Config=TransferConfig(use_threads=False))
    assert store.objects["/b/k"] == body
    assert s3.get_object(Bucket="b", Key="k")["Body"].read() == body


def test_a_wrong_secret_is_refused_before_the_body(server: Live, store: Store) -> None:
    with pytest.raises(ClientError) as refused:
        client(server, "s3", secret="wrong").put_object(Bucket="b", Key="k", Body=io.BytesIO(b"x" * 5_000_000))
    assert refused.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    assert store.objects == {}


def test_presigned_urls(server: Live) -> None:
    s3 = client(server, "s3", signature_version="s3v4")
    put = s3.generate_presigned_url("put_object", {"Bucket": "b", "Key": "ü k"}, ExpiresIn=60)
    with urlopen(UrlRequest(put, b"presigned", {"Content-Type": ""}, method="PUT"), timeout=10) as answer:
        assert answer.status == 200
    get = s3.generate_presigned_url("get_object", {"Bucket": "b", "Key": "ü k"}, ExpiresIn=60)
    with urlopen(get, timeout=10) as answer:
        assert answer.read() == b"presigned"
    with pytest.raises(HTTPError, match="403") as error:
        urlopen(get.replace("%20k", "%20x"), timeout=10)
    error.value.close()


def test_signed_chunks(server: Live, store: Store) -> None:
    """As Java's SDK sends over plain HTTP: every chunk signed, and the trailer too."""
    plain = os.urandom(1_500_000)
    digest = hashlib.sha256(plain).digest()
    headers = {
        "host": f"127.0.0.1:{server.port}",
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(len(plain)),
        "x-amz-trailer": "x-amz-checksum-sha256",
    }
    request = Request("PUT", "/b/signed", "", headers)
    mark = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    signature = sign(request, Credentials(KEY, SECRET), "eu-west-3", "s3", SystemClock().real(), payload=mark)
    trailers = [("x-amz-checksum-sha256", base64.b64encode(digest).decode())]
    pieces = [plain[at : at + 65536] for at in range(0, len(plain), 65536)]
    body = b"".join(chunked.encode(pieces, chunked.seed(signature, SECRET), trailers))
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    head = f"PUT /b/signed HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    assert server.request(head + body).status == 200
    assert store.objects["/b/signed"] == plain
    store.objects.clear()
    forged = body[:70000] + bytes([body[70000] ^ 1]) + body[70001:]
    answer = server.exchange(head + forged)
    assert [one.status for one in answer] in ([403], [])
    assert store.objects == {}
