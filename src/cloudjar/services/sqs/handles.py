"""Receipt handles: which message, and which receive of it. Opaque text that begins as AWS's do."""

from __future__ import annotations

import binascii
import struct
import zlib
from typing import NamedTuple

from cloudjar.services.sqs import errors

_FORM = struct.Struct(">BQQ")
_CHECK = struct.Struct(">I")
_HEAD = "AQEB"
_SIZE = _FORM.size + _CHECK.size


class Receipt(NamedTuple):
    """`id` is the message's row, `nonce` the receive's own number."""

    id: int
    nonce: int


def write(id_: int, nonce: int) -> str:
    """The handle of a receive."""
    body = _FORM.pack(1, id_, nonce)
    return _HEAD + binascii.b2a_base64(body + _CHECK.pack(zlib.crc32(body)), newline=False).decode()


def read(handle: str) -> Receipt:
    """What a handle says; raises ReceiptHandleIsInvalid when it is none."""
    try:
        if not handle.startswith(_HEAD):
            raise ValueError
        data = binascii.a2b_base64(handle[4:].encode(), strict_mode=True)
    except (ValueError, binascii.Error):
        raise errors.bad_handle(handle) from None
    body = data[: _FORM.size]
    if len(data) != _SIZE or _CHECK.unpack_from(data, _FORM.size)[0] != zlib.crc32(body):
        raise errors.bad_handle(handle)
    _, id_, nonce = _FORM.unpack(body)
    return Receipt(id_, nonce)
