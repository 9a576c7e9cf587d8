"""Grants: permissions beside the key policy, with their constraints, and their end."""

from __future__ import annotations

from typing import Any

import pytest

from cloudjar.base import caller
from cloudjar.base.errors import AwsError
from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import OTHER, Person, allow, policy, refused, role, root, trust, user
from tests.services.kms.test_keys import made
from tests.services.kms.test_policies import ROOT, says


def granted(kms: Any, key: str, who: Person | str, *operations: str, **more: Any) -> dict[str, Any]:
    """A new grant's token and id."""
    arn = who if isinstance(who, str) else who.arn
    found: dict[str, Any] = kms.create_grant(KeyId=key, GranteePrincipal=arn, Operations=list(operations), **more)
    return {"GrantToken": found["GrantToken"], "GrantId": found["GrantId"]}


def test_a_grant_lets_somebody_do_just_that(jar: TestJar) -> None:
    kms, bob = root(jar, "kms"), user(jar, "bob")
    key = made(kms)
    grant = granted(kms, key["KeyId"], bob, "Encrypt", "DescribeKey", RetiringPrincipal=ROOT, Name="for-bob")
    his = bob.client("kms")
    assert his.encrypt(KeyId=key["KeyId"], Plaintext=b"x", GrantTokens=[grant["GrantToken"]])
    assert his.describe_key(KeyId=key["KeyId"])
    with refused("AccessDeniedException", "kms:GenerateDataKey"):
        his.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")
    with refused("AccessDeniedException"):
        his.encrypt(KeyId=made(kms)["KeyId"], Plaintext=b"x")
    (shown,) = kms.list_grants(KeyId=key["KeyId"])["Grants"]
    created = shown.pop("CreationDate")
    assert created == jar.clock.now()
    assert shown == {
        "KeyId": key["Arn"], "GrantId": grant["GrantId"], "Name": "for-bob", "GranteePrincipal": bob.arn,
        "RetiringPrincipal": ROOT, "IssuingAccount": ROOT, "Operations": ["Encrypt", "DescribeKey"],
    }  # fmt: skip
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=grant["GrantId"])
    with refused("AccessDeniedException"):
        his.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    with refused("InvalidGrantIdException"):
        kms.revoke_grant(KeyId=key["KeyId"], GrantId=grant["GrantId"])


def test_the_same_name_and_content_is_the_same_grant(steady_jar: TestJar) -> None:
    kms, bob = root(steady_jar, "kms"), user(steady_jar, "bob")
    key = made(kms)["KeyId"]
    first = granted(kms, key, bob, "Encrypt", Name="n")
    assert granted(kms, key, bob, "Encrypt", Name="n")["GrantId"] == first["GrantId"]
    assert granted(kms, key, bob, "Decrypt", Name="n")["GrantId"] != first["GrantId"]
    assert granted(kms, key, bob, "Encrypt")["GrantId"] != granted(kms, key, bob, "Encrypt")["GrantId"]


@pytest.mark.parametrize(
    ("kind", "yes", "no"),
    [
        ("EncryptionContextEquals", [{"a": "1", "b": "${x}"}], [{}, {"a": "1"}, {"a": "1", "b": "${x}", "c": "3"},
                                                               {"A": "1", "b": "${x}"}]),
        ("EncryptionContextSubset", [{"a": "1", "b": "${x}"}, {"a": "1", "b": "${x}", "c": "3"}],
         [{}, {"a": "1"}, {"a": "1", "b": "x"}, {"A": "1", "b": "${x}"}]),
    ],
)  # fmt: skip
def test_constraints_on_the_encryption_context(
    steady_jar: TestJar, kind: str, yes: list[dict[str, str]], no: list[dict[str, str]]
) -> None:
    kms, bob = root(steady_jar, "kms"), user(steady_jar, "bob")
    key = made(kms)["KeyId"]
    granted(kms, key, bob, "Encrypt", "Decrypt", "DescribeKey", Constraints={kind: {"a": "1", "b": "${x}"}})
    his = bob.client("kms")
    for context in yes:
        blob = his.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
        assert his.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == b"x"
    for context in no:
        with refused("AccessDeniedException", "kms:Encrypt"):
            his.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)
    assert his.describe_key(KeyId=key)  # has no context: the constraint does not bear on it


def test_a_grantee_may_pass_on_no_more_than_he_has(jar: TestJar) -> None:
    kms, bob, eve = root(jar, "kms"), user(jar, "bob"), user(jar, "eve")
    key = made(kms)["KeyId"]
    limits = {"EncryptionContextSubset": {"a": "1"}}
    granted(kms, key, bob, "Encrypt", "CreateGrant", Constraints=limits)
    his = bob.client("kms")
    for operations, more in (
        (["Decrypt"], {"Constraints": limits}),
        (["Encrypt", "Decrypt"], {"Constraints": limits}),
        (["Encrypt"], {}),
        (["Encrypt"], {"Constraints": {"EncryptionContextSubset": {"a": "2"}}}),
    ):
        with refused("AccessDeniedException", "kms:CreateGrant"):
            granted(his, key, eve, *operations, **more)
    granted(his, key, eve, "Encrypt", Constraints={"EncryptionContextEquals": {"a": "1", "b": "2"}})
    hers = eve.client("kms")
    assert hers.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "1", "b": "2"})
    with refused("AccessDeniedException"):
        hers.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "1"})


def test_a_deny_in_the_key_policy_is_stronger_than_a_grant(steady_jar: TestJar) -> None:
    kms, bob = root(steady_jar, "kms"), user(steady_jar, "bob")
    key = made(kms, Policy=policy(says(ROOT), says(bob.arn, actions="kms:Encrypt", effect="Deny")))["KeyId"]
    granted(kms, key, bob, "Encrypt")
    with refused("AccessDeniedException", "explicit deny"):
        bob.client("kms").encrypt(KeyId=key, Plaintext=b"x")


def test_who_may_retire(jar: TestJar) -> None:
    kms, iam = root(jar, "kms"), root(jar, "iam")
    bob, ann, eve = user(jar, "bob"), user(jar, "ann"), user(jar, "eve", allow("kms:Encrypt"))
    key = made(kms)["KeyId"]
    plain = granted(kms, key, bob, "Encrypt", RetiringPrincipal=ann.arn)
    for who in (bob, eve):
        with refused("AccessDeniedException", "kms:RetireGrant"):
            who.client("kms").retire_grant(GrantToken=plain["GrantToken"])
    assert [g["GrantId"] for g in kms.list_retirable_grants(RetiringPrincipal=ann.arn)["Grants"]] == [plain["GrantId"]]
    ann.client("kms").retire_grant(GrantToken=plain["GrantToken"])
    own = granted(kms, key, bob, "Encrypt", "RetireGrant")
    other = granted(kms, key, bob, "Encrypt")
    with refused("AccessDeniedException"):
        bob.client("kms").retire_grant(KeyId=key, GrantId=other["GrantId"])
    bob.client("kms").retire_grant(KeyId=key, GrantId=own["GrantId"])
    kms.retire_grant(KeyId=key, GrantId=other["GrantId"])
    assert kms.list_grants(KeyId=key)["Grants"] == []
    with refused("InvalidGrantTokenException"):
        kms.retire_grant(GrantToken="bm9uc2Vuc2U=")
    assert iam.get_user(UserName="bob")


def test_grants_for_roles_other_accounts_and_namesakes(jar: TestJar) -> None:
    kms, iam = root(jar, "kms"), root(jar, "iam")
    key = made(kms)
    worker = role(jar, "worker", trust(ROOT))
    granted(kms, key["KeyId"], worker, "Encrypt")
    session = user(jar, "boss", allow("sts:AssumeRole")).assume(worker)
    assert session.client("kms").encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    guest = user(jar, "guest", allow("kms:Encrypt"), account=OTHER)
    granted(kms, key["KeyId"], guest, "Encrypt")
    assert guest.client("kms").encrypt(KeyId=key["Arn"], Plaintext=b"x")
    bob = user(jar, "bob")
    granted(kms, key["KeyId"], bob, "Encrypt")
    iam.delete_access_key(UserName="bob", AccessKeyId=bob.key)
    iam.delete_user(UserName="bob")
    with refused("AccessDeniedException"):
        user(jar, "bob").client("kms").encrypt(KeyId=key["KeyId"], Plaintext=b"x")


def test_grants_that_cannot_be(steady_jar: TestJar) -> None:
    kms, bob = root(steady_jar, "kms"), user(steady_jar, "bob")
    key = made(kms)["KeyId"]
    signs = made(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyId"]
    with refused("ValidationException", "Sign"):
        granted(kms, key, bob, "Sign")
    with refused("ValidationException", "symmetric"):
        granted(kms, signs, bob, "Sign", Constraints={"EncryptionContextEquals": {"a": "1"}})
    with refused("InvalidArnException"):
        granted(kms, key, f"arn:aws:iam::{ACCOUNT}:user/ghost", "Encrypt")
    with refused("ValidationException"):
        kms.create_grant(KeyId=key, Operations=["Encrypt"])


def test_a_service_uses_its_grant_for_the_resource_it_was_made_for(steady_jar: TestJar) -> None:
    kms = root(steady_jar, "kms")
    key = made(kms)["KeyId"]
    table = f"arn:aws:dynamodb:eu-west-3:{ACCOUNT}:table/letters"
    kms.create_grant(
        KeyId=key, GranteeServicePrincipal="dynamodb.amazonaws.com", Operations=["Encrypt"],
        RetiringPrincipal=ROOT, Constraints={"SourceArn": table},
    )  # fmt: skip
    invoke = steady_jar.jar.world.invoke
    assert invoke is not None
    asked = {"KeyId": key, "Plaintext": b"x"}

    def call(source: str) -> dict[str, Any]:
        return invoke("kms", "Encrypt", asked, caller.service("dynamodb.amazonaws.com", ACCOUNT, source), "eu-west-3")

    assert call(table)["CiphertextBlob"]
    with pytest.raises(AwsError, match="AccessDenied"):
        call(f"{table}-2")
    (shown,) = kms.list_grants(KeyId=key)["Grants"]
    assert shown["GranteeServicePrincipal"] == "dynamodb.amazonaws.com"
    assert shown["Constraints"] == {"SourceArn": table}
