"""Who may read: policies of users, of secrets and of keys, here and from another account."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.secretsmanager.asking import REGION, SECRET, document, refused, statement, token, user

OTHER = "111122223333"
READ = "secretsmanager:GetSecretValue"


def reading(jar: TestJar, who: dict[str, str]) -> Any:
    return jar.client("secretsmanager", **who)


def stranger(jar: TestJar, *statements: dict[str, Any]) -> tuple[dict[str, str], str]:
    """A user of another account, who may do what the statements say; (credentials, ARN)."""
    iam = jar.client("iam", key=OTHER)
    iam.create_user(UserName="stranger")
    iam.put_user_policy(UserName="stranger", PolicyName="may", PolicyDocument=document(*statements))
    key = iam.create_access_key(UserName="stranger")["AccessKey"]
    return {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}, f"arn:aws:iam::{OTHER}:user/stranger"


def customer_key(jar: TestJar, *more: dict[str, Any]) -> str:
    """A customer's key; its ARN. Its policy leaves the account to its own policies, and says `more`."""
    root = statement("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    made = jar.client("kms").create_key(Policy=document(root, *more))
    return str(made["KeyMetadata"]["Arn"])


def test_a_user_reads_what_he_may_and_nothing_else(jar: TestJar, secrets: Any) -> None:
    mine = secrets.create_secret(Name="app/mine", SecretString=SECRET)["ARN"]
    secrets.create_secret(Name="app/other", SecretString=SECRET)
    client = reading(jar, user(jar, "reader", statement(READ, mine[:-6] + "??????")))
    for name in ("app/mine", mine):
        assert client.get_secret_value(SecretId=name)["SecretString"] == SECRET
    with refused("AccessDeniedException", f"not authorized to perform: {READ} on resource: arn:aws:secretsmanager:"):
        client.get_secret_value(SecretId="app/other")
    with refused("AccessDeniedException"):
        client.get_secret_value(SecretId="app/nowhere")
    with refused("AccessDeniedException"):
        client.describe_secret(SecretId="app/mine")


@pytest.mark.parametrize(
    ("condition", "given", "allowed"),
    [
        ({"secretsmanager:VersionStage": "AWSCURRENT"}, {"VersionStage": "AWSCURRENT"}, True),
        ({"secretsmanager:VersionStage": "AWSCURRENT"}, {}, False),
        ({"secretsmanager:VersionId": token(1)}, {"VersionId": token(1)}, True),
        ({"secretsmanager:ResourceTag/env": "dev"}, {}, True),
        ({"aws:ResourceTag/env": "prod"}, {}, False),
        ({"secretsmanager:SecretPrimaryRegion": REGION}, {}, True),
    ],
)
def test_conditions_of_reading(
    steady_jar: TestJar, condition: dict[str, str], given: dict[str, str], allowed: bool
) -> None:
    root = steady_jar.client("secretsmanager")
    root.create_secret(
        Name="s", SecretString=SECRET, ClientRequestToken=token(1), Tags=[{"Key": "env", "Value": "dev"}]
    )
    client = reading(steady_jar, user(steady_jar, "u", statement(READ, Condition={"StringEquals": condition})))
    if allowed:
        assert client.get_secret_value(SecretId="s", **given)["SecretString"] == SECRET
    else:
        with refused("AccessDeniedException"):
            client.get_secret_value(SecretId="s", **given)


def test_conditions_of_writing(steady_jar: TestJar) -> None:
    slowly = {"NumericGreaterThanEquals": {"secretsmanager:RecoveryWindowInDays": "14"}}
    may = [
        statement("secretsmanager:CreateSecret", Condition={"StringLike": {"secretsmanager:Name": "team/*"}}),
        statement("secretsmanager:TagResource", Condition={"StringEquals": {"aws:RequestTag/team": "red"}}),
        statement("secretsmanager:DeleteSecret", Condition=slowly),
    ]
    client = reading(steady_jar, user(steady_jar, "u", *may))
    client.create_secret(Name="team/a", SecretString=SECRET)
    client.create_secret(Name="team/b", Tags=[{"Key": "team", "Value": "red"}])
    with refused("AccessDeniedException", "secretsmanager:CreateSecret"):
        client.create_secret(Name="mine/a")
    with refused("AccessDeniedException", "secretsmanager:TagResource"):
        client.create_secret(Name="team/c", Tags=[{"Key": "team", "Value": "blue"}])
    with refused("AccessDeniedException", "secretsmanager:ReplicateSecretToRegions"):
        client.create_secret(Name="team/d", AddReplicaRegions=[{"Region": "us-east-1"}])
    with refused("AccessDeniedException"):
        client.delete_secret(SecretId="team/a", ForceDeleteWithoutRecovery=True)
    client.delete_secret(SecretId="team/a", RecoveryWindowInDays=14)
    with refused("AccessDeniedException"):
        client.delete_secret(SecretId="team/b", RecoveryWindowInDays=7)


def test_without_the_key_there_is_no_value(jar: TestJar) -> None:
    key = customer_key(jar)
    root = jar.client("secretsmanager")
    root.create_secret(Name="s", SecretString=SECRET, KmsKeyId=key)
    assert root.describe_secret(SecretId="s")["KmsKeyId"] == key
    client = reading(jar, user(jar, "reader", statement("secretsmanager:*")))
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: client.get_secret_value(SecretId="s"),
        lambda: client.put_secret_value(SecretId="s", SecretString="x"),
        lambda: client.create_secret(Name="t", SecretString="x", KmsKeyId=key),
    )
    for call in attempts:
        with refused("AccessDeniedException", "Access to KMS is not allowed"):
            call()
    client.create_secret(Name="u", SecretString=SECRET)
    assert client.get_secret_value(SecretId="u")["SecretString"] == SECRET
    via = {"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}}
    may = statement("kms:Decrypt", key, Condition=via)
    jar.client("iam").put_user_policy(UserName="reader", PolicyName="key", PolicyDocument=document(may))
    assert client.get_secret_value(SecretId="s")["SecretString"] == SECRET


def test_who_gives_a_key_must_be_able_to_use_it_both_ways(jar: TestJar) -> None:
    key = customer_key(jar)
    seal = statement("kms:GenerateDataKey", key)
    client = reading(jar, user(jar, "maker", statement("secretsmanager:*"), seal))
    with refused("AccessDeniedException", "Access to KMS is not allowed"):
        client.create_secret(Name="s", KmsKeyId=key)
    client.create_secret(Name="s")
    with refused("AccessDeniedException", "Access to KMS is not allowed"):
        client.update_secret(SecretId="s", KmsKeyId=key)
    both = document(seal, statement("kms:Decrypt", key))
    jar.client("iam").put_user_policy(UserName="maker", PolicyName="key", PolicyDocument=both)
    client.update_secret(SecretId="s", KmsKeyId=key)
    with refused("EncryptionFailure"):
        jar.client("secretsmanager").create_secret(Name="t", KmsKeyId="alias/nowhere")
    checks = jar.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "GenerateDataKey"}]
    )["Events"]
    asked = [json.loads(event["CloudTrailEvent"])["requestParameters"] for event in checks]
    assert {one["encryptionContext"]["SecretVersionId"] for one in asked} == {"RequestToValidateKeyAccess"}


def test_a_disabled_key_makes_a_secret_unreadable(jar: TestJar) -> None:
    key, kms, secrets = customer_key(jar), jar.client("kms"), jar.client("secretsmanager")
    secrets.create_secret(Name="s", SecretString=SECRET, KmsKeyId=key)
    kms.disable_key(KeyId=key)
    with refused("DecryptionFailure"):
        secrets.get_secret_value(SecretId="s")
    with refused("EncryptionFailure"):
        secrets.put_secret_value(SecretId="s", SecretString="x")
    kms.enable_key(KeyId=key)
    assert secrets.get_secret_value(SecretId="s")["SecretString"] == SECRET


def test_a_new_key_seals_labelled_versions_anew(jar: TestJar) -> None:
    first, second, secrets = customer_key(jar), customer_key(jar), jar.client("secretsmanager")
    secrets.create_secret(Name="s", SecretString="1", ClientRequestToken=token(1), KmsKeyId=first)
    for number in (2, 3):
        secrets.put_secret_value(SecretId="s", SecretString=str(number), ClientRequestToken=token(number))
    secrets.update_secret(SecretId="s", KmsKeyId=second)
    listed = secrets.list_secret_version_ids(SecretId="s", IncludeDeprecated=True)["Versions"]
    assert [version["KmsKeyIds"] for version in listed] == [[first], [second], [second]]
    jar.client("kms").disable_key(KeyId=first)
    assert secrets.get_secret_value(SecretId="s", VersionStage="AWSPREVIOUS")["SecretString"] == "2"
    with refused("DecryptionFailure"):
        secrets.get_secret_value(SecretId="s", VersionId=token(1))
    secrets.update_secret(SecretId="s", KmsKeyId="")
    assert "KmsKeyId" not in secrets.describe_secret(SecretId="s")


def test_the_key_may_ask_for_the_secret(jar: TestJar) -> None:
    bound = {"StringEquals": {"kms:EncryptionContext:SecretARN": "arn:aws:secretsmanager:of:another:secret"}}
    key = customer_key(jar, statement("kms:Decrypt", Principal="*", effect="Deny", Condition=bound))
    secrets = jar.client("secretsmanager")
    arn = secrets.create_secret(Name="s", SecretString=SECRET, KmsKeyId=key)["ARN"]
    assert secrets.get_secret_value(SecretId="s")["SecretString"] == SECRET
    bound["StringEquals"]["kms:EncryptionContext:SecretARN"] = arn
    root = statement("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    deny = statement("kms:Decrypt", Principal="*", effect="Deny", Condition=bound)
    jar.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=document(root, deny))
    with refused("AccessDeniedException", "Access to KMS is not allowed"):
        secrets.get_secret_value(SecretId="s")


def test_a_resource_policy_lets_in_and_keeps_out(jar: TestJar, secrets: Any) -> None:
    secrets.create_secret(Name="s", SecretString=SECRET)
    nobody, who = user(jar, "nobody"), f"arn:aws:iam::{ACCOUNT}:user/nobody"
    client = reading(jar, nobody)
    with refused("AccessDeniedException"):
        client.get_secret_value(SecretId="s")
    text = document(statement(READ, Principal={"AWS": who}))
    assert secrets.put_resource_policy(SecretId="s", ResourcePolicy=text)["PolicyName"] == "default"
    assert json.loads(secrets.get_resource_policy(SecretId="s")["ResourcePolicy"]) == json.loads(text)
    assert client.get_secret_value(SecretId="s")["SecretString"] == SECRET
    secrets.put_resource_policy(
        SecretId="s", ResourcePolicy=document(statement(READ, Principal={"AWS": who}, effect="Deny"))
    )
    jar.client("iam").put_user_policy(UserName="nobody", PolicyName="all", PolicyDocument=document(statement("*")))
    with refused("AccessDeniedException", "explicit deny in a resource-based policy"):
        client.get_secret_value(SecretId="s")
    secrets.delete_resource_policy(SecretId="s")
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId="s")
    assert client.get_secret_value(SecretId="s")["SecretString"] == SECRET


def test_another_account_needs_both_sides_and_the_key(jar: TestJar) -> None:
    key, secrets = customer_key(jar), jar.client("secretsmanager")
    shared = secrets.create_secret(Name="shared", SecretString=SECRET, KmsKeyId=key)["ARN"]
    default = secrets.create_secret(Name="default", SecretString=SECRET)["ARN"]
    credentials, who = stranger(jar, statement("secretsmanager:*"), statement("kms:*"))
    client = reading(jar, credentials)
    with refused("AccessDeniedException", "not authorized to perform: secretsmanager:GetSecretValue"):
        client.get_secret_value(SecretId=shared)
    for arn in (shared, default):
        text = document(statement("secretsmanager:*", Principal={"AWS": who}))
        secrets.put_resource_policy(SecretId=arn, ResourcePolicy=text)
        with refused("AccessDeniedException", "Access to KMS is not allowed"):
            client.get_secret_value(SecretId=arn)
    root = statement("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    use = statement(["kms:Decrypt", "kms:GenerateDataKey"], Principal={"AWS": who})
    jar.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=document(root, use))
    assert client.get_secret_value(SecretId=shared)["SecretString"] == SECRET
    client.put_secret_value(SecretId=shared, SecretString="theirs")
    assert secrets.get_secret_value(SecretId="shared")["SecretString"] == "theirs"
    for arn in (default,):
        with refused("AccessDeniedException", "Access to KMS is not allowed"):
            client.put_secret_value(SecretId=arn, SecretString="theirs")
    with refused("ResourceNotFoundException"):
        client.get_secret_value(SecretId="shared")


def test_policies_that_are_none(steady_jar: TestJar) -> None:
    secrets = steady_jar.client("secretsmanager")
    secrets.create_secret(Name="s")
    nobody = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ghost"}
    for text, words in (
        ("{", "invalid Json"),
        (document({"Effect": "Allow", "Action": READ, "Resource": "*"}), "Principal"),
        (document(statement(READ, Principal=nobody)), "unsupported principal"),
    ):
        with refused("MalformedPolicyDocumentException", words):
            secrets.put_resource_policy(SecretId="s", ResourcePolicy=text)
    good = document(statement(READ, Principal={"AWS": ACCOUNT}))
    with refused("InvalidParameterException"):
        secrets.put_resource_policy(SecretId="s", ResourcePolicy=good, PolicyName="other")
    with refused("ResourceNotFoundException"):
        secrets.get_resource_policy(SecretId="s", PolicyName="other")


def test_a_batch_fails_one_by_one(jar: TestJar, secrets: Any) -> None:
    arns = [secrets.create_secret(Name=f"app/{n}", SecretString=f"v{n}")["ARN"] for n in range(3)]
    may = [statement(["secretsmanager:BatchGetSecretValue", "secretsmanager:ListSecrets"])]
    client = reading(jar, user(jar, "u", *may, statement(READ, arns[:2])))
    found = client.batch_get_secret_value(SecretIdList=["app/0", arns[1], "app/2", "app/nowhere"])
    assert [value["SecretString"] for value in found["SecretValues"]] == ["v0", "v1"]
    assert [(e["SecretId"], e["ErrorCode"]) for e in found["Errors"]] == [
        ("app/2", "AccessDeniedException"),
        ("app/nowhere", "AccessDeniedException"),
    ]
    by_filter = client.batch_get_secret_value(Filters=[{"Key": "name", "Values": ["app/"]}], MaxResults=1)
    assert [value["Name"] for value in by_filter["SecretValues"]] == ["app/0"]
    rest = client.batch_get_secret_value(
        Filters=[{"Key": "name", "Values": ["app/"]}], NextToken=by_filter["NextToken"]
    )
    assert [value["Name"] for value in rest["SecretValues"]] == ["app/1"]
    assert len(rest["Errors"]) == 1
    missing = secrets.batch_get_secret_value(SecretIdList=["nowhere"])["Errors"][0]
    assert missing["ErrorCode"] == "ResourceNotFoundException"
    with refused("InvalidParameterException"):
        secrets.batch_get_secret_value()
    reads = jar.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "GetSecretValue"}]
    )["Events"]
    assert len(reads) == 8
