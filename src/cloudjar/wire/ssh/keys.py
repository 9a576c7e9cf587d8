"""Agreeing on keys, and who holds the one that he shows (RFC 4253, 8731, 8709, 8332, 5656); pure but for one draw."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from cloudjar.wire.ssh.packets import CIPHERS, Seal
from cloudjar.wire.ssh.words import KEX_FAILED, PROTOCOL_ERROR, Broken, Reader, boolean, large, names, number, string

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEXINIT, NEWKEYS, ECDH_INIT, ECDH_REPLY = 20, 21, 30, 31

HOST_KEY = "ssh-ed25519"
EXCHANGES = ("curve25519-sha256", "curve25519-sha256@libssh.org")
SIGNATURES = ("ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256")
"""By which users may prove their keys."""
WANTS_MORE = "ext-info-c"


class Agreed(NamedTuple):
    """What both sides can: ciphers each way; whether the client guessed wrongly, and whether it hears extensions."""

    inward: str
    outward: str
    wrong_guess: bool
    extensions: bool


def offer(cookie: bytes) -> bytes:
    """Our side of the negotiation."""
    # Ciphers that seal need no code of their own; the list may not be empty all the same.
    codes = names(["hmac-sha2-256"])
    lists = [names(EXCHANGES), names([HOST_KEY]), *[names(CIPHERS)] * 2, codes, codes, *[names(["none"])] * 2]
    return bytes([KEXINIT]) + cookie + b"".join(lists) + names([]) * 2 + boolean(False) + number(0)


def agree(theirs: bytes) -> Agreed:
    """Of a client's offer the first that we have too; raises `Broken` when there is none."""
    read = Reader(theirs)
    read.take(17)
    exchanges, host_keys, inward, outward = (read.names() for _ in range(4))
    codes_in, codes_out, packing_in, packing_out = (read.names() for _ in range(4))
    del codes_in, codes_out
    read.names()
    read.names()
    guessed = read.boolean()
    _first(packing_in, ("none",), "compression")
    _first(packing_out, ("none",), "compression")
    _first(exchanges, EXCHANGES, "key exchange")
    _first(host_keys, (HOST_KEY,), "host key")
    return Agreed(
        inward=_first(inward, CIPHERS, "cipher"),
        outward=_first(outward, CIPHERS, "cipher"),
        wrong_guess=guessed and (exchanges[0] not in EXCHANGES or host_keys[0] != HOST_KEY),
        extensions=WANTS_MORE in exchanges,
    )


def _first(theirs: list[str], ours: tuple[str, ...] | dict[str, int], what: str) -> str:
    for one in theirs:
        if one in ours:
            return one
    raise Broken(KEX_FAILED, f"no {what} in common: {','.join(ours)}")


class Hands(NamedTuple):
    """The two sides of one exchange, as the hash over it has them."""

    their_version: bytes
    our_version: bytes
    their_offer: bytes
    our_offer: bytes


class Shared(NamedTuple):
    """What an exchange came to: our answer to it, the secret (as ``mpint``) and the hash over all of it."""

    reply: bytes
    secret: bytes
    hash: bytes


def exchange(hands: Hands, theirs: bytes, host: Ed25519PrivateKey) -> Shared:
    """Answer a client's half of a Curve25519 exchange, signed with the host's key."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

    mine = X25519PrivateKey.generate()
    try:
        secret = large(mine.exchange(X25519PublicKey.from_public_bytes(theirs)))
    except ValueError:
        raise Broken(KEX_FAILED, "a bad half of a key exchange") from None
    half, key = mine.public_key().public_bytes_raw(), host_blob(host)
    said = b"".join(string(one) for one in (*hands, key, theirs, half)) + secret
    digest = hashlib.sha256(said).digest()
    signed = string(HOST_KEY) + string(host.sign(digest))
    return Shared(bytes([ECDH_REPLY]) + string(key) + string(half) + string(signed), secret, digest)


def host_blob(host: Ed25519PrivateKey) -> bytes:
    """The public half of the host's key."""
    return string(HOST_KEY) + string(host.public_key().public_bytes_raw())


def seals(agreed: Agreed, shared: Shared, session: bytes) -> tuple[Seal, Seal]:
    """The keys of what comes in and of what goes out."""

    def drawn(letter: bytes, length: int) -> bytes:
        return hashlib.sha256(shared.secret + shared.hash + letter + session).digest()[:length]

    inward = Seal(drawn(b"C", CIPHERS[agreed.inward]), drawn(b"A", 12))
    return inward, Seal(drawn(b"D", CIPHERS[agreed.outward]), drawn(b"B", 12))


def line_of(blob: bytes) -> str:
    """A public key as OpenSSH writes it, without a comment."""
    return f"{Reader(blob).text()} {base64.b64encode(blob).decode()}"


def is_signed(algorithm: str, blob: bytes, signature: bytes, said: bytes) -> bool:
    """Whether the holder of a public key signed these words."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    read = Reader(signature)
    if algorithm not in SIGNATURES or read.text() != algorithm:
        return False
    try:
        key = load_ssh_public_key(line_of(blob).encode())
        if isinstance(key, ed25519.Ed25519PublicKey) and algorithm == "ssh-ed25519":
            key.verify(read.string(), said)
            return True
        if isinstance(key, rsa.RSAPublicKey) and algorithm.startswith("rsa-"):
            digest = hashes.SHA512() if algorithm == "rsa-sha2-512" else hashes.SHA256()
            key.verify(read.string(), said, padding.PKCS1v15(), digest)
            return True
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return False


__all__ = ["PROTOCOL_ERROR", "Agreed", "Hands", "Shared", "agree", "exchange", "is_signed", "offer", "seals"]
