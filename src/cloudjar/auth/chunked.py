"""aws-chunked: bodies in chunks that are signed one by one, or end in a checksum, or both.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cloudjar.auth import checksums
from cloudjar.auth.sigv4 import STREAMING, Signature, signing_key
from cloudjar.base.errors import AwsError
from cloudjar.wire.message import Request

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
TRAILER_SIGNATURE = "x-amz-trailer-signature"

_SMALLEST = 8192
_MAX_LINE = 2048
_MAX_TRAILERS = 16
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?")
_EMPTY = hashlib.sha256(b"").hexdigest()


class Seed(NamedTuple):
    """What the chunks' signatures continue: the request's own, and the key it was made with."""

    key: bytes
    timestamp: str
    scope: str
    signature: str


def seed(signature: Signature, secret: str) -> Seed:
    """The seed of a request whose signature was verified."""
    key = signing_key(secret, signature.date, signature.region, signature.service)
    return Seed(key, signature.timestamp, signature.scope, signature.signature)


def is_chunked(request: Request) -> bool:
    """True when the body is aws-chunked; the payload mark says so, whatever Content-Encoding does."""
    return request.headers.get("x-amz-content-sha256") in STREAMING


def decoder(request: Request, start: Seed | None) -> ChunkedDecoder:
    """The decoder of an aws-chunked request, from its headers. Raises AwsError when they do not suffice.

    `start` is required where chunks are signed (fail closed: ValueError without it).
    """
    mark = request.headers.get("x-amz-content-sha256", "")
    if mark not in STREAMING:
        raise ValueError("the request's body is not aws-chunked")
    length = request.headers.get("x-amz-decoded-content-length")
    if length is None:
        raise AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
    if not re.fullmatch(r"[0-9]{1,18}", length, re.ASCII):
        raise AwsError("InvalidArgument", "x-amz-decoded-content-length must be a number.", 400)
    signed = mark != UNSIGNED_TRAILER
    if signed and start is None:
        raise ValueError("signed chunks need the seed of the request's signature")
    named = request.headers.get("x-amz-trailer", "") if mark != SIGNED else ""
    trailers = [name.strip().lower() for name in named.split(",") if name.strip()]
    return ChunkedDecoder(int(length), start if signed else None, trailers)


class ChunkedDecoder:
    """Decodes piece by piece, checking as it goes. What `feed` returned is only good once `finish` returned.

    `length` is the decoded size that was announced; `trailers` are the announced trailer names (lower case), of
    which a checksum is verified; `start` is the seed when chunks are signed. After `finish`, `found` has the trailers.
    """

    def __init__(self, length: int, start: Seed | None = None, trailers: Iterable[str] = ()) -> None:
        self.found: dict[str, str] = {}
        self._length = length
        self._seed = start
        self._previous = start.signature if start is not None else ""
        self._announced = tuple(trailers)
        self._running = _running(self._announced)
        self._state = "size"
        self._line = b""
        self._remaining = 0
        self._decoded = 0
        self._short = 0
        self._sha256 = hashlib.sha256()
        self._claimed = ""

    def feed(self, data: bytes) -> bytes:
        """Decode what these bytes complete. Raises AwsError for a body that is not as announced or signed."""
        out: list[bytes] = []
        at = 0
        while at < len(data):
            if self._state == "data":
                piece = data[at : at + self._remaining]
                at += len(piece)
                self._take_data(piece)
                out.append(piece)
                continue
            at = self._take_line(data, at)
        return b"".join(out)

    def finish(self) -> None:
        """Raise AwsError unless the body ended as it should, with the trailers that were announced."""
        if self._state != "end":
            raise _incomplete()
        if self._decoded != self._length:
            raise _other_length()

    def _take_line(self, data: bytes, at: int) -> int:
        if self._state == "end":
            raise _malformed()
        end = data.find(b"\n", at)
        self._line += data[at : len(data) if end < 0 else end + 1]
        if len(self._line) > _MAX_LINE:
            raise _malformed()
        if end < 0:
            return len(data)
        line, self._line = self._line, b""
        if not line.endswith(b"\r\n"):
            raise _malformed()
        self._take(line[:-2])
        return end + 1

    def _take(self, line: bytes) -> None:
        if self._state == "size":
            self._begin_chunk(line)
        elif self._state == "end of data":
            if line:
                raise _malformed()
            self._state = "size"
        elif line:
            self._take_trailer(line)
        else:
            self._end_trailers()

    def _begin_chunk(self, line: bytes) -> None:
        match = _SIZE.fullmatch(line)
        if match is None or (match[2] is None) is not (self._seed is None):
            raise _malformed()
        size = int(match[1], 16)
        if size and self._short:
            raise AwsError(
                "InvalidChunkSizeError",
                "Only the last chunk is allowed to have a size less than 8192 bytes",
                403,
                members={"BadChunkSize": str(self._short)},
            )
        self._short = size if size < _SMALLEST else 0
        if self._decoded + size > self._length:
            raise _other_length()
        self._claimed = (match[2] or b"").decode()
        self._remaining = size
        if size:
            self._state = "data"
            return
        self._check_chunk()
        self._state = "trailers"

    def _take_data(self, piece: bytes) -> None:
        if self._seed is not None:
            self._sha256.update(piece)
        for _, running in self._running:
            running.update(piece)
        self._decoded += len(piece)
        self._remaining -= len(piece)
        if not self._remaining:
            self._check_chunk()
            self._state = "end of data"

    def _check_chunk(self) -> None:
        if self._seed is None:
            return
        self._check(f"AWS4-HMAC-SHA256-PAYLOAD\n{{}}\n{_EMPTY}\n{self._sha256.hexdigest()}", self._claimed)
        self._sha256 = hashlib.sha256()

    def _check(self, form: str, claimed: str) -> None:
        """Compare the next signature of the chain; the one that holds is what the following continues."""
        expected = chain(self._seed, self._previous, form)
        if not hmac.compare_digest(expected, claimed):
            raise AwsError(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method.",
                403,
            )
        self._previous = expected

    def _take_trailer(self, line: bytes) -> None:
        name, colon, value = line.decode("latin-1").partition(":")
        name = name.strip().lower()
        if not colon or name in self.found or len(self.found) >= _MAX_TRAILERS:
            raise _bad_trailer()
        self.found[name] = value.strip(" \t")

    def _end_trailers(self) -> None:
        claimed = self.found.pop(TRAILER_SIGNATURE, None)
        if set(self.found) != set(self._announced):
            raise _bad_trailer()
        if self._seed is not None and self._announced:
            text = "".join([f"{name}:{self.found[name]}\n" for name in sorted(self.found)])
            digest = hashlib.sha256(text.encode("latin-1")).hexdigest()
            if claimed is None or not claimed.isascii():
                raise _bad_trailer()
            self._check(f"AWS4-HMAC-SHA256-TRAILER\n{{}}\n{digest}", claimed)
        for algorithm, running in self._running:
            checksums.check(algorithm, running, self.found[checksums.HEADER + algorithm], where="trailing header")
        self._state = "end"


def chain(start: Seed | None, previous: str, form: str) -> str:
    """The signature that follows `previous`; `form` has a place for what ties it to the request."""
    assert start is not None
    text = form.format(f"{start.timestamp}\n{start.scope}\n{previous}")
    return hmac.digest(start.key, text.encode("latin-1"), "sha256").hex()


def encode(
    pieces: Iterable[bytes], start: Seed | None = None, trailers: Iterable[tuple[str, str]] = ()
) -> Iterator[bytes]:
    """The other direction: pieces (of 8 KiB or more but the last) as an aws-chunked body, signed with `start`."""
    previous = start.signature if start is not None else ""
    for piece in (*pieces, b""):
        extension = ""
        if start is not None:
            digest = hashlib.sha256(piece).hexdigest()
            previous = chain(start, previous, f"AWS4-HMAC-SHA256-PAYLOAD\n{{}}\n{_EMPTY}\n{digest}")
            extension = f";chunk-signature={previous}"
        yield f"{len(piece):x}{extension}\r\n".encode()
        if piece:
            yield piece + b"\r\n"
    ending = sorted(trailers)
    text = "".join([f"{name}:{value}\n" for name, value in ending])
    yield text.replace("\n", "\r\n").encode("latin-1")
    if start is not None and ending:
        digest = hashlib.sha256(text.encode("latin-1")).hexdigest()
        signature = chain(start, previous, f"AWS4-HMAC-SHA256-TRAILER\n{{}}\n{digest}")
        yield f"{TRAILER_SIGNATURE}:{signature}\r\n".encode()
    yield b"\r\n"


def _running(announced: Iterable[str]) -> list[tuple[str, checksums.Checksum]]:
    found = []
    for name in announced:
        if name.startswith(checksums.HEADER):
            algorithm = name[len(checksums.HEADER) :]
            if algorithm not in checksums.ALGORITHMS:
                raise AwsError(
                    "InvalidRequest", "The value specified in the x-amz-trailer header is not supported", 400
                )
            found.append((algorithm, checksums.checksum(algorithm)))
    return found


def _incomplete() -> AwsError:
    return AwsError("IncompleteBody", "The request body terminated unexpectedly", 400)


def _other_length() -> AwsError:
    return AwsError(
        "IncompleteBody",
        "You did not provide the number of bytes specified by the x-amz-decoded-content-length HTTP header",
        400,
    )


def _malformed() -> AwsError:
    return AwsError("InvalidRequest", "The body is not well-formed aws-chunked content", 400)


def _bad_trailer() -> AwsError:
    return AwsError(
        "MalformedTrailerError",
        "The request contained trailing data that was not well-formed or did not conform to our published schema.",
        400,
    )
