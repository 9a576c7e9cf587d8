"""What kinds of keys there are, and which algorithms each of them has.

https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html (read 2026-11)
"""

from __future__ import annotations

from typing import NamedTuple

ENCRYPT, SIGN, MAC = "ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC"
AGREE, ENCAPSULATE = "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"
SYMMETRIC = "SYMMETRIC_DEFAULT"


class Spec(NamedTuple):
    """A key spec. `family` says how it computes; `algorithms` are those of each usage."""

    name: str
    family: str
    size: int
    algorithms: dict[str, tuple[str, ...]]

    @property
    def usages(self) -> tuple[str, ...]:
        """What a key of this spec may be for."""
        return tuple(self.algorithms)


_OAEP = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")
_RSASSA = tuple(f"RSASSA_{padding}_SHA_{bits}" for padding in ("PKCS1_V1_5", "PSS") for bits in (256, 384, 512))

SPECS: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        Spec(SYMMETRIC, "symmetric", 256, {ENCRYPT: (SYMMETRIC,)}),
        *(Spec(f"RSA_{bits}", "rsa", bits, {ENCRYPT: _OAEP, SIGN: _RSASSA}) for bits in (2048, 3072, 4096)),
        *(
            Spec(f"ECC_NIST_P{bits}", "ecc", bits, {SIGN: (f"ECDSA_SHA_{digest}",), AGREE: ("ECDH",)})
            for bits, digest in ((256, 256), (384, 384), (521, 512))
        ),
        Spec("ECC_SECG_P256K1", "ecc", 256, {SIGN: ("ECDSA_SHA_256",)}),
        Spec("ECC_NIST_EDWARDS25519", "ed25519", 256, {SIGN: ("ED25519_SHA_512", "ED25519_PH_SHA_512")}),
        *(Spec(f"HMAC_{bits}", "hmac", bits, {MAC: (f"HMAC_SHA_{bits}",)}) for bits in (224, 256, 384, 512)),
        *(Spec(f"ML_DSA_{level}", "mldsa", level, {SIGN: ("ML_DSA_SHAKE_256",)}) for level in (44, 65, 87)),
        *(Spec(f"ML_KEM_{level}", "mlkem", level, {ENCAPSULATE: ("ML_KEM",)}) for level in (512, 768, 1024)),
    )
}
"""SM2 is missing: AWS has it in its Regions in China alone."""

OPERATIONS: dict[str, frozenset[str]] = {
    ENCRYPT: frozenset(("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo")),
    SIGN: frozenset(("Sign", "Verify")),
    MAC: frozenset(("GenerateMac", "VerifyMac")),
    AGREE: frozenset(("DeriveSharedSecret",)),
    ENCAPSULATE: frozenset(("Encapsulate", "Decapsulate")),
}
"""Grant operations by the usage of the key."""

_DATA_KEYS = frozenset(
    (
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
    )
)
_ALWAYS = frozenset(("CreateGrant", "RetireGrant", "DescribeKey"))


def grantable(spec: str, usage: str) -> frozenset[str]:
    """The operations that a grant on such a key may name."""
    found = OPERATIONS[usage] | _ALWAYS
    if spec == SYMMETRIC:
        return found | _DATA_KEYS
    return found if usage == MAC else found | {"GetPublicKey"}


def is_asymmetric(spec: str) -> bool:
    """Whether keys of this spec have a public half."""
    return SPECS[spec].family not in ("symmetric", "hmac")
