"""Symmetric ciphertexts: a header that says by whose key and material, then AES-256-GCM.

The format is Cloudjar's own (AWS does not publish its): 4 bytes of mark and version, the account, the key's id after
its length, the material's id (32 bytes), a nonce (12 bytes), ciphertext and tag. The header and the encryption context
are authenticated.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cloudjar.base import ids

_MARK = b"\x01CJ\x01"
_NONCE, _TAG, _MATERIAL, _ACCOUNT = 12, 16, 32, 12
_LENGTH = struct.Struct(">I")


class Envelope(NamedTuple):
    """A ciphertext, taken apart; nothing is proven yet."""

    account: str
    key_id: str
    material: str
    header: bytes
    nonce: bytes
    body: bytes


def read(blob: bytes) -> Envelope | None:
    """The parts of a ciphertext, or None when it is not one of ours."""
    at = len(_MARK) + _ACCOUNT
    if not blob.startswith(_MARK) or len(blob) <= at:
        return None
    end = at + 1 + blob[at] + _MATERIAL
    if len(blob) < end + _NONCE + _TAG:
        return None
    try:
        account, key_id = blob[len(_MARK) : at].decode("ascii"), blob[at + 1 : end - _MATERIAL].decode("ascii")
    except UnicodeDecodeError:
        return None
    body = end + _NONCE
    return Envelope(account, key_id, blob[end - _MATERIAL : end].hex(), blob[:end], blob[end:body], blob[body:])


def encrypt(
    account: str, key_id: str, material: str, secret: bytes, plaintext: bytes, context: Mapping[str, str]
) -> bytes:
    """A ciphertext. `secret` is 32 bytes, `material` its id in hex."""
    header = b"".join(
        (_MARK, account.encode("ascii"), bytes((len(key_id),)), key_id.encode("ascii"), bytes.fromhex(material))
    )
    nonce = ids.entropy(_NONCE)
    return header + nonce + AESGCM(secret).encrypt(nonce, plaintext, header + canonical(context))


def decrypt(envelope: Envelope, secret: bytes, context: Mapping[str, str]) -> bytes | None:
    """The plaintext, or None when ciphertext, key or encryption context are not those of the encryption."""
    try:
        return AESGCM(secret).decrypt(envelope.nonce, envelope.body, envelope.header + canonical(context))
    except InvalidTag:
        return None


def canonical(context: Mapping[str, str]) -> bytes:
    """An encryption context as bytes: the order of its pairs does not matter, everything else does."""
    parts: list[bytes] = []
    for key in sorted(context):
        for text in (key, context[key]):
            data = text.encode()
            parts += (_LENGTH.pack(len(data)), data)
    return b"".join(parts)
