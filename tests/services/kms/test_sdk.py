"""AWS's own encryption SDK with our keys: what it wraps here it must be able to open here, and nowhere else."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from cloudjar.kit.record import meta
from cloudjar.services.kms.records import Key
from tests.jar import TestJar
from tests.services.kms.test_keys import made
from tests.services.kms.test_regions import HERE, THERE

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    sdk = pytest.importorskip("aws_encryption_sdk", reason="the AWS Encryption SDK is not installed")

CONTEXT = {"purpose": "letters"}


@pytest.fixture
def client() -> Iterator[Any]:
    """The SDK as its users have it: committing algorithms, signed messages."""
    yield sdk.EncryptionSDKClient(commitment_policy=sdk.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)


class Provider(sdk.StrictAwsKmsMasterKeyProvider):  # type: ignore[misc]  # the library has no types
    """The SDK's provider, with clients of the jar instead of AWS."""

    def __init__(self, jar: TestJar, **kwargs: Any) -> None:
        self._jar = jar
        super().__init__(**kwargs)

    def __new__(cls, jar: TestJar, **kwargs: Any) -> Any:
        made_new = super().__new__(cls, **kwargs)
        made_new._jar = jar
        return made_new

    def _client(self, key_id: str) -> Any:
        return self._jar.client("kms", key_id.split(":")[3])


def test_messages_go_through(steady_jar: TestJar, client: Any) -> None:
    key = made(steady_jar.client("kms"))
    provider = Provider(steady_jar, key_ids=[key["Arn"]])
    letter = b"dear bob" * 1000
    sealed, _ = client.encrypt(source=letter, key_provider=provider, encryption_context=CONTEXT)
    opened, header = client.decrypt(source=sealed, key_provider=provider)
    assert opened == letter
    assert header.encryption_context.items() >= CONTEXT.items()
    events = steady_jar.client("cloudtrail").lookup_events()["Events"]
    assert {"GenerateDataKey", "Decrypt"} <= {event["EventName"] for event in events}


def test_a_second_key_opens_when_the_first_is_asleep(steady_jar: TestJar, client: Any) -> None:
    kms = steady_jar.client("kms")
    one, other = made(kms), made(kms)
    both = Provider(steady_jar, key_ids=[one["Arn"], other["Arn"]])
    sealed, _ = client.encrypt(source=b"dear bob", key_provider=both, encryption_context=CONTEXT)
    kms.disable_key(KeyId=one["KeyId"])
    opened, _ = client.decrypt(source=sealed, key_provider=Provider(steady_jar, key_ids=[other["Arn"]]))
    assert opened == b"dear bob"
    with pytest.raises(Exception, match="[Uu]nable to decrypt"):
        client.decrypt(source=sealed, key_provider=Provider(steady_jar, key_ids=[one["Arn"]]))


def test_a_multi_region_key_opens_elsewhere(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms", HERE)
    key = made(kms, MultiRegion=True)
    kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion=THERE)
    blob = kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")
    far = steady_jar.client("kms", THERE).decrypt(CiphertextBlob=blob["CiphertextBlob"])
    assert far["Plaintext"] == blob["Plaintext"]
    stored = steady_jar.jar.world.state.tables.all(meta(Key).spec, None, None)
    assert {replace(one, region="").id for one in stored} == {key["KeyId"]}
