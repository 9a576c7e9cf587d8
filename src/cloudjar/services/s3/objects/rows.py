"""What is known of a version of an object: one row of the index, decoded.

A row is no `@record`: there are millions, they are found by bucket and key in byte order (`objects.index`), and nothing
of the control plane (quotas, wake-ups, settling) bears on each. Fields are appended only, each with a default: rows
that were written before then read as they were meant.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from cloudjar.planes.objects.port import Blob

NULL = "null"
"""The id of the version that a bucket without versioning, or with suspended versioning, writes."""

STANDARD = "STANDARD"

ChecksumType = Literal["FULL_OBJECT", "COMPOSITE"]


class ObjectPart(Struct, frozen=True, array_like=True):
    """A part of an object that was uploaded in parts: how many bytes, and its checksums (algorithm -> base64)."""

    number: int
    size: int
    checksums: dict[str, str] = {}


class Content(Struct, frozen=True, array_like=True):
    """A version's bytes: where they lie, the blob's key sealed as the version's `Encryption` says, and its parts. Kept
    in a column of its own: a listing does not read it."""

    blob: Blob = Blob()
    key: bytes = b""
    parts: tuple[ObjectPart, ...] = ()


class Encryption(Struct, frozen=True, array_like=True):
    """How the keys of an object's blobs are sealed.

    `kind` is ``AES256``, ``aws:kms``, ``aws:kms:dsse`` or ``SSE-C``; `key_id` the KMS key's ARN; `context` the
    encryption context that the client gave (canonical JSON); `data_key` the KMS ciphertext of the data key that seals;
    `customer_md5` the base64 MD5 of the client's key.
    """

    kind: str = "AES256"
    key_id: str = ""
    context: str = ""
    bucket_key: bool = False
    data_key: bytes = b""
    customer_md5: str = ""


class Lock(Struct, frozen=True, array_like=True):
    """Object Lock: `mode` ``GOVERNANCE``, ``COMPLIANCE`` or "", until an instant (seconds of AWS time); legal hold, and
    whether one was put OFF."""

    mode: str = ""
    until: int = 0
    hold: bool = False
    released: bool = False


class Restore(Struct, frozen=True, array_like=True):
    """A restored copy of an archived object: being made until `ready`, there until `until` (seconds of AWS time)."""

    ready: int
    until: int
    tier: str = "Standard"
    counted: bool = False
    """Whether the copy is there, and metered."""


class Version(Struct, frozen=True, array_like=True, kw_only=True):
    """A version of an object, or a delete marker.

    `bucket`, `key` and `seq` are where the row lies (`seq` grows with every write of a key: the newest has the
    greatest). `modified` is in whole seconds of AWS time, `size` in bytes, `etag` without quotes. `content` is None on
    a delete marker, and in what a listing gives (`Index.whole` fetches it).
    """

    bucket: str
    key: str
    seq: int = 0
    id: str = NULL
    size: int = 0
    etag: str = ""
    modified: int = 0
    marker: bool = False
    storage_class: str = STANDARD
    owner: str = ""
    """Account (12 digits) that owns it; "anonymous" for who had no account."""
    content: Content | None = None
    parts: int = 0
    """Number of parts of an object that was uploaded in parts; else 0."""
    content_type: str = ""
    headers: dict[str, str] = {}
    """``cache-control``, ``content-disposition``, ``content-encoding``, ``content-language``, ``expires`` and
    ``x-amz-website-redirect-location``, as given."""
    metadata: dict[str, str] = {}
    """User metadata by lower-case name, without ``x-amz-meta-``; text is as on the wire (Latin-1)."""
    tags: dict[str, str] = {}
    checksums: dict[str, str] = {}
    """``CRC64NVME`` -> base64; a composite ends in ``-N``."""
    checksum_type: ChecksumType = "FULL_OBJECT"
    sse: Encryption | None = None
    acl: str = ""
    """In the form of `access.acl`; "" is the owner's full control."""
    lock: Lock | None = None
    restore: Restore | None = None
    replication: str = ""
    """``PENDING``, ``COMPLETED``, ``FAILED`` on a source, ``REPLICA`` on its copy; "" where no rule applied."""
    archived: str = ""
    """Tier of Intelligent-Tiering that it was archived to: ``ARCHIVE_ACCESS``, ``DEEP_ARCHIVE_ACCESS``; else ""."""
    touched: int = 0
    """When it was last read (seconds; of one day only the first), where Intelligent-Tiering asks; else 0."""
    moved: int = 0
    """When lifecycle brought it to its class (seconds); 0 when it was written there."""
    tier: str = ""
    """Tier of Intelligent-Tiering, of those that are read at once: ``INFREQUENT``, ``ARCHIVE_INSTANT``, "" for
    frequent."""

    @property
    def quoted_etag(self) -> str:
        """The ETag as it is told."""
        return f'"{self.etag}"'


class Part(Struct, frozen=True, array_like=True, kw_only=True):
    """A part of an upload, or of the object that came of it."""

    number: int
    size: int
    etag: str
    modified: int
    blob: Blob
    checksums: dict[str, str] = {}


class Upload(Struct, frozen=True, array_like=True, kw_only=True):
    """A multipart upload under way; what the object will be lies in `draft` (a `Version` without bytes)."""

    id: str
    bucket: str
    key: str
    started: int
    """Seconds of AWS time."""
    initiator: str
    """ARN of who began it."""
    initiator_account: str
    draft: Version
    algorithm: str = ""
    """Checksum algorithm that its parts must bring; "" when none was asked for."""
    checksum_type: str = ""
    completed: str = ""
    """Version id of the object that it became; a repeated completion answers the same."""
    completed_parts: str = ""
    """What it was completed with, so that a repetition is known from another completion."""
    metered: bool = False
    """Its parts are paid for as they come."""


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Version).decode
_unpack_content = msgspec.msgpack.Decoder(Content).decode
_unpack_part = msgspec.msgpack.Decoder(Part).decode
_unpack_upload = msgspec.msgpack.Decoder(Upload).decode
_set = msgspec.structs.force_setattr


def pack(version: Version) -> bytes:
    """A row's data: all but where it lies and its content."""
    return _pack(msgspec.structs.replace(version, bucket="", key="", seq=0, content=None))


def unpack(bucket: str, key: str, seq: int, data: bytes, content: bytes | None = None) -> Version:
    """The version that lies at a place."""
    version = _unpack(data)
    _set(version, "bucket", bucket)
    _set(version, "key", key)
    _set(version, "seq", seq)
    if content is not None:
        _set(version, "content", _unpack_content(content))
    return version


def pack_content(content: Content | None) -> bytes | None:
    """A row's column of content; None for a marker."""
    return None if content is None else _pack(content)


def unpack_content(data: bytes) -> Content:
    """What `pack_content` wrote."""
    return _unpack_content(data)


def pack_part(part: Part) -> bytes:
    """A part's row."""
    return _pack(part)


def unpack_part(data: bytes) -> Part:
    """What `pack_part` wrote."""
    return _unpack_part(data)


def pack_upload(upload: Upload) -> bytes:
    """An upload's row."""
    return _pack(upload)


def unpack_upload(data: bytes) -> Upload:
    """What `pack_upload` wrote."""
    return _unpack_upload(data)
