"""SecureStrings: encrypted by KMS as the caller; secrets by reference."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ssm.asking import arn, document, get, put, refused, statement, user

SECRET = "correct horse battery staple"
SECURE = "SecureString"


def customer_key(jar: TestJar, *more: dict[str, Any]) -> str:
    """A customer's key; its ARN. Its policy leaves the account to its own policies, and says `more`."""
    root = statement("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    return str(jar.client("kms").create_key(Policy=document(root, *more))["KeyMetadata"]["Arn"])


@pytest.mark.parametrize("tier", ["Standard", "Advanced"])
def test_it_is_read_with_decryption(store: Any, tier: str) -> None:
    put(store, "/s", SECRET, SECURE, Tier=tier)
    assert get(store, "/s", WithDecryption=True) == SECRET
    sealed = get(store, "/s")
    assert SECRET.encode() not in base64.b64decode(sealed)
    for answer in (
        store.get_parameters(Names=["/s"], WithDecryption=True),
        store.get_parameters_by_path(Path="/", WithDecryption=True),
        store.get_parameter_history(Name="/s", WithDecryption=True),
    ):
        assert [p["Value"] for p in answer["Parameters"]] == [SECRET]
    assert store.get_parameters_by_path(Path="/")["Parameters"][0]["Value"] == sealed
    assert store.describe_parameters()["Parameters"][0]["KeyId"] == "alias/aws/ssm"
    put(store, "/s", "new", SECURE, Overwrite=True)
    assert get(store, "/s:1", WithDecryption=True) == SECRET
    assert get(store, "/s", WithDecryption=True) == "new"


def test_the_largest_values(steady_jar: TestJar) -> None:
    store = steady_jar.client("ssm")
    put(store, "/a", "x" * 4096, SECURE)
    put(store, "/b", "é" * 4096, SECURE, Tier="Intelligent-Tiering")
    assert get(store, "/a", WithDecryption=True) == "x" * 4096
    assert get(store, "/b", WithDecryption=True) == "é" * 4096


def test_without_the_key_there_is_no_value(jar: TestJar, store: Any) -> None:
    key = customer_key(jar)
    put(store, "/s", SECRET, SECURE, KeyId=key)
    reader = user(jar, "reader", statement("ssm:*"))
    assert get(reader, "/s") == get(store, "/s")
    for call in (
        lambda: get(reader, "/s", WithDecryption=True),
        lambda: reader.get_parameters(Names=["/s"], WithDecryption=True),
        lambda: reader.get_parameters_by_path(Path="/", WithDecryption=True),
        lambda: put(reader, "/t", SECRET, SECURE, KeyId=key),
    ):
        with refused("AccessDeniedException", "kms:", "(Service: AWSKMS; Status Code: 400;"):
            call()
    put(reader, "/own", SECRET, SECURE)
    assert get(reader, "/own", WithDecryption=True) == SECRET
    bound = {
        "kms:EncryptionContext:PARAMETER_ARN": arn("s"),
        "kms:ViaService": "ssm.eu-west-3.amazonaws.com",
    }
    may = statement("kms:Decrypt", key, Condition={"StringEquals": bound})
    jar.client("iam").put_user_policy(UserName="reader", PolicyName="key", PolicyDocument=document(may))
    assert get(reader, "/s", WithDecryption=True) == SECRET
    put(store, "/u", SECRET, SECURE, KeyId=key)
    with refused("AccessDeniedException"):
        get(reader, "/u", WithDecryption=True)


@pytest.mark.parametrize("tier", ["Standard", "Advanced"])
def test_a_disabled_key_makes_it_unreadable(jar: TestJar, store: Any, tier: str) -> None:
    key, kms = customer_key(jar), jar.client("kms")
    put(store, "/s", SECRET, SECURE, KeyId=key, Tier=tier)
    kms.disable_key(KeyId=key)
    with refused("InvalidKeyId", "disabled"):
        get(store, "/s", WithDecryption=True)
    with refused("InvalidKeyId", "disabled"):
        put(store, "/s", "x", SECURE, KeyId=key, Overwrite=True)
    kms.enable_key(KeyId=key)
    assert get(store, "/s", WithDecryption=True) == SECRET
    assert store.get_parameter(Name="/s")["Parameter"]["Version"] == 1
    with refused("InvalidKeyId"):
        put(store, "/t", "x", SECURE, KeyId="alias/nowhere")


def test_a_secret_by_reference(jar: TestJar, store: Any) -> None:
    secrets = jar.client("secretsmanager")
    name = "/aws/reference/secretsmanager/prod/db"
    made = secrets.create_secret(Name="prod/db", SecretString=SECRET)
    found = store.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    assert (found["Name"], found["Type"], found["Value"], found["Version"]) == (name, SECURE, SECRET, 0)
    assert found["ARN"] == made["ARN"]
    assert json.loads(found["SourceResult"])["VersionId"] == made["VersionId"]
    secrets.put_secret_value(SecretId="prod/db", SecretString="new")
    values = {
        selector: get(store, f"{name}:{selector}", WithDecryption=True)
        for selector in ("AWSCURRENT", "AWSPREVIOUS", made["VersionId"])
    }
    assert list(values.values()) == ["new", SECRET, SECRET]
    with refused("ValidationException", "WithDecryption flag must be True"):
        store.get_parameter(Name=name)
    with refused("ParameterNotFound", "not found"):
        store.get_parameter(Name=f"{name}2", WithDecryption=True)
    several = store.get_parameters(Names=[name, f"{name}2"], WithDecryption=True)
    assert [p["Value"] for p in several["Parameters"]] == ["new"]
    assert several["InvalidParameters"] == [f"{name}2"]


def test_a_reference_needs_both_permissions(jar: TestJar) -> None:
    secret = jar.client("secretsmanager").create_secret(Name="s", SecretString=SECRET)["ARN"]
    name = "/aws/reference/secretsmanager/s"
    reader = user(jar, "reader", statement("ssm:GetParameter", arn(name)))
    with refused("AccessDeniedException", "secretsmanager:GetSecretValue"):
        get(reader, name, WithDecryption=True)
    may = statement("secretsmanager:GetSecretValue", secret)
    jar.client("iam").put_user_policy(UserName="reader", PolicyName="secret", PolicyDocument=document(may))
    assert get(reader, name, WithDecryption=True) == SECRET
    other = user(jar, "other", may)
    with refused("AccessDeniedException", "ssm:GetParameter"):
        get(other, name, WithDecryption=True)
