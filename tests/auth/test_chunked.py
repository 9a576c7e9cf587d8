"""aws-chunked: what a client encodes is what is decoded, and nothing else is."""

from __future__ import annotations

import base64
import hashlib
import io
import zlib
from typing import Any

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum, CrtCrc32cChecksum, CrtCrc64NvmeChecksum
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudjar.auth import checksums
from cloudjar.auth.chunked import ChunkedDecoder, decoder, encode, is_chunked, seed
from cloudjar.auth.sigv4 import Signature
from cloudjar.base.errors import AwsError
from cloudjar.wire.message import Request

# The example that AWS's page on signed chunks works through: 66,560 bytes of "a" in chunks of 64 KiB.
EXAMPLE = Signature(
    "AKIAIOSFODNN7EXAMPLE",
    "20130524",
    "us-east-1",
    "s3",
    "",
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    "20130524T000000Z",
)
START = seed(EXAMPLE, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


def decode(body: bytes, machine: ChunkedDecoder, step: int = 1 << 20) -> bytes:
    out = b"".join(machine.feed(body[at : at + step]) for at in range(0, len(body), step))
    machine.finish()
    return out


def test_awss_worked_example() -> None:
    body = b"".join(encode([b"a" * 65536, b"a" * 1024], START))
    assert b"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" in body
    assert b"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" in body
    assert body.endswith(b"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n")
    assert decode(body, ChunkedDecoder(66560, START)) == b"a" * 66560


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(8192, 20000), max_size=3),
    st.integers(1, 9000),
    st.integers(1, 5000),
    st.booleans(),
    st.sampled_from([None, *checksums.ALGORITHMS]),
)
def test_what_is_encoded_is_decoded_however_it_is_cut(
    sizes: list[int], last: int, step: int, signs: bool, algorithm: str | None
) -> None:
    pieces = [bytes([65 + at]) * size for at, size in enumerate([*sizes, last])]
    plain = b"".join(pieces)
    trailers = []
    if algorithm is not None:
        running = checksums.checksum(algorithm)
        running.update(plain)
        trailers = [(f"x-amz-checksum-{algorithm}", base64.b64encode(running.digest()).decode())]
    start = START if signs else None
    body = b"".join(encode(pieces, start, trailers))
    machine = ChunkedDecoder(len(plain), start, [name for name, _ in trailers])
    assert decode(body, machine, step) == plain
    assert machine.found == dict(trailers)


@pytest.mark.parametrize("signs", [True, False])
def test_any_flipped_byte_is_noticed(signs: bool) -> None:
    plain = b"x" * 9000
    crc = base64.b64encode(zlib.crc32(plain).to_bytes(4, "big")).decode()
    start = START if signs else None
    body = b"".join(encode([plain[:8192], plain[8192:]], start, [("x-amz-checksum-crc32", crc)]))
    noticed = 0
    places = [*range(100), 8000, *range(8190, 8400), *range(len(body) - 160, len(body))]
    for at in places:
        forged = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        with pytest.raises(AwsError):
            decode(forged, ChunkedDecoder(9000, start, ["x-amz-checksum-crc32"]))
        noticed += 1
    assert noticed == len(places)


def test_every_truncation_is_noticed() -> None:
    body = b"".join(encode([b"hello"], START))
    for at in range(len(body)):
        with pytest.raises(AwsError) as refused:
            decode(body[:at], ChunkedDecoder(5, START))
        assert refused.value.code == "IncompleteBody"


@pytest.mark.parametrize("kind", [Crc32Checksum, CrtCrc32cChecksum, CrtCrc64NvmeChecksum])
@pytest.mark.parametrize("plain", [b"", b"123456789", b"z" * 3_000_000])
def test_botocores_trailers(kind: Any, plain: bytes) -> None:
    name = {Crc32Checksum: "crc32", CrtCrc32cChecksum: "crc32c", CrtCrc64NvmeChecksum: "crc64nvme"}[kind]
    body = AwsChunkedWrapper(io.BytesIO(plain), checksum_cls=kind, checksum_name=f"x-amz-checksum-{name}").read()
    assert decode(body, ChunkedDecoder(len(plain), None, [f"x-amz-checksum-{name}"]), 70_000) == plain


def _request(mark: str, **headers: str) -> Request:
    return Request("PUT", "/b/k", "", {"x-amz-content-sha256": mark, **headers})


def test_the_decoder_of_a_request() -> None:
    mark = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    request = _request(mark, **{"x-amz-decoded-content-length": "2", "x-amz-trailer": "x-amz-checksum-sha256"})
    assert is_chunked(request)
    digest = base64.b64encode(hashlib.sha256(b"ok").digest()).decode()
    body = f"2\r\nok\r\n0\r\nx-amz-checksum-sha256: {digest}\r\n\r\n".encode()
    assert decode(body, decoder(request, None)) == b"ok"
    with pytest.raises(AwsError, match="BadDigest"):
        decode(body.replace(b"ok", b"no"), decoder(request, None))
    with pytest.raises(AwsError, match="MalformedTrailerError"):
        decode(b"2\r\nok\r\n0\r\n\r\n", decoder(request, None))
    assert not is_chunked(_request("UNSIGNED-PAYLOAD"))


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "MissingContentLength"),
        ({"x-amz-decoded-content-length": "x"}, "InvalidArgument"),
        ({"x-amz-decoded-content-length": "1", "x-amz-trailer": "x-amz-checksum-md9"}, "InvalidRequest"),
    ],
)
def test_headers_that_do_not_suffice(headers: dict[str, str], code: str) -> None:
    with pytest.raises(AwsError) as refused:
        decoder(_request("STREAMING-UNSIGNED-PAYLOAD-TRAILER", **headers), None)
    assert refused.value.code == code


def test_signed_chunks_are_never_taken_without_the_seed() -> None:
    request = _request("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", **{"x-amz-decoded-content-length": "1"})
    with pytest.raises(ValueError, match="seed"):
        decoder(request, None)
    with pytest.raises(AwsError):
        decode(b"".join(encode([b"a"])), ChunkedDecoder(1, START))


def test_only_the_last_chunk_may_be_small() -> None:
    with pytest.raises(AwsError) as refused:
        decode(b"".join(encode([b"a" * 100, b"b" * 100])), ChunkedDecoder(200))
    assert (refused.value.code, refused.value.members["BadChunkSize"]) == ("InvalidChunkSizeError", "100")


def test_a_length_that_is_not_the_announced_one() -> None:
    for announced in (4, 6):
        with pytest.raises(AwsError) as refused:
            decode(b"".join(encode([b"hello"])), ChunkedDecoder(announced))
        assert refused.value.code == "IncompleteBody"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(1, 50))
def test_garbage_is_always_an_answer(data: bytes, step: int) -> None:
    with pytest.raises(AwsError):
        decode(data, ChunkedDecoder(1000, None), step)


def test_checksums_check_values() -> None:
    for algorithm, value in {"crc32": 0xCBF43926, "crc32c": 0xE3069283, "crc64nvme": 0xAE8B14860A799888}.items():
        running = checksums.checksum(algorithm)
        running.update(b"1234")
        running.update(b"56789")
        assert int.from_bytes(running.digest(), "big") == value
