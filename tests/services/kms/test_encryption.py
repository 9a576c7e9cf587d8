"""Encrypting and decrypting, data keys, re-encryption, dry runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudjar.services.kms import blob
from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import refused
from tests.services.kms.test_keys import made

CONTEXT = {"tenant": "ann", "purpose": "letters"}


def test_what_was_encrypted_is_decrypted_under_the_same_context_alone(jar: TestJar) -> None:
    kms = jar.client("kms")
    key = made(kms)
    answer = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"hello", EncryptionContext=CONTEXT)
    assert (answer["KeyId"], answer["EncryptionAlgorithm"]) == (key["Arn"], "SYMMETRIC_DEFAULT")
    reordered = dict(reversed(CONTEXT.items()))
    opened = kms.decrypt(CiphertextBlob=answer["CiphertextBlob"], EncryptionContext=reordered)
    assert opened["Plaintext"] == b"hello"
    assert opened["KeyId"] == key["Arn"]
    assert opened["KeyMaterialId"] == key["CurrentKeyMaterialId"]
    for context in ({}, {"tenant": "ann"}, {**CONTEXT, "more": "x"}, {"Tenant": "ann", "purpose": "letters"}):
        with refused("InvalidCiphertextException"):
            kms.decrypt(CiphertextBlob=answer["CiphertextBlob"], EncryptionContext=context)


def test_ciphertexts_of_other_keys_and_broken_ones(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms")
    one, other = made(kms), made(kms)
    ciphertext = kms.encrypt(KeyId=one["KeyId"], Plaintext=b"hello")["CiphertextBlob"]
    with refused("IncorrectKeyException", "does not identify a CMK that can perform this operation"):
        kms.decrypt(CiphertextBlob=ciphertext, KeyId=other["KeyId"])
    assert kms.decrypt(CiphertextBlob=ciphertext, KeyId=one["Arn"])["Plaintext"] == b"hello"
    for place in (0, 20, 60, len(ciphertext) - 1):
        broken = bytearray(ciphertext)
        broken[place] ^= 1
        with refused("AccessDeniedException" if place == 20 else "InvalidCiphertextException"):
            kms.decrypt(CiphertextBlob=bytes(broken))
    with refused("InvalidCiphertextException"):
        kms.decrypt(CiphertextBlob=b"nonsense")
    with refused("AccessDeniedException", "does not exist in this region"):
        steady_jar.client("kms", "us-east-1").decrypt(CiphertextBlob=ciphertext)


def test_plaintexts_have_a_size(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms")
    key = made(kms)
    assert kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x" * 4096)
    with refused("ValidationException", "less than or equal to 4096"):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x" * 4097)
    big = made(kms, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    with refused("ValidationException", "Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger "
                 "than 190 bytes."):  # fmt: skip
        kms.encrypt(KeyId=big["KeyId"], Plaintext=b"x" * 191, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    assert kms.encrypt(KeyId=big["KeyId"], Plaintext=b"x" * 214, EncryptionAlgorithm="RSAES_OAEP_SHA_1")


def test_what_the_public_half_encrypts_elsewhere_is_decrypted_here(jar: TestJar) -> None:
    kms = jar.client("kms")
    key = made(kms, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    public = serialization.load_der_public_key(kms.get_public_key(KeyId=key["KeyId"])["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    asked = {"KeyId": key["KeyId"], "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    assert kms.decrypt(CiphertextBlob=public.encrypt(b"hello", oaep), **asked)["Plaintext"] == b"hello"
    with refused("InvalidCiphertextException"):
        kms.decrypt(CiphertextBlob=b"x" * 256, **asked)
    with refused("InvalidKeyUsageException", "Algorithm SYMMETRIC_DEFAULT and key spec RSA_2048 are incompatible"):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    with refused("ValidationException"):
        kms.encrypt(Plaintext=b"x", EncryptionContext=CONTEXT, **asked)


def test_keys_of_another_usage_refuse(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms")
    key = made(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    with refused("InvalidKeyUsageException", f"{key['Arn']} key usage is SIGN_VERIFY which is not valid for Encrypt."):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    with refused("InvalidKeyUsageException", "is not valid for GenerateDataKey."):
        kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")


def test_data_keys(jar: TestJar) -> None:
    kms = jar.client("kms")
    key = made(kms)["KeyId"]
    for asked, size in (({"KeySpec": "AES_128"}, 16), ({"KeySpec": "AES_256"}, 32), ({"NumberOfBytes": 1024}, 1024)):
        answer = kms.generate_data_key(KeyId=key, EncryptionContext=CONTEXT, **asked)
        assert len(answer["Plaintext"]) == size
        opened = kms.decrypt(CiphertextBlob=answer["CiphertextBlob"], EncryptionContext=CONTEXT)
        assert opened["Plaintext"] == answer["Plaintext"]
    silent = kms.generate_data_key_without_plaintext(KeyId=key, KeySpec="AES_256")
    assert "Plaintext" not in silent
    assert len(kms.decrypt(CiphertextBlob=silent["CiphertextBlob"])["Plaintext"]) == 32
    for wrong in ({}, {"KeySpec": "AES_256", "NumberOfBytes": 3}):
        with refused("ValidationException", "Please specify either number of bytes or key spec."):
            kms.generate_data_key(KeyId=key, **wrong)


def test_data_key_pairs(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms")
    key = made(kms)["KeyId"]
    for spec in ("RSA_2048", "ECC_NIST_P384", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", "ML_KEM_768"):
        pair = kms.generate_data_key_pair(KeyId=key, KeyPairSpec=spec)
        private = serialization.load_der_private_key(pair["PrivateKeyPlaintext"], None)
        form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        assert private.public_key().public_bytes(*form) == pair["PublicKey"]
        opened = kms.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"])["Plaintext"]
        assert opened == pair["PrivateKeyPlaintext"]
    silent = kms.generate_data_key_pair_without_plaintext(KeyId=key, KeyPairSpec="ECC_NIST_P256")
    assert "PrivateKeyPlaintext" not in silent
    with refused("UnsupportedOperationException", "SM2"):
        kms.generate_data_key_pair(KeyId=key, KeyPairSpec="SM2")


def test_re_encryption_changes_key_and_context(jar: TestJar) -> None:
    kms = jar.client("kms")
    one, other = made(kms), made(kms)
    before = kms.encrypt(KeyId=one["KeyId"], Plaintext=b"hello", EncryptionContext=CONTEXT)["CiphertextBlob"]
    moved = kms.re_encrypt(
        CiphertextBlob=before, SourceEncryptionContext=CONTEXT, DestinationKeyId=other["KeyId"],
        DestinationEncryptionContext={"tenant": "bob"},
    )  # fmt: skip
    assert (moved["SourceKeyId"], moved["KeyId"]) == (one["Arn"], other["Arn"])
    opened = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"tenant": "bob"})
    assert opened["Plaintext"] == b"hello"
    with refused("InvalidCiphertextException"):
        kms.re_encrypt(CiphertextBlob=before, DestinationKeyId=other["KeyId"])
    with refused("IncorrectKeyException"):
        kms.re_encrypt(CiphertextBlob=before, SourceKeyId=other["KeyId"], DestinationKeyId=other["KeyId"])


def test_a_dry_run_checks_and_does_nothing(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms")
    key = made(kms)["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: kms.encrypt(KeyId=key, Plaintext=b"x", DryRun=True),
        lambda: kms.decrypt(CiphertextBlob=blob, DryRun=True),
        lambda: kms.decrypt(KeyId=key, DryRun=True, DryRunModifiers=["IGNORE_CIPHERTEXT"]),
        lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256", DryRun=True),
        lambda: kms.generate_data_key_pair(KeyId=key, KeyPairSpec="RSA_4096", DryRun=True),
        lambda: kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key, DryRun=True),
        lambda: kms.create_grant(KeyId=key, GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:root", Operations=["Decrypt"],
                                 DryRun=True),
    )  # fmt: skip
    for attempt in attempts:
        with refused("DryRunOperationException", "The request would have succeeded, but the DryRun option is set."):
            attempt()
    assert kms.list_grants(KeyId=key)["Grants"] == []
    with refused("ValidationException", "CiphertextBlob"):
        kms.decrypt(KeyId=key, DryRunModifiers=["IGNORE_CIPHERTEXT"])
    kms.disable_key(KeyId=key)
    with refused("DisabledException"):
        kms.encrypt(KeyId=key, Plaintext=b"x", DryRun=True)


def test_random_bytes_and_what_is_not_built(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms")
    one, other = (kms.generate_random(NumberOfBytes=64)["Plaintext"] for _ in range(2))
    assert (len(one), len(other)) == (64, 64)
    assert one != other
    recipient = {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": b"x"}
    with refused("NotImplemented", "Recipient", status=501):
        kms.generate_random(NumberOfBytes=8, Recipient=recipient)
    with refused("NotImplemented", status=501):
        kms.describe_custom_key_stores()


def test_a_grant_token_must_be_one(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms")
    with refused("InvalidGrantTokenException"):
        kms.encrypt(KeyId=made(kms)["KeyId"], Plaintext=b"x", GrantTokens=["bm9uc2Vuc2U="])


def test_the_trail_shows_no_plaintext(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms")
    key = made(kms)["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"very secret", EncryptionContext=CONTEXT)["CiphertextBlob"]
    kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)
    events: list[dict[str, Any]] = steady_jar.client("cloudtrail").lookup_events()["Events"]
    by_name = {event["EventName"]: event for event in events}
    assert by_name["Encrypt"]["ReadOnly"] == by_name["Decrypt"]["ReadOnly"] == "true"
    assert "tenant" in by_name["Encrypt"]["CloudTrailEvent"]
    for event in events:
        assert "very secret" not in event["CloudTrailEvent"]
        assert "dmVyeSBzZWNyZXQ" not in event["CloudTrailEvent"]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no failure
@given(
    st.binary(max_size=100),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4),
)
def test_envelopes_open_with_their_own_context_and_no_other(
    plaintext: bytes, context: dict[str, str], other: dict[str, str]
) -> None:
    secret, material = b"k" * 32, "ab" * 32
    envelope = blob.read(blob.encrypt(ACCOUNT, "mrk-" + "0" * 32, material, secret, plaintext, context))
    assert envelope is not None
    assert (envelope.account, envelope.material) == (ACCOUNT, material)
    assert blob.decrypt(envelope, secret, context) == plaintext
    assert blob.decrypt(envelope, secret, other) == (plaintext if other == context else None)
    assert blob.decrypt(envelope, b"l" * 32, context) is None


@pytest.mark.parametrize("cut", range(0, 90, 7))
def test_half_an_envelope_is_none(cut: int) -> None:
    whole = blob.encrypt(ACCOUNT, "k" * 36, "ab" * 32, b"k" * 32, b"", {})
    assert blob.read(whole[:cut]) is None
