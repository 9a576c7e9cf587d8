"""AWS's own encryption SDK with our keys: what it wraps here it must be able to open here, and nowhere else."""

from __future__ import annotations

from typing import Any

import aws_encryption_sdk as sdk  # type: ignore[import-untyped]  # the library has no types
import pytest
from aws_encryption_sdk.key_providers import kms as providers  # type: ignore[import-untyped]  # neither here

from tests.jar import TestJar
from tests.services.kms.test_keys import made
from tests.services.kms.test_regions import HERE, THERE

CONTEXT = {"purpose": "letters"}


@pytest.fixture
def client() -> Any:
    """The SDK as its users have it: committing algorithms, signed messages."""
    return sdk.EncryptionSDKClient(commitment_policy=sdk.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)


class _OfTheJar:
    """Has the SDK's providers ask the jar instead of AWS."""

    jar: TestJar

    def _client(self, key_id: str) -> Any:
        return self.jar.client("kms", key_id.split(":")[3])


class Strict(_OfTheJar, providers.StrictAwsKmsMasterKeyProvider):  # type: ignore[misc]  # the library has no types
    """Just these keys."""


class MultiRegion(_OfTheJar, providers.MRKAwareStrictAwsKmsMasterKeyProvider):  # type: ignore[misc]  # neither here
    """These keys or their replicas."""


def provider(kind: type[_OfTheJar], jar: TestJar, *arns: str) -> Any:
    """A key provider of the SDK."""
    kind.jar = jar
    return kind(key_ids=list(arns))  # type: ignore[call-arg]  # the SDK's own


def test_messages_go_through(steady_jar: TestJar, client: Any) -> None:
    key = made(steady_jar.client("kms"))
    keys = provider(Strict, steady_jar, key["Arn"])
    letter = b"dear bob" * 1000
    sealed, _ = client.encrypt(source=letter, key_provider=keys, encryption_context=CONTEXT)
    opened, header = client.decrypt(source=sealed, key_provider=keys)
    assert opened == letter
    assert header.encryption_context.items() >= CONTEXT.items()
    events = steady_jar.client("cloudtrail").lookup_events()["Events"]
    assert {"GenerateDataKey", "Decrypt"} <= {event["EventName"] for event in events}


def test_a_second_key_opens_when_the_first_is_asleep(steady_jar: TestJar, client: Any) -> None:
    kms = steady_jar.client("kms")
    one, other = made(kms), made(kms)
    both = provider(Strict, steady_jar, one["Arn"], other["Arn"])
    sealed, _ = client.encrypt(source=b"dear bob", key_provider=both, encryption_context=CONTEXT)
    kms.disable_key(KeyId=one["KeyId"])
    opened, _ = client.decrypt(source=sealed, key_provider=provider(Strict, steady_jar, other["Arn"]))
    assert opened == b"dear bob"
    with pytest.raises(Exception, match=r"[Uu]nable to decrypt"):
        client.decrypt(source=sealed, key_provider=provider(Strict, steady_jar, one["Arn"]))


def test_a_multi_region_key_opens_elsewhere(steady_jar: TestJar, client: Any) -> None:
    kms = steady_jar.client("kms", HERE)
    key = made(kms, MultiRegion=True)
    replica = kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion=THERE)["ReplicaKeyMetadata"]
    primary = provider(MultiRegion, steady_jar, key["Arn"])
    sealed, _ = client.encrypt(source=b"dear bob", key_provider=primary, encryption_context=CONTEXT)
    kms.disable_key(KeyId=key["KeyId"])
    opened, _ = client.decrypt(source=sealed, key_provider=provider(MultiRegion, steady_jar, replica["Arn"]))
    assert opened == b"dear bob"
