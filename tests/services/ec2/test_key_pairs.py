"""Key pairs: what AWS hands out, and fingerprints as OpenSSL and OpenSSH compute them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from cloudjar.services.ec2.key_pairs import keys
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, only, refused

OPENSSL = shutil.which("openssl")
SSH_KEYGEN = shutil.which("ssh-keygen")


def openssh(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))


def test_a_created_rsa_pair_opens_its_own_public_key(ec2: Any) -> None:
    made = ec2.create_key_pair(KeyName="devops-key")
    assert made["KeyMaterial"].startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    assert made["KeyMaterial"].endswith("-----END RSA PRIVATE KEY-----")
    key = load_pem_private_key(made["KeyMaterial"].encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 2048
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert made["KeyFingerprint"].replace(":", "") == hashlib.sha1(der, usedforsecurity=False).hexdigest()
    [shown] = ec2.describe_key_pairs(KeyNames=["devops-key"], IncludePublicKey=True)["KeyPairs"]
    assert shown["PublicKey"] == f"{openssh(key).decode()} devops-key"
    assert (shown["KeyPairId"], shown["KeyType"]) == (made["KeyPairId"], "rsa")
    assert made["KeyPairId"].startswith("key-")


def test_the_private_half_is_nowhere_on_disk(steady_jar: TestJar) -> None:
    made = steady_jar.client("ec2").create_key_pair(KeyName="secret", KeyType="ed25519")
    lines = made["KeyMaterial"].encode().splitlines()
    secret = lines[2]  # the middle of the key, which only its owner may have
    kept = b"".join(path.read_bytes() for path in steady_jar.home.rglob("*") if path.is_file())
    assert b"ssh-ed25519" in kept
    assert secret not in kept


@pytest.mark.skipif(SSH_KEYGEN is None, reason="needs ssh-keygen")
def test_an_ed25519_pair_is_what_openssh_says(ec2: Any, tmp_path: Path) -> None:
    made = ec2.create_key_pair(KeyName="devops-key", KeyType="ed25519")
    assert made["KeyMaterial"].startswith("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    assert isinstance(load_ssh_private_key(made["KeyMaterial"].encode(), None), ed25519.Ed25519PrivateKey)
    path = tmp_path / "key.pem"
    path.write_text(made["KeyMaterial"])
    path.chmod(0o400)
    assert SSH_KEYGEN is not None
    said = subprocess.run([SSH_KEYGEN, "-l", "-f", str(path)], check=True, capture_output=True, text=True).stdout
    assert f"SHA256:{made['KeyFingerprint'].rstrip('=')} " in said


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl")
def test_an_imported_rsa_pair_is_what_openssl_says(ec2: Any) -> None:
    key = rsa.generate_private_key(65537, 2048)
    made = ec2.import_key_pair(KeyName="mine", PublicKeyMaterial=openssh(key) + b" me@home\n")
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert OPENSSL is not None
    said = subprocess.run([OPENSSL, "md5", "-c"], input=der, check=True, capture_output=True).stdout.decode()
    assert said.strip().endswith(made["KeyFingerprint"])
    [shown] = ec2.describe_key_pairs(Filters=only(fingerprint=made["KeyFingerprint"]), IncludePublicKey=True)[
        "KeyPairs"
    ]
    assert shown["PublicKey"] == f"{openssh(key).decode()} mine"


def test_public_keys_are_read_in_three_forms() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    line = openssh(key)
    body = line.split()[1].decode()
    wrapped = "\n".join(body[i : i + 70] for i in range(0, len(body), 70))
    rfc4716 = f'---- BEGIN SSH2 PUBLIC KEY ----\nComment: "my \\\nkey"\n{wrapped}\n---- END SSH2 PUBLIC KEY ----\n'
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    expected = keys.ReadKey("ed25519", line.decode(), keys.read(line).fingerprint)
    assert keys.read(rfc4716.encode()) == expected
    assert keys.read(b64encode(der)) == expected


@pytest.mark.parametrize(
    "material",
    [
        b"nonsense",
        b"ssh-rsa AAAA",
        openssh(ec.generate_private_key(ec.SECP256R1())),
        openssh(rsa.generate_private_key(65537, 3072)),
    ],
    ids=["nonsense", "truncated", "ecdsa", "rsa-3072"],
)
def test_keys_that_aws_does_not_take(steady_jar: TestJar, material: bytes) -> None:
    ec2 = steady_jar.client("ec2")
    assert refused(ec2.import_key_pair, KeyName="mine", PublicKeyMaterial=material) == (
        "InvalidKey.Format", "Key is not in valid OpenSSH public key format",
    )  # fmt: skip


def test_names_are_unique_in_a_region(jar: TestJar, ec2: Any) -> None:
    ec2.create_key_pair(KeyName="k", KeyType="ed25519")
    assert code(ec2.create_key_pair, KeyName="k") == "InvalidKeyPair.Duplicate"
    jar.client("ec2", "us-east-1").create_key_pair(KeyName="k", KeyType="ed25519")
    assert code(ec2.create_key_pair, KeyName="k\u00e9y") == "InvalidParameterValue"
    assert code(ec2.create_key_pair, KeyName="p", KeyFormat="ppk") == "UnsupportedOperation"


def test_deleting_is_forgiving(ec2: Any) -> None:
    made = ec2.create_key_pair(KeyName="k", KeyType="ed25519")
    assert ec2.describe_key_pairs(KeyPairIds=[made["KeyPairId"]])["KeyPairs"][0]["KeyName"] == "k"
    assert ec2.delete_key_pair(KeyPairId=made["KeyPairId"])["Return"] is True
    assert ec2.delete_key_pair(KeyName="k")["Return"] is True
    assert refused(ec2.describe_key_pairs, KeyNames=["k"]) == (
        "InvalidKeyPair.NotFound", "The key pair 'k' does not exist",
    )  # fmt: skip


def test_the_private_key_is_not_in_the_audit_trail(steady_jar: TestJar) -> None:
    made = steady_jar.client("ec2").create_key_pair(KeyName="k", KeyType="ed25519")
    now = steady_jar.clock.now().timestamp()
    [event] = steady_jar.jar.audit.find(ACCOUNT, "", 0, now + 1, lambda e: e.operation == "CreateKeyPair", 5)
    assert made["KeyMaterial"] not in str(event.answer)
