"""The key policy is the root of trust: who may, across users, roles, accounts, services and conditions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import OTHER, allow, deny, policy, refused, role, root, trust, user
from tests.services.kms.test_keys import made

ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def says(*principals: str, actions: str | list[str] = "kms:*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    """A statement of a key policy."""
    return {"Effect": effect, "Principal": {"AWS": list(principals)}, "Action": actions, "Resource": "*", **more}


def test_without_one_a_key_leaves_it_to_its_account(jar: TestJar) -> None:
    kms = root(jar, "kms")
    key = made(kms)
    answer = kms.get_key_policy(KeyId=key["KeyId"])
    assert answer["PolicyName"] == "default"
    (statement,) = json.loads(answer["Policy"])["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"AWS": ROOT}, "kms:*")
    assert kms.list_key_policies(KeyId=key["KeyId"])["PolicyNames"] == ["default"]
    with refused("NotFoundException", "No such policy exists"):
        kms.get_key_policy(KeyId=key["KeyId"], PolicyName="other")
    ann, bob = user(jar, "ann", allow("kms:Encrypt", on=key["Arn"])), user(jar, "bob")
    assert ann.client("kms").encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    with refused("AccessDeniedException", f"{bob.arn} is not authorized to perform: kms:Encrypt", key["Arn"]):
        bob.client("kms").encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    with refused("AccessDeniedException", "kms:DescribeKey"):
        ann.client("kms").describe_key(KeyId=key["KeyId"])


def test_iam_counts_only_where_the_policy_names_the_account(jar: TestJar) -> None:
    kms = root(jar, "kms")
    ann = user(jar, "ann", allow("kms:*"))
    bob = user(jar, "bob")
    only_bob = policy(says(bob.arn))
    key = made(kms, Policy=only_bob, BypassPolicyLockoutSafetyCheck=True)["KeyId"]
    assert bob.client("kms").encrypt(KeyId=key, Plaintext=b"x")
    for client in (ann.client("kms"), kms):
        with refused("AccessDeniedException", "kms:Encrypt"):
            client.encrypt(KeyId=key, Plaintext=b"x")
    bob.client("kms").put_key_policy(KeyId=key, Policy=policy(says(bob.arn), says(ROOT, actions="kms:Encrypt")),
                                     BypassPolicyLockoutSafetyCheck=True)  # fmt: skip
    assert ann.client("kms").encrypt(KeyId=key, Plaintext=b"x")
    with refused("AccessDeniedException", "kms:DisableKey"):
        ann.client("kms").disable_key(KeyId=key)


def test_a_deny_in_either_policy_wins(jar: TestJar) -> None:
    kms = root(jar, "kms")
    ann, bob = user(jar, "ann", allow("kms:*")), user(jar, "bob", allow("kms:*"), deny("kms:Encrypt"))
    document = policy(says(ROOT), says(ann.arn, actions="kms:Encrypt", effect="Deny"), says(bob.arn))
    key = made(kms, Policy=document)["KeyId"]
    for who in (ann, bob):
        with refused("AccessDeniedException", "explicit deny"):
            who.client("kms").encrypt(KeyId=key, Plaintext=b"x")
        assert who.client("kms").describe_key(KeyId=key)


def test_nobody_locks_himself_out_by_accident(jar: TestJar) -> None:
    kms = root(jar, "kms")
    key = made(kms)["KeyId"]
    bob = user(jar, "bob")
    words = "The new key policy will not allow you to update the key policy in the future."
    for document in (
        policy(says(bob.arn)),
        policy(says(ROOT, actions="kms:Encrypt")),
        policy(says(ROOT), says(ROOT, actions="kms:PutKeyPolicy", effect="Deny")),
        policy(says(ROOT, Condition={"StringEquals": {"kms:ViaService": "s3.eu-west-3.amazonaws.com"}})),
    ):
        with refused("MalformedPolicyDocumentException", words):
            kms.put_key_policy(KeyId=key, Policy=document)
        with refused("MalformedPolicyDocumentException", words):
            kms.create_key(Policy=document)
    kms.put_key_policy(KeyId=key, Policy=policy(says(bob.arn)), BypassPolicyLockoutSafetyCheck=True)
    with refused("AccessDeniedException", "kms:GetKeyPolicy"):
        kms.get_key_policy(KeyId=key)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("no json", ""),
        (policy(allow("kms:*")), ""),
        (policy(says(f"arn:aws:iam::{ACCOUNT}:user/ghost")), "one or more invalid principals"),
        (policy(says(f"arn:aws:iam::{ACCOUNT}:role/ghost")), "one or more invalid principals"),
        (policy(says("AIDAAAAAAAAAAAAAAAAAA")), "one or more invalid principals"),
        (policy({**says(), "Principal": {"Service": "not a service"}}), "one or more invalid principals"),
    ],
)
def test_policies_that_are_none(steady_jar: TestJar, document: str, words: str) -> None:
    kms = root(steady_jar, "kms")
    with refused("MalformedPolicyDocumentException", words):
        kms.create_key(Policy=document)
    assert kms.list_keys()["Keys"] == []


def test_a_namesake_of_a_deleted_user_is_somebody_else(jar: TestJar) -> None:
    kms, iam = root(jar, "kms"), root(jar, "iam")
    bob = user(jar, "bob")
    key = made(kms, Policy=policy(says(ROOT), says(bob.arn)))["KeyId"]
    assert bob.client("kms").encrypt(KeyId=key, Plaintext=b"x")
    bob_id = iam.get_user(UserName="bob")["User"]["UserId"]
    iam.delete_access_key(UserName="bob", AccessKeyId=bob.key)
    iam.delete_user(UserName="bob")
    again = user(jar, "bob")
    assert again.arn == bob.arn
    with refused("AccessDeniedException"):
        again.client("kms").encrypt(KeyId=key, Plaintext=b"x")
    shown = kms.get_key_policy(KeyId=key)["Policy"]
    assert bob_id in shown
    assert bob.arn not in shown
    kms.put_key_policy(KeyId=key, Policy=policy(says(ROOT), says(again.arn)))
    assert again.client("kms").encrypt(KeyId=key, Plaintext=b"x")


def test_across_accounts_both_sides_must_agree(jar: TestJar) -> None:
    kms = root(jar, "kms")
    far = f"arn:aws:iam::{OTHER}:root"
    guest = user(jar, "guest", allow("kms:*"), account=OTHER)
    idle = user(jar, "idle", account=OTHER)
    key = made(kms)
    with refused("AccessDeniedException"):
        guest.client("kms").encrypt(KeyId=key["Arn"], Plaintext=b"x")
    use = ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey", "kms:DisableKey"]
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(says(ROOT), says(far, actions=use)))
    kms.create_alias(AliasName="alias/shared", TargetKeyId=key["KeyId"])
    alias = f"arn:aws:kms:eu-west-3:{ACCOUNT}:alias/shared"
    for name in (key["Arn"], alias):
        blob = guest.client("kms").encrypt(KeyId=name, Plaintext=b"shared")["CiphertextBlob"]
        assert guest.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"shared"
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"shared"
    assert guest.client("kms").describe_key(KeyId=key["Arn"])["KeyMetadata"]["AWSAccountId"] == ACCOUNT
    with refused("AccessDeniedException"):
        idle.client("kms").encrypt(KeyId=key["Arn"], Plaintext=b"x")
    with refused("NotFoundException"):
        guest.client("kms").encrypt(KeyId=key["KeyId"], Plaintext=b"x")  # an id means one's own account
    with refused("AccessDeniedException", "kms:DisableKey"):
        guest.client("kms").disable_key(KeyId=key["Arn"])  # AWS does not offer it across accounts
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"


def test_a_role_named_by_a_policy_is_its_sessions(jar: TestJar) -> None:
    kms = root(jar, "kms")
    arn = role(jar, "worker", trust(ROOT))
    key = made(kms, Policy=policy(says(ROOT), says(arn, actions="kms:Encrypt")))["KeyId"]
    worker = user(jar, "boss", allow("sts:AssumeRole")).assume(arn)
    assert worker.client("kms").encrypt(KeyId=key, Plaintext=b"x")
    with refused("AccessDeniedException", "kms:DescribeKey"):
        worker.client("kms").describe_key(KeyId=key)


CONDITIONS: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"StringEquals": {"kms:EncryptionContext:tenant": "ann"}}, {"EncryptionContext": {"tenant": "ann"}},
     {"EncryptionContext": {"tenant": "bob"}}),
    ({"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["tenant"]}}, {"EncryptionContext": {"tenant": "x"}},
     {"EncryptionContext": {"tenant": "x", "b": "y"}}),
    ({"StringEquals": {"kms:RequestAlias": "alias/one"}}, {"KeyId": "alias/one"}, {}),
    ({"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/one"}}, {}, {"KeyId": "alias/two"}),
    ({"StringEquals": {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT", "kms:KeySpec": "SYMMETRIC_DEFAULT",
      "kms:KeyUsage": "ENCRYPT_DECRYPT", "kms:KeyOrigin": "AWS_KMS", "kms:CallerAccount": ACCOUNT,
      "aws:ResourceTag/stage": "dev"}, "Bool": {"kms:MultiRegion": "false"}}, {}, {"KeyId": "alias/two"}),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "yes", "no"), CONDITIONS)
def test_condition_keys_of_encryption(
    steady_jar: TestJar, condition: dict[str, Any], yes: dict[str, Any], no: dict[str, Any]
) -> None:
    kms = root(steady_jar, "kms")
    key = made(kms, Tags=[{"TagKey": "stage", "TagValue": "dev"}])["KeyId"]
    other = made(kms)["KeyId"]
    kms.create_alias(AliasName="alias/one", TargetKeyId=key)
    kms.create_alias(AliasName="alias/two", TargetKeyId=other)
    ann = user(steady_jar, "ann", allow("kms:Encrypt", Condition=condition)).client("kms")
    assert ann.encrypt(**{"KeyId": key, "Plaintext": b"x", **yes})
    with refused("AccessDeniedException", "kms:Encrypt"):
        ann.encrypt(**{"KeyId": key, "Plaintext": b"x", **no})


def test_condition_keys_of_administration(steady_jar: TestJar) -> None:
    kms = root(steady_jar, "kms")
    key = made(kms)["KeyId"]
    numbers = {"NumericGreaterThanEquals": {"kms:ScheduleKeyDeletionPendingWindowInDays": "20"}}
    careful = user(
        steady_jar, "careful",
        allow("kms:ScheduleKeyDeletion", Condition=numbers),
        allow("kms:EnableKeyRotation", Condition={"NumericLessThan": {"kms:RotationPeriodInDays": "200"}}),
        allow("kms:CreateKey", Condition={"StringEquals": {"kms:KeySpec": "HMAC_256", "aws:RequestTag/team": "red"}}),
        allow("kms:TagResource"),
        allow("kms:PutKeyPolicy", Condition={"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "false"}}),
    ).client("kms")  # fmt: skip
    tags = [{"TagKey": "team", "TagValue": "red"}]
    assert careful.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC", Tags=tags)
    with refused("AccessDeniedException", "kms:CreateKey"):
        careful.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    with refused("AccessDeniedException", "kms:CreateKey"):
        careful.create_key(Tags=tags)
    careful.enable_key_rotation(KeyId=key, RotationPeriodInDays=199)
    with refused("AccessDeniedException", "kms:EnableKeyRotation"):
        careful.enable_key_rotation(KeyId=key, RotationPeriodInDays=200)
    with refused("AccessDeniedException", "kms:PutKeyPolicy"):
        careful.put_key_policy(KeyId=key, Policy=policy(says(ROOT)), BypassPolicyLockoutSafetyCheck=True)
    with refused("AccessDeniedException", "kms:ScheduleKeyDeletion"):
        careful.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert careful.schedule_key_deletion(KeyId=key, PendingWindowInDays=20)


def test_reencryption_needs_both_permissions_each_on_its_key(steady_jar: TestJar) -> None:
    kms = root(steady_jar, "kms")
    one, other = made(kms), made(kms)
    blob = kms.encrypt(KeyId=one["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    moves = user(steady_jar, "mover", allow("kms:ReEncryptFrom", on=one["Arn"]),
                 allow("kms:ReEncryptTo", on=other["Arn"])).client("kms")  # fmt: skip
    assert moves.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other["KeyId"])
    with refused("AccessDeniedException", "kms:ReEncryptTo", one["Arn"]):
        moves.re_encrypt(CiphertextBlob=blob, DestinationKeyId=one["KeyId"])
    with refused("AccessDeniedException", "kms:Decrypt"):
        moves.decrypt(CiphertextBlob=blob)


def test_moving_an_alias_needs_the_alias_and_both_keys(steady_jar: TestJar) -> None:
    kms = root(steady_jar, "kms")
    one, other = made(kms)["Arn"], made(kms)["Arn"]
    kms.create_alias(AliasName="alias/a", TargetKeyId=one)
    places = [f"arn:aws:kms:eu-west-3:{ACCOUNT}:alias/a", one, other]
    for missing in places:
        name = f"no-{places.index(missing)}"
        almost = user(steady_jar, name, *(allow("kms:UpdateAlias", on=place) for place in places if place != missing))
        with refused("AccessDeniedException", missing):
            almost.client("kms").update_alias(AliasName="alias/a", TargetKeyId=other)
    mover = user(steady_jar, "mover", *(allow("kms:UpdateAlias", on=place) for place in places))
    mover.client("kms").update_alias(AliasName="alias/a", TargetKeyId=other)
    assert kms.describe_key(KeyId="alias/a")["KeyMetadata"]["Arn"] == other
