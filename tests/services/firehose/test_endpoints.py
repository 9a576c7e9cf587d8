"""HTTP endpoints: what is posted over a real TLS connection, what counts as taken, retries and backups."""

from __future__ import annotations

import base64
import gzip
import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.jar import ACCOUNT, TestJar
from tests.services.firehose.streams import bucket, files, made, put, role, to

WAIT = 60


def certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "endpoint")])
    now = datetime.now(UTC)
    made_ = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / "endpoint.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*form) + made_.public_bytes(serialization.Encoding.PEM))
    return path


class Endpoint:
    """A server that keeps what is posted to it and answers as it is told."""

    def __init__(self, pem: Path) -> None:
        self.heard: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.status = 200
        self.came = threading.Condition()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                told = json.loads(body)
                said: dict[str, Any] = {"requestId": told["requestId"], "timestamp": 1}
                if endpoint.status != 200:
                    said["errorMessage"] = "not today"
                text = json.dumps(said).encode()
                self.send_response(endpoint.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
                with endpoint.came:
                    endpoint.heard.append((dict(self.headers.items()), told))
                    endpoint.came.notify_all()

            def log_message(self, *_: Any) -> None:
                return

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}/in?x=1"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def wait(self, count: int) -> None:
        """Until so many posts have come."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.heard) >= count, WAIT), self.heard

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(WAIT)


@pytest.fixture
def endpoint(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """An endpoint that the server trusts."""
    pem = certificate(tmp_path_factory.mktemp("tls"))
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    made_ = Endpoint(pem)
    yield made_
    made_.close()


def there(endpoint: Endpoint, **more: Any) -> dict[str, Any]:
    """The endpoint as a destination."""
    return {
        "HttpEndpointDestinationConfiguration": {
            "EndpointConfiguration": {"Url": endpoint.url, "Name": "mine", "AccessKey": "open sesame"},
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60},
            "S3Configuration": to(ErrorOutputPrefix="lost/"),
            **more,
        }
    }


def gone(jar: TestJar) -> None:
    """Until nothing waits any more."""
    done = threading.Event()

    def look() -> None:
        if jar.jar.database.query("SELECT count(*) FROM firehose_record") == [(0,)]:
            done.set()

    for _ in range(WAIT * 20):
        jar.settle()
        look()
        if done.wait(0.05):
            return
    raise AssertionError("something still waits")


def test_records_are_posted_as_the_protocol_says(steady_jar: TestJar, endpoint: Endpoint) -> None:
    jar = steady_jar
    role(jar)
    common = {"ContentEncoding": "GZIP", "CommonAttributes": [{"AttributeName": "team", "AttributeValue": "red"}]}
    s3 = bucket(jar)
    firehose = made(jar, **there(endpoint, RequestConfiguration=common, S3BackupMode="AllData"))
    put(firehose, b"one", b"two")
    jar.advance(seconds=60)
    endpoint.wait(1)
    [(headers, told)] = endpoint.heard
    assert [base64.b64decode(one["data"]) for one in told["records"]] == [b"one", b"two"]
    assert told["timestamp"] == int(jar.clock.now().timestamp() * 1000)
    assert headers["X-Amz-Firehose-Request-Id"] == told["requestId"]
    assert headers["X-Amz-Firehose-Protocol-Version"] == "1.0"
    assert headers["X-Amz-Firehose-Access-Key"] == "open sesame"
    assert headers["X-Amz-Firehose-Source-Arn"] == f"arn:aws:firehose:eu-west-3:{ACCOUNT}:deliverystream/d"
    assert json.loads(headers["X-Amz-Firehose-Common-Attributes"]) == {"commonAttributes": {"team": "red"}}
    gone(jar)
    assert list(files(s3).values()) == [b"onetwo"]
    [shown] = firehose.describe_delivery_stream(DeliveryStreamName="d")["DeliveryStreamDescription"]["Destinations"]
    assert shown["HttpEndpointDestinationDescription"]["EndpointConfiguration"] == {
        "Url": endpoint.url, "Name": "mine",
    }  # fmt: skip


def test_what_an_endpoint_does_not_take_is_tried_again(steady_jar: TestJar, endpoint: Endpoint) -> None:
    jar = steady_jar
    role(jar)
    s3, firehose = bucket(jar), made(jar, **there(endpoint, RetryOptions={"DurationInSeconds": 7200}))
    endpoint.status = 500
    put(firehose, b"one")
    jar.advance(seconds=60)
    endpoint.wait(1)
    endpoint.status = 200
    for _ in range(WAIT * 5):
        jar.settle()
        jar.advance(seconds=5)
        with endpoint.came:
            if endpoint.came.wait_for(lambda: len(endpoint.heard) > 1, 0.2):
                break
    endpoint.wait(2)
    gone(jar)
    assert endpoint.heard[1][1]["records"] == endpoint.heard[0][1]["records"]
    assert files(s3) == {}


def test_what_an_endpoint_never_takes_is_kept_in_the_bucket(steady_jar: TestJar, endpoint: Endpoint) -> None:
    jar = steady_jar
    role(jar)
    s3, firehose = bucket(jar), made(jar, **there(endpoint, RetryOptions={"DurationInSeconds": 0}))
    endpoint.status = 413
    put(firehose, b"one", b"two")
    jar.advance(seconds=60)
    endpoint.wait(1)
    gone(jar)
    [(key, body)] = files(s3).items()
    assert key.startswith("lost/http-endpoint-failed/2026/01/15/12/d-1-")
    lines = [json.loads(line) for line in body.splitlines()]
    assert [base64.b64decode(one["rawData"]) for one in lines] == [b"one", b"two"]
    assert (lines[0]["errorCode"], lines[0]["errorMessage"]) == ("HttpEndpoint.DestinationException", "not today")
    assert lines[0]["attemptsMade"] == 1
