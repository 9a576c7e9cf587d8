"""SSE-S3, SSE-KMS, DSSE-KMS and SSE-C: whose key, who may, and what is told."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from tests.services.answers import document, refused, statement
from tests.services.s3.conftest import REGION, Bucket

KEY = b"0123456789abcdef0123456789abcdef"
OTHER = b"f123456789abcdef0123456789abcdef"


def kms_key(bucket: Bucket) -> str:
    arn: str = bucket.jar.client("kms", REGION).create_key()["KeyMetadata"]["Arn"]
    return arn


def calls(bucket: Bucket, name: str) -> list[dict[str, Any]]:
    """What KMS was asked on S3's behalf, by CloudTrail."""
    trail = bucket.jar.client("cloudtrail", REGION)
    found = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}])["Events"]
    return [json.loads(one["CloudTrailEvent"]) for one in found]


def test_a_key_of_kms(bucket: Bucket) -> None:
    arn = kms_key(bucket)
    put = bucket.put("k", b"jam" * 10_000, ServerSideEncryption="aws:kms", SSEKMSKeyId=arn)
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms", arn)
    assert put["ETag"] != f'"{hashlib.md5(b"jam" * 10_000).hexdigest()}"'
    assert bucket.read("k") == b"jam" * 10_000
    made = calls(bucket, "GenerateDataKey")[0]
    assert made["requestParameters"]["encryptionContext"] == {"aws:s3:arn": f"arn:aws:s3:::{bucket.name}/k"}
    head = bucket.head("k")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"], head["ETag"]) == ("aws:kms", arn, put["ETag"])
    bucket.jar.client("kms", REGION).disable_key(KeyId=arn)
    with refused("KMS.DisabledException"):
        bucket.read("k")
    with refused("KMS.DisabledException"):
        bucket.put("l", b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=arn)
    assert bucket.head("k")["ContentLength"] == 30_000
    with refused("KMS.NotFoundException"):
        bucket.put("l", b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=arn[:-4] + "0000")


def test_the_managed_key_is_made_when_it_is_needed(bucket: Bucket) -> None:
    put = bucket.put("k", b"jam", ServerSideEncryption="aws:kms")
    aliases = bucket.jar.client("kms", REGION).list_aliases()["Aliases"]
    managed = [one["TargetKeyId"] for one in aliases if one["AliasName"] == "alias/aws/s3"]
    assert put["SSEKMSKeyId"].rpartition("/")[2] in managed
    assert bucket.read("k") == b"jam"


def test_two_layers(bucket: Bucket) -> None:
    put = bucket.put("k", b"jam", ServerSideEncryption="aws:kms:dsse", SSEKMSKeyId=kms_key(bucket))
    assert put["ServerSideEncryption"] == "aws:kms:dsse"
    assert bucket.read("k") == b"jam"


def test_the_buckets_default_and_its_bucket_key(bucket: Bucket) -> None:
    arn = kms_key(bucket)
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn},
        "BucketKeyEnabled": True,
    }
    bucket.s3.put_bucket_encryption(Bucket=bucket.name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    put = bucket.put("k", b"jam")
    assert (put["SSEKMSKeyId"], put["BucketKeyEnabled"]) == (arn, True)
    bucket.put("l", b"jelly")
    assert (bucket.read("k"), bucket.read("l")) == (b"jam", b"jelly")
    made = calls(bucket, "GenerateDataKey")
    assert {one["requestParameters"]["encryptionContext"]["aws:s3:arn"] for one in made} == {
        f"arn:aws:s3:::{bucket.name}"
    }
    assert len(made) == (2 if bucket.jar.reborn else 1)
    assert bucket.put("m", b"x", ServerSideEncryption="AES256")["ServerSideEncryption"] == "AES256"


def test_the_clients_context(bucket: Bucket) -> None:
    context = base64.b64encode(b'{"fruit": "plum"}').decode()
    put = bucket.put("k", b"jam", ServerSideEncryption="aws:kms", SSEKMSEncryptionContext=context)
    assert json.loads(base64.b64decode(put["SSEKMSEncryptionContext"])) == {"fruit": "plum"}
    assert bucket.read("k") == b"jam"
    assert calls(bucket, "Decrypt")[0]["requestParameters"]["encryptionContext"]["fruit"] == "plum"
    with refused("InvalidArgument", "shall be Base64-encoded UTF-8 string holding JSON"):
        bucket.put("k", b"jam", ServerSideEncryption="aws:kms", SSEKMSEncryptionContext="nonsense")


def test_who_may_not_use_the_key_may_not_read(bucket: Bucket) -> None:
    arn = kms_key(bucket)
    bucket.put("k", b"jam", ServerSideEncryption="aws:kms", SSEKMSKeyId=arn)
    iam = bucket.jar.client("iam")
    iam.create_user(UserName="pip")
    iam.put_user_policy(UserName="pip", PolicyName="s3", PolicyDocument=document(statement("s3:*")))
    key = iam.create_access_key(UserName="pip")["AccessKey"]
    s3 = bucket.jar.client(
        "s3", REGION, key["AccessKeyId"], key["SecretAccessKey"], s3={"addressing_style": "path"}
    )
    with refused("AccessDenied", "kms:Decrypt", status=403):
        s3.get_object(Bucket=bucket.name, Key="k")
    assert s3.head_object(Bucket=bucket.name, Key="k")["ContentLength"] == 3
    with refused("AccessDenied", "kms:GenerateDataKey", status=403):
        s3.put_object(Bucket=bucket.name, Key="l", Body=b"", ServerSideEncryption="aws:kms", SSEKMSKeyId=arn)
    via = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    policy = document(statement("s3:*"), statement("kms:Decrypt", arn, Condition=via))
    iam.put_user_policy(UserName="pip", PolicyName="s3", PolicyDocument=policy)
    assert s3.get_object(Bucket=bucket.name, Key="k")["Body"].read() == b"jam"


def test_a_clients_key_is_asked_for_again(bucket: Bucket) -> None:
    mine: dict[str, Any] = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
    put = bucket.put("k", b"jam" * 10_000, **mine)
    md5 = base64.b64encode(hashlib.md5(KEY).digest()).decode()
    assert (put["SSECustomerAlgorithm"], put["SSECustomerKeyMD5"]) == ("AES256", md5)
    assert "ServerSideEncryption" not in put
    assert bucket.read("k", **mine) == b"jam" * 10_000
    assert bucket.head("k", **mine)["ContentLength"] == 30_000
    with refused("InvalidRequest", "The object was stored using a form of Server Side Encryption."):
        bucket.read("k")
    with refused("400"):
        bucket.head("k")
    with refused("AccessDenied", status=403):
        bucket.read("k", SSECustomerAlgorithm="AES256", SSECustomerKey=OTHER)
    bucket.put("plain", b"x")
    with refused("InvalidRequest", "The encryption parameters are not applicable to this object."):
        bucket.read("plain", **mine)
    with refused("InvalidArgument", "The secret key was invalid for the specified algorithm."):
        bucket.put("k", b"", SSECustomerAlgorithm="AES256", SSECustomerKey=b"short")
    with refused("InvalidArgument", "The calculated MD5 hash of the key did not match"):
        text = base64.b64encode(KEY).decode()
        bucket.put("k", b"", **mine | {"SSECustomerKey": text, "SSECustomerKeyMD5": md5[:-4] + "AA=="})
    with refused("InvalidEncryptionAlgorithmError"):
        bucket.put("k", b"", SSECustomerAlgorithm="AES128", SSECustomerKey=KEY)


def test_keys_change_by_copying(bucket: Bucket) -> None:
    bucket.put("k", b"jam" * 10_000, SSECustomerAlgorithm="AES256", SSECustomerKey=KEY)
    source = {"Bucket": bucket.name, "Key": "k"}
    where = {"Bucket": bucket.name, "CopySource": source}
    opens = {"CopySourceSSECustomerAlgorithm": "AES256", "CopySourceSSECustomerKey": KEY}
    with refused("InvalidRequest"):
        bucket.s3.copy_object(**where, Key="l")
    bucket.s3.copy_object(**where, **opens, Key="l", ServerSideEncryption="aws:kms")
    assert bucket.read("l") == b"jam" * 10_000
    bucket.s3.copy_object(**where, **opens, Key="m", SSECustomerAlgorithm="AES256", SSECustomerKey=OTHER)
    assert bucket.read("m", SSECustomerAlgorithm="AES256", SSECustomerKey=OTHER) == b"jam" * 10_000
    told = bucket.s3.copy_object(**where, **opens, Key="n")["CopyObjectResult"]
    assert told["ETag"] == f'"{hashlib.md5(b"jam" * 10_000).hexdigest()}"'


def test_parts_under_a_clients_key(bucket: Bucket) -> None:
    mine: dict[str, Any] = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
    where = {"Bucket": bucket.name, "Key": "k"}
    upload = bucket.s3.create_multipart_upload(**where, **mine)["UploadId"]
    with refused("InvalidRequest", "Subsequent part requests must include the appropriate encryption parameters."):
        bucket.s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"jam")
    with refused("InvalidRequest", "did not match the ones used originally"):
        bucket.s3.upload_part(
            **where, UploadId=upload, PartNumber=1, Body=b"jam", SSECustomerAlgorithm="AES256", SSECustomerKey=OTHER
        )
    sent = bucket.s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"jam", **mine)
    parts = [{"PartNumber": 1, "ETag": sent["ETag"]}]
    bucket.s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    assert bucket.read("k", **mine) == b"jam"


def test_what_contradicts_itself(bucket: Bucket) -> None:
    with refused("InvalidArgument", "requires HTTP header x-amz-server-side-encryption : aws:kms"):
        bucket.put("k", b"", ServerSideEncryption="AES256", SSEKMSKeyId="alias/x")
    with refused("InvalidArgument", "incompatible with the encryption method specified"):
        bucket.put("k", b"", ServerSideEncryption="AES256", SSECustomerAlgorithm="AES256", SSECustomerKey=KEY)


def test_the_key_is_changed_and_nothing_else(bucket: Bucket) -> None:
    arn = kms_key(bucket)
    for key, body in (("small", b"jam"), ("large", b"jam" * 10_000)):
        etag = bucket.put(key, body)["ETag"]
        asked = {"SSEKMS": {"KMSKeyArn": arn, "BucketKeyEnabled": True}}
        bucket.s3.update_object_encryption(Bucket=bucket.name, Key=key, ObjectEncryption=asked)
        head = bucket.head(key)
        assert (head["SSEKMSKeyId"], head["BucketKeyEnabled"], head["ETag"]) == (arn, True, etag)
        assert bucket.read(key) == body
    bucket.put("mine", b"x", SSECustomerAlgorithm="AES256", SSECustomerKey=KEY)
    with refused("InvalidRequest", "cannot be updated"):
        asked = {"SSEKMS": {"KMSKeyArn": arn}}
        bucket.s3.update_object_encryption(Bucket=bucket.name, Key="mine", ObjectEncryption=asked)
