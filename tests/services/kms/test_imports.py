"""Key material of one's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding

from tests.jar import TestJar
from tests.services.iam.people import refused
from tests.services.kms.test_keys import made

FOREVER = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
HASHES = {"1": hashes.SHA1(), "256": hashes.SHA256()}


def wrapped(kms: Any, key: str, secret: bytes, algorithm: str = "RSAES_OAEP_SHA_256") -> dict[str, Any]:
    """The parameters of an import: material wrapped as its owner would."""
    asked = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048")
    public = serialization.load_der_public_key(asked["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey)
    digest = HASHES[algorithm.rpartition("_")[2]]
    oaep = padding.OAEP(padding.MGF1(digest), digest, None)
    if algorithm.startswith("RSAES"):
        sealed = public.encrypt(secret, oaep)
    else:
        inner = b"i" * 32
        sealed = public.encrypt(inner, oaep) + aes_key_wrap_with_padding(inner, secret)
    return {"KeyId": key, "ImportToken": asked["ImportToken"], "EncryptedKeyMaterial": sealed}


def external(kms: Any, **how: Any) -> dict[str, Any]:
    """A key that waits for its material."""
    return made(kms, Origin="EXTERNAL", **how)


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"])
def test_imported_material_is_used(jar: TestJar, algorithm: str) -> None:
    kms = jar.client("kms")
    key = external(kms)
    assert (key["KeyState"], key["Origin"], key["Enabled"]) == ("PendingImport", "EXTERNAL", False)
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending import."):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    answer = kms.import_key_material(**wrapped(kms, key["KeyId"], b"k" * 32, algorithm), **FOREVER)
    shown = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert shown["KeyState"] == "Enabled"
    assert shown["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
    assert shown["CurrentKeyMaterialId"] == answer["KeyMaterialId"]
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_material_expires_and_comes_back(jar: TestJar) -> None:
    kms = jar.client("kms")
    key = external(kms)["KeyId"]
    until = jar.clock.now() + timedelta(days=10)
    kms.import_key_material(**wrapped(kms, key, b"k" * 32), ValidTo=until)
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["ValidTo"] == until
    jar.advance(days=10, minutes=1)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingImport"
    with refused("KMSInvalidStateException"):
        kms.decrypt(CiphertextBlob=blob)
    with refused("IncorrectKeyMaterialException"):
        kms.import_key_material(**wrapped(kms, key, b"j" * 32), **FOREVER)
    kms.import_key_material(**wrapped(kms, key, b"k" * 32), **FOREVER)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert kms.delete_imported_key_material(KeyId=key)["KeyMaterialId"]
    with refused("KMSInvalidStateException", "is pending import."):
        kms.decrypt(CiphertextBlob=blob)


def test_what_is_refused(jar: TestJar) -> None:
    kms = jar.client("kms")
    key, other = external(kms)["KeyId"], external(kms)["KeyId"]
    good = wrapped(kms, key, b"k" * 32)
    with refused("InvalidImportTokenException"):
        kms.import_key_material(**{**good, "KeyId": other}, **FOREVER)
    with refused("InvalidImportTokenException"):
        kms.import_key_material(**{**good, "ImportToken": b"x" * 100}, **FOREVER)
    with refused("InvalidCiphertextException"):
        kms.import_key_material(**{**good, "EncryptedKeyMaterial": b"x" * 256}, **FOREVER)
    with refused("IncorrectKeyMaterialException"):
        kms.import_key_material(**wrapped(kms, key, b"short"), **FOREVER)
    with refused("ValidationException", "validTo"):
        kms.import_key_material(**good)
    with refused("ValidationException", "365 days"):
        kms.import_key_material(**good, ValidTo=jar.clock.now() + timedelta(days=366))
    own = made(kms)
    with refused("UnsupportedOperationException", f"{own['Arn']} origin is AWS_KMS which is not valid"):
        kms.get_parameters_for_import(
            KeyId=own["KeyId"], WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
        )
    jar.advance(hours=25)
    with refused("ExpiredImportTokenException"):
        kms.import_key_material(**good, **FOREVER)


def test_new_material_awaits_its_rotation(jar: TestJar) -> None:
    kms = jar.client("kms")
    key = external(kms)["KeyId"]
    kms.import_key_material(**wrapped(kms, key, b"a" * 32), **FOREVER)
    old = kms.encrypt(KeyId=key, Plaintext=b"old")["CiphertextBlob"]
    with refused("KMSInvalidStateException"):
        kms.rotate_key_on_demand(KeyId=key)
    second = kms.import_key_material(
        **wrapped(kms, key, b"b" * 32), **FOREVER, ImportType="NEW_KEY_MATERIAL", KeyMaterialDescription="second"
    )["KeyMaterialId"]
    listed = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [(one["KeyMaterialState"], one["ImportState"]) for one in listed] == [
        ("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED"),
    ]  # fmt: skip
    assert listed[1]["KeyMaterialDescription"] == "second"
    kms.rotate_key_on_demand(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"] == second
    new = kms.encrypt(KeyId=key, Plaintext=b"new")["CiphertextBlob"]
    assert [kms.decrypt(CiphertextBlob=blob)["Plaintext"] for blob in (old, new)] == [b"old", b"new"]
    first = listed[0]["KeyMaterialId"]
    kms.delete_imported_key_material(KeyId=key, KeyMaterialId=first)
    with refused("KMSInvalidStateException", "is pending import."):
        kms.decrypt(CiphertextBlob=new)
    kms.import_key_material(**wrapped(kms, key, b"a" * 32), **FOREVER, KeyMaterialId=first)
    assert [kms.decrypt(CiphertextBlob=blob)["Plaintext"] for blob in (old, new)] == [b"old", b"new"]


def test_private_keys_and_macs_are_imported_too(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms")
    mine = ec.generate_private_key(ec.SECP256R1())
    pkcs8 = mine.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signs = external(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyId"]
    kms.import_key_material(**wrapped(kms, signs, pkcs8, "RSA_AES_KEY_WRAP_SHA_256"), **FOREVER)
    signature = kms.sign(KeyId=signs, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    mine.public_key().verify(signature, b"m", ec.ECDSA(hashes.SHA256()))
    with refused("UnsupportedOperationException"):
        kms.import_key_material(
            **wrapped(kms, signs, pkcs8, "RSA_AES_KEY_WRAP_SHA_256"), **FOREVER, ImportType="NEW_KEY_MATERIAL"
        )
    macs = external(kms, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyId"]
    kms.import_key_material(**wrapped(kms, macs, b"m" * 32), **FOREVER)
    assert len(kms.generate_mac(KeyId=macs, Message=b"m", MacAlgorithm="HMAC_SHA_256")["Mac"]) == 32
    wrong = external(kms, KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY")["KeyId"]
    with refused("IncorrectKeyMaterialException"):
        kms.import_key_material(**wrapped(kms, wrong, pkcs8, "RSA_AES_KEY_WRAP_SHA_256"), **FOREVER)
