"""Signatures, MACs and agreements, each checked by somebody who has the public half alone."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from cloudjar.services.kms.specs import SPECS
from tests.jar import TestJar
from tests.services.iam.people import refused
from tests.services.kms.test_keys import made

MESSAGE = b"pay bob ten"
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
SIGNING = [
    (spec, algorithm)
    for spec in ("RSA_2048", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1")
    for algorithm in SPECS[spec].algorithms["SIGN_VERIFY"]
]


def check(public: Any, algorithm: str, signature: bytes) -> None:
    """Verify as a stranger would; raises InvalidSignature."""
    digest: Any = HASHES[algorithm[-3:]]
    if isinstance(public, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        public.verify(signature, MESSAGE, pss if "PSS" in algorithm else padding.PKCS1v15(), digest)
    else:
        assert isinstance(public, ec.EllipticCurvePublicKey)
        public.verify(signature, MESSAGE, ec.ECDSA(digest))


@pytest.mark.parametrize(("spec", "algorithm"), SIGNING)
def test_signatures_of_messages_and_of_digests(steady_jar: TestJar, spec: str, algorithm: str) -> None:
    kms = steady_jar.client("kms")
    key = made(kms, KeySpec=spec, KeyUsage="SIGN_VERIFY")
    public = serialization.load_der_public_key(kms.get_public_key(KeyId=key["KeyId"])["PublicKey"])
    asked = {"KeyId": key["KeyId"], "SigningAlgorithm": algorithm}
    digest = hashlib.new(f"sha{algorithm[-3:]}", MESSAGE).digest()
    for kind, signed in (("RAW", MESSAGE), ("DIGEST", digest)):
        answer = kms.sign(Message=signed, MessageType=kind, **asked)
        assert (answer["KeyId"], answer["SigningAlgorithm"]) == (key["Arn"], algorithm)
        check(public, algorithm, answer["Signature"])
        for other, again in (("RAW", MESSAGE), ("DIGEST", digest)):
            said = kms.verify(Message=again, MessageType=other, Signature=answer["Signature"], **asked)
            assert said["SignatureValid"] is True
    with refused("KMSInvalidSignatureException"):
        kms.verify(Message=b"pay bob eleven", Signature=answer["Signature"], **asked)
    with refused("ValidationException", f"Digest is invalid length for algorithm {algorithm}."):
        kms.sign(Message=digest[:-1], MessageType="DIGEST", **asked)


def test_a_key_signs_with_its_own_algorithms_alone(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms")
    key = made(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyId"]
    with refused("InvalidKeyUsageException", "ECDSA_SHA_384"):
        kms.sign(KeyId=key, Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_384")
    with refused("ValidationException"):
        kms.sign(KeyId=key, Message=b"x" * 64, MessageType="EXTERNAL_MU", SigningAlgorithm="ECDSA_SHA_256")
    with refused("InvalidKeyUsageException", "which is not valid for Sign."):
        kms.sign(KeyId=made(kms)["KeyId"], Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")
    with refused("UnsupportedOperationException"):
        kms.get_public_key(KeyId=made(kms)["KeyId"])


def test_ed25519(jar: TestJar) -> None:
    kms = jar.client("kms")
    key = made(kms, KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")["KeyId"]
    asked = {"KeyId": key, "SigningAlgorithm": "ED25519_SHA_512"}
    signature = kms.sign(Message=MESSAGE, **asked)["Signature"]
    public = serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    assert isinstance(public, ed25519.Ed25519PublicKey)
    public.verify(signature, MESSAGE)
    assert kms.verify(Message=MESSAGE, Signature=signature, **asked)["SignatureValid"] is True
    with refused("ValidationException"):
        kms.sign(Message=b"x" * 64, MessageType="DIGEST", **asked)
    with refused("NotImplemented", "Ed25519ph", status=501):
        kms.sign(KeyId=key, Message=b"x" * 64, MessageType="DIGEST", SigningAlgorithm="ED25519_PH_SHA_512")


def test_ml_dsa_signs_messages_and_representatives(steady_jar: TestJar) -> None:
    mldsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa", reason="an older library")
    kms = steady_jar.client("kms")
    key = made(kms, KeySpec="ML_DSA_65", KeyUsage="SIGN_VERIFY")["KeyId"]
    public = serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    asked = {"KeyId": key, "SigningAlgorithm": "ML_DSA_SHAKE_256"}
    signature = kms.sign(Message=MESSAGE, **asked)["Signature"]
    assert isinstance(public, mldsa.MLDSA65PublicKey)
    public.verify(signature, MESSAGE)
    mu = hashlib.sha512(MESSAGE).digest()
    by_mu = kms.sign(Message=mu, MessageType="EXTERNAL_MU", **asked)["Signature"]
    public.verify_mu(by_mu, mu)
    assert kms.verify(Message=mu, MessageType="EXTERNAL_MU", Signature=by_mu, **asked)["SignatureValid"] is True
    with refused("KMSInvalidSignatureException"):
        kms.verify(Message=mu, Signature=by_mu, **asked)


def test_encapsulation(steady_jar: TestJar) -> None:
    pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mlkem", reason="an older library")
    kms = steady_jar.client("kms")
    key = made(kms, KeySpec="ML_KEM_768", KeyUsage="ENCAPSULATE_DECAPSULATE")["KeyId"]
    asked = {"KeyId": key, "EncapsulationAlgorithm": "ML_KEM"}
    here = kms.encapsulate(**asked)
    assert len(here["SharedSecret"]) == 32
    opened = kms.decapsulate(SharedSecretCiphertextBlob=here["SharedSecretCiphertextBlob"], **asked)
    assert opened["SharedSecret"] == here["SharedSecret"]
    public: Any = serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    secret, ciphertext = public.encapsulate()
    assert kms.decapsulate(SharedSecretCiphertextBlob=ciphertext, **asked)["SharedSecret"] == secret
    with refused("InvalidCiphertextException"):
        kms.decapsulate(SharedSecretCiphertextBlob=b"short", **asked)


@pytest.mark.parametrize("bits", ["224", "256", "384", "512"])
def test_macs(steady_jar: TestJar, bits: str) -> None:
    kms = steady_jar.client("kms")
    key = made(kms, KeySpec=f"HMAC_{bits}", KeyUsage="GENERATE_VERIFY_MAC")["KeyId"]
    asked = {"KeyId": key, "MacAlgorithm": f"HMAC_SHA_{bits}"}
    mac = kms.generate_mac(Message=MESSAGE, **asked)["Mac"]
    assert len(mac) == int(bits) // 8
    assert kms.verify_mac(Message=MESSAGE, Mac=mac, **asked)["MacValid"] is True
    with refused("KMSInvalidMacException"):
        kms.verify_mac(Message=MESSAGE + b"!", Mac=mac, **asked)
    with refused("InvalidKeyUsageException"):
        kms.generate_mac(KeyId=key, Message=MESSAGE, MacAlgorithm="HMAC_SHA_256" if bits != "256" else "HMAC_SHA_512")
    assert hmac.compare_digest(mac, kms.generate_mac(Message=MESSAGE, **asked)["Mac"])


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_agreement(steady_jar: TestJar, curve: ec.EllipticCurve) -> None:
    kms = steady_jar.client("kms")
    key = made(kms, KeySpec=f"ECC_NIST_P{curve.key_size}", KeyUsage="KEY_AGREEMENT")["KeyId"]
    mine = ec.generate_private_key(curve)
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    asked = {"KeyId": key, "KeyAgreementAlgorithm": "ECDH"}
    answer = kms.derive_shared_secret(PublicKey=mine.public_key().public_bytes(*form), **asked)
    public = serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert answer["SharedSecret"] == mine.exchange(ec.ECDH(), public)
    assert answer["KeyOrigin"] == "AWS_KMS"
    stranger = ec.generate_private_key(ec.SECP256K1()).public_key().public_bytes(*form)
    for wrong in (stranger, b"no key"):
        with refused("ValidationException"):
            kms.derive_shared_secret(PublicKey=wrong, **asked)
