"""DSSE-KMS: either lock alone opens nothing."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.services.s3.objects.data_keys import unsealed_with
from cloudjar.services.s3.objects.index import index
from tests.services.s3.conftest import REGION, Bucket

DSSE: dict[str, Any] = {"ServerSideEncryption": "aws:kms:dsse"}


def test_both_keys_are_needed(bucket: Bucket) -> None:
    kms = bucket.jar.client("kms", REGION)
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    bucket.put("k", b"jam" * 10_000, **DSSE, SSEKMSKeyId=arn)
    world = bucket.jar.jar.world
    version = index(world).current("jam", "k")
    assert version is not None
    assert version.content is not None
    assert version.sse is not None
    box, purpose = version.content.key, "s3:jam/k"
    context = {"aws:s3:arn": "arn:aws:s3:::jam/k"}
    plain = kms.decrypt(CiphertextBlob=version.sse.data_key, EncryptionContext=context)["Plaintext"]
    assert unsealed_with(plain, box, purpose) is None  # with what KMS gives alone
    inner = world.sealer.open(box, purpose)
    assert inner is not None
    assert len(inner) > 32  # with the installation's key alone there is another box
    key = unsealed_with(plain, inner, purpose)
    assert key is not None
    assert len(key) == 32
    assert world.sealer.open(box, "s3:jam/other") is None  # it is the box of this object alone


def test_without_the_key_there_is_no_object(bucket: Bucket) -> None:
    kms = bucket.jar.client("kms", REGION)
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    bucket.put("k", b"jam", **DSSE, SSEKMSKeyId=arn, BucketKeyEnabled=True)
    assert "BucketKeyEnabled" not in bucket.head("k")
    bucket.s3.copy_object(Bucket="jam", Key="plain", CopySource="jam/k", ServerSideEncryption="AES256")
    kms.disable_key(KeyId=arn)
    with pytest.raises(ClientError, match="DisabledException"):
        bucket.read("k")
    assert bucket.read("plain") == b"jam"
