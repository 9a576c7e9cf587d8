"""Secrets: made, named, described, listed, changed, deleted and restored, billed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cloudjar.billing import calls, lines
from cloudjar.billing.rate import rate
from tests.jar import TestJar
from tests.services.secretsmanager.asking import SECRET, arn, refused, stages, token


def test_a_secret_is_made_and_read(jar: TestJar, secrets: Any) -> None:
    made = secrets.create_secret(
        Name="prod/db", SecretString=SECRET, ClientRequestToken=token(1), Description="the database",
        Tags=[{"Key": "team", "Value": "red"}],
    )  # fmt: skip
    assert re.fullmatch(re.escape(arn("prod/db-")) + "[A-Za-z0-9]{6}", made["ARN"])
    assert (made["Name"], made["VersionId"]) == ("prod/db", token(1))
    found = secrets.get_secret_value(SecretId="prod/db")
    assert (found["SecretString"], found["VersionStages"]) == (SECRET, ["AWSCURRENT"])
    assert "SecretBinary" not in found
    assert found["CreatedDate"] == jar.clock.now()
    described = secrets.describe_secret(SecretId=made["ARN"])
    assert described["Description"] == "the database"
    assert described["Tags"] == [{"Key": "team", "Value": "red"}]
    assert described["VersionIdsToStages"] == {token(1): ["AWSCURRENT"]}
    assert described["CreatedDate"] == described["LastChangedDate"] == jar.clock.now()
    for absent in ("KmsKeyId", "RotationEnabled", "DeletedDate", "PrimaryRegion", "ReplicationStatus"):
        assert absent not in described


def test_bytes_come_back_as_bytes(secrets: Any) -> None:
    secrets.create_secret(Name="key", SecretBinary=b"\x00\xff")
    found = secrets.get_secret_value(SecretId="key")
    assert found["SecretBinary"] == b"\x00\xff"
    assert "SecretString" not in found


def test_a_secret_without_value_has_no_version(secrets: Any) -> None:
    assert "VersionId" not in secrets.create_secret(Name="empty")
    assert "VersionIdsToStages" not in secrets.describe_secret(SecretId="empty")
    with refused("ResourceNotFoundException", "staging label: AWSCURRENT"):
        secrets.get_secret_value(SecretId="empty")


def test_the_same_request_twice_is_one_secret(secrets: Any) -> None:
    first = secrets.create_secret(Name="one", SecretString=SECRET, ClientRequestToken=token(1))
    again = secrets.create_secret(Name="one", SecretString=SECRET, ClientRequestToken=token(1))
    assert (again["ARN"], again["VersionId"]) == (first["ARN"], first["VersionId"])
    for other in ({"SecretString": "another", "ClientRequestToken": token(1)}, {"SecretString": SECRET}):
        with refused("ResourceExistsException", "The operation failed because the secret one already exists."):
            secrets.create_secret(Name="one", **other)


def test_it_is_found_by_name_arn_and_partial_arn(secrets: Any) -> None:
    whole = secrets.create_secret(Name="a/b", SecretString=SECRET)["ARN"]
    for name in ("a/b", whole, arn("a/b")):
        assert secrets.get_secret_value(SecretId=name)["ARN"] == whole
    for name in ("a", "a/b-", whole[:-1], arn("a/b", region="us-east-1"), whole.replace("eu-west-3", "us-east-1")):
        with refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret."):
            secrets.describe_secret(SecretId=name)


def test_a_name_that_looks_like_an_arn_suffix(secrets: Any) -> None:
    short = secrets.create_secret(Name="db", SecretString="short")["ARN"]
    secrets.create_secret(Name="db-abcdef", SecretString="long")
    assert secrets.get_secret_value(SecretId=arn("db-abcdef"))["SecretString"] == "long"
    assert secrets.get_secret_value(SecretId=short)["SecretString"] == "short"


@pytest.mark.parametrize("name", ["a b", "é", "a:b", "a*"])
def test_names_that_cannot_be(steady_jar: TestJar, name: str) -> None:
    with refused("ValidationException", "-/_+=.@!"):
        steady_jar.client("secretsmanager").create_secret(Name=name)


def test_what_cannot_be_made(steady_jar: TestJar) -> None:
    secrets = steady_jar.client("secretsmanager")
    with refused("InvalidParameterException", "binary"):
        secrets.create_secret(Name="a", SecretString="x", SecretBinary=b"x")
    with refused("ValidationException", "at 'secretString' failed"):
        secrets.create_secret(Name="a", SecretString="x" * 65537)
    with refused("InvalidParameterException", "aws:"):
        secrets.create_secret(Name="a", Tags=[{"Key": "aws:x", "Value": "y"}])
    with refused("NotImplemented", status=501):
        secrets.create_secret(Name="a", Type="partner")
    with refused("InvalidParameterException", "Key"):
        secrets.create_secret(Name="a", Tags=[{"Value": "b"}])
    with refused("InvalidParameterException", "region"):
        secrets.create_secret(Name="a", SecretString="x", AddReplicaRegions=[{"KmsKeyId": "alias/a"}])
    with refused("InvalidParameterException", "Key and Values"):
        secrets.list_secrets(Filters=[{"Key": "name"}])
    assert secrets.list_secrets()["SecretList"] == []


def test_lists_are_filtered(secrets: Any) -> None:
    for number, name in enumerate(("prod/db", "prod/api", "dev/db", "Prod/x")):
        tag = {"Key": "env" if number < 2 else "stage", "Value": f"v{number}"}
        secrets.create_secret(Name=name, SecretString=SECRET, Description=f"Thing of {name}", Tags=[tag])

    def names(*filters: tuple[str, list[str]]) -> list[str]:
        given = [{"Key": key, "Values": values} for key, values in filters]
        return sorted(s["Name"] for s in secrets.list_secrets(Filters=given)["SecretList"])

    assert names(("name", ["prod"])) == ["prod/api", "prod/db"]
    assert names(("name", ["!prod"])) == ["Prod/x", "dev/db"]
    assert names(("name", ["prod", "!prod/a"])) == ["prod/db"]
    assert names(("name", ["prod", "dev"])) == ["dev/db", "prod/api", "prod/db"]
    assert names(("description", ["thing of PROD"])) == ["Prod/x", "prod/api", "prod/db"]
    assert names(("tag-key", ["env"]), ("tag-value", ["v1"])) == ["prod/api"]
    assert names(("primary-region", ["eu-west"])) == ["Prod/x", "dev/db", "prod/api", "prod/db"]
    assert names(("owning-service", ["rds"])) == []
    assert names(("all", ["THING v2"])) == ["dev/db"]
    with refused("ValidationException"):
        names(("colour", ["red"]))


def test_lists_are_sorted_and_paged(jar: TestJar, secrets: Any) -> None:
    for name in "bca":
        secrets.create_secret(Name=name, SecretString=SECRET)
        jar.advance(minutes=1)
    secrets.get_secret_value(SecretId="c")

    def names(**how: Any) -> list[str]:
        return [s["Name"] for page in secrets.get_paginator("list_secrets").paginate(**how) for s in page["SecretList"]]

    assert names(PaginationConfig={"PageSize": 1}) == ["b", "c", "a"]
    assert names(SortBy="name", PaginationConfig={"PageSize": 2}) == ["a", "b", "c"]
    assert names(SortBy="name", SortOrder="desc") == ["c", "b", "a"]
    assert names(SortBy="last-accessed-date", SortOrder="desc")[0] == "c"
    entry = secrets.list_secrets(MaxResults=1)["SecretList"][0]
    assert list(entry["SecretVersionsToStages"].values()) == [["AWSCURRENT"]]
    with refused("InvalidNextTokenException"):
        secrets.list_secrets(NextToken="nonsense")


def test_reading_is_remembered_by_the_day(jar: TestJar, secrets: Any) -> None:
    secrets.create_secret(Name="s", SecretString=SECRET)
    assert "LastAccessedDate" not in secrets.describe_secret(SecretId="s")
    secrets.get_secret_value(SecretId="s")
    midnight = jar.clock.now().replace(hour=0)
    assert secrets.describe_secret(SecretId="s")["LastAccessedDate"] == midnight
    jar.advance(days=2)
    assert secrets.describe_secret(SecretId="s")["LastAccessedDate"] == midnight
    secrets.get_secret_value(SecretId="s")
    assert secrets.describe_secret(SecretId="s")["LastAccessedDate"] == midnight + timedelta(days=2)
    version = secrets.list_secret_version_ids(SecretId="s")["Versions"][0]
    assert version["LastAccessedDate"] == midnight + timedelta(days=2)


def test_updating_tells_what_changed(jar: TestJar, secrets: Any) -> None:
    secrets.create_secret(Name="s", SecretString=SECRET, ClientRequestToken=token(1))
    jar.advance(hours=1)
    assert "VersionId" not in secrets.update_secret(SecretId="s", Description="new")
    described = secrets.describe_secret(SecretId="s")
    assert (described["Description"], described["LastChangedDate"]) == ("new", jar.clock.now())
    made = secrets.update_secret(SecretId="s", SecretString="next", ClientRequestToken=token(2))
    assert made["VersionId"] == token(2)
    assert stages(secrets, "s") == {token(1): ["AWSPREVIOUS"], token(2): ["AWSCURRENT"]}
    with refused("ResourceExistsException", f"ClientRequestToken {token(2)}"):
        secrets.update_secret(SecretId="s", SecretString="next", ClientRequestToken=token(2))


def test_tags_come_and_go(secrets: Any) -> None:
    secrets.create_secret(Name="s", Tags=[{"Key": "a", "Value": "1"}])
    secrets.tag_resource(SecretId="s", Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    secrets.untag_resource(SecretId="s", TagKeys=["b", "never"])
    assert secrets.describe_secret(SecretId="s")["Tags"] == [{"Key": "a", "Value": "2"}]
    with refused("LimitExceededException"):
        secrets.tag_resource(SecretId="s", Tags=[{"Key": f"k{i}", "Value": ""} for i in range(50)])


def test_a_deleted_secret_waits_and_goes(jar: TestJar, secrets: Any) -> None:
    secrets.create_secret(Name="s", SecretString=SECRET)
    gone = secrets.delete_secret(SecretId="s", RecoveryWindowInDays=7)
    assert gone["DeletionDate"] == jar.clock.now() + timedelta(days=7)
    assert secrets.describe_secret(SecretId="s")["DeletedDate"] == gone["DeletionDate"]
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: secrets.get_secret_value(SecretId="s"),
        lambda: secrets.put_secret_value(SecretId="s", SecretString="x"),
        lambda: secrets.update_secret(SecretId="s", Description="x"),
        lambda: secrets.tag_resource(SecretId="s", Tags=[{"Key": "a", "Value": "b"}]),
    )
    for call in attempts:
        with refused("InvalidRequestException", "because it was marked for deletion."):
            call()
    with refused("InvalidRequestException", "already scheduled for deletion."):
        secrets.create_secret(Name="s")
    assert secrets.list_secrets()["SecretList"] == []
    assert len(secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"]) == 1
    jar.advance(days=6, hours=23)
    secrets.describe_secret(SecretId="s")
    jar.advance(hours=1)
    with refused("ResourceNotFoundException"):
        secrets.describe_secret(SecretId="s")
    secrets.create_secret(Name="s")


def test_a_deleted_secret_can_be_restored(jar: TestJar, secrets: Any) -> None:
    secrets.create_secret(Name="s", SecretString=SECRET)
    deletion = secrets.delete_secret(SecretId="s")["DeletionDate"]
    assert deletion == jar.clock.now() + timedelta(days=30)
    secrets.restore_secret(SecretId="s")
    jar.advance(days=40)
    assert secrets.get_secret_value(SecretId="s")["SecretString"] == SECRET
    assert "DeletedDate" not in secrets.describe_secret(SecretId="s")


def test_deletion_without_recovery(secrets: Any) -> None:
    secrets.create_secret(Name="s", SecretString=SECRET)
    secrets.delete_secret(SecretId="s")
    secrets.delete_secret(SecretId="s", ForceDeleteWithoutRecovery=True)
    secrets.delete_secret(SecretId="s", ForceDeleteWithoutRecovery=True)
    with refused("ResourceNotFoundException"):
        secrets.restore_secret(SecretId="s")
    with refused("ResourceNotFoundException"):
        secrets.delete_secret(SecretId="s")
    with refused("InvalidParameterException", "between 7 and 30 days"):
        secrets.delete_secret(SecretId="s", RecoveryWindowInDays=6)
    with refused("InvalidParameterException", "in conjunction with RecoveryWindowInDays"):
        secrets.delete_secret(SecretId="s", RecoveryWindowInDays=7, ForceDeleteWithoutRecovery=True)


def test_a_secret_costs_until_it_is_deleted(jar: TestJar, secrets: Any) -> None:
    secrets.create_secret(Name="s", SecretString=SECRET)
    jar.advance(days=10)
    secrets.delete_secret(SecretId="s")
    jar.advance(days=10)
    assert jar.usage("AWSSecretsManager-Secrets") == timedelta(days=10)
    now = jar.clock.now()
    spans = jar.jar.usage.spans(now - timedelta(days=30), now)
    held = [span for span in spans if span.meter.service == "AWSSecretsManager"]
    charges = rate(lines.measure(held, now - timedelta(days=30), now))
    assert round(sum(float(charge.cost or 0) for charge in charges), 6) == round(0.4 * 10 / 31, 6)


def test_calls_cost_too(jar: TestJar, secrets: Any) -> None:
    secrets.create_secret(Name="s", SecretString=SECRET)
    for _ in range(3):
        secrets.get_secret_value(SecretId="s")
    now = jar.clock.now()
    counted = jar.jar.audit.requests((now - timedelta(hours=1)).timestamp(), (now + timedelta(hours=1)).timestamp())
    asked = [calls.Calls(*one) for one in counted if one[2] == "secretsmanager"]
    costs = {charge.line.operation: charge.cost for charge in rate(calls.lines(asked, now))}
    assert costs == {"CreateSecret": Decimal("0.000005"), "GetSecretValue": Decimal("0.000015")}
