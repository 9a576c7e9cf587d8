"""The keys that sign digests: RSA, one at a time for an account and Region, the private half sealed.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.cloudtrail.trails.records import SigningKey

_BITS = 2048
_LIFE = timedelta(days=90)
_PURPOSE = "cloudtrail-signing-key"


def current(ctx: Ctx) -> SigningKey:
    """The key that signs here now; a new one when the last one's time is over. Making one takes a while: not to be
    called in a transaction."""
    found = [key for key in ctx.db[SigningKey].all() if key.begins <= ctx.now < key.ends]
    if found:
        return max(found, key=lambda key: key.begins)
    private = rsa.generate_private_key(65537, _BITS)
    encoding, plain = serialization.Encoding.DER, serialization.NoEncryption()
    public = private.public_key().public_bytes(encoding, serialization.PublicFormat.PKCS1)
    secret = private.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    begins = ctx.now.replace(minute=0, second=0, microsecond=0)
    made = SigningKey(
        fingerprint=hashlib.md5(public, usedforsecurity=False).hexdigest(),
        public=public,
        sealed=ctx.world.sealer.seal(secret, _PURPOSE),
        begins=begins,
        ends=begins + _LIFE,
    )
    return ctx.db[SigningKey].add(made)


def sign(ctx: Ctx, key: SigningKey, text: str) -> str:
    """``SHA256withRSA`` (PKCS#1 v1.5), in hexadecimal."""
    secret = ctx.world.sealer.open(key.sealed, _PURPOSE)
    assert secret is not None
    # It is our own and was sealed: to look for its primes again would take longer than all the rest of a digest.
    private = serialization.load_der_private_key(secret, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(private, rsa.RSAPrivateKey)
    return private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()).hex()


@op("ListPublicKeys")
def list_public_keys(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The keys whose time meets a range; now's without one."""
    start = req.get("StartTime") or ctx.now
    end = req.get("EndTime") or max(ctx.now, start)
    held = sorted(ctx.db[SigningKey].all(), key=lambda key: key.begins)
    return {
        "PublicKeyList": [
            {
                "Value": key.public,
                "ValidityStartTime": key.begins,
                "ValidityEndTime": key.ends,
                "Fingerprint": key.fingerprint,
            }
            for key in held
            if key.begins <= end and key.ends >= start
        ]
    }
