"""When a key was last used."""

from __future__ import annotations

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import OTHER, allow, policy, refused, root, user
from tests.services.kms.test_keys import made
from tests.services.kms.test_policies import ROOT, says


def test_the_last_successful_use_counts(jar: TestJar) -> None:
    kms = jar.client("kms")
    key, other = made(kms), made(kms)["KeyId"]
    name = key["KeyId"]
    answer = kms.get_key_last_usage(KeyId=name)
    assert answer["KeyLastUsage"] == {}
    assert (answer["KeyId"], answer["TrackingStartDate"]) == (name, key["CreationDate"])
    blob = kms.encrypt(KeyId=name, Plaintext=b"x")["CiphertextBlob"]
    jar.advance(hours=1)
    moment = jar.clock.now()
    request = kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other)["ResponseMetadata"]["RequestId"]
    jar.advance(hours=1)
    with refused("InvalidCiphertextException"):
        kms.decrypt(CiphertextBlob=blob, EncryptionContext={"not": "it"})
    kms.describe_key(KeyId=name)
    for used in (name, other):
        usage = kms.get_key_last_usage(KeyId=used)["KeyLastUsage"]
        assert (usage["Operation"], usage["Timestamp"], usage["KmsRequestId"]) == ("ReEncrypt", moment, request)
    events = jar.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventId", "AttributeValue": usage["CloudTrailEventId"]}]
    )["Events"]
    assert [event["EventName"] for event in events] == ["ReEncrypt"]
    with refused("NotFoundException"):
        kms.get_key_last_usage(KeyId="alias/none")


def test_another_accounts_use_is_the_keys_use(steady_jar: TestJar) -> None:
    kms = root(steady_jar, "kms")
    guest = user(steady_jar, "guest", allow("kms:Encrypt"), account=OTHER)
    shared = policy(says(ROOT), says(f"arn:aws:iam::{OTHER}:root", actions="kms:Encrypt"))
    key = made(kms, Policy=shared)
    assert guest.client("kms").encrypt(KeyId=key["Arn"], Plaintext=b"x")
    usage = kms.get_key_last_usage(KeyId=key["KeyId"])["KeyLastUsage"]
    assert usage["Operation"] == "Encrypt"
    assert steady_jar.jar.audit.by_request(usage["KmsRequestId"]) is not None
    assert key["AWSAccountId"] == ACCOUNT
