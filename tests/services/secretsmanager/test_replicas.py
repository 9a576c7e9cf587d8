"""Replicas: copies in other regions that follow their primary."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.secretsmanager.asking import SECRET, arn, refused, stages, statement, token, user

US = "us-east-1"


@pytest.fixture
def far(jar: TestJar) -> Any:
    """Secrets Manager in Virginia."""
    return jar.client("secretsmanager", region=US)


@pytest.fixture
def replicated(secrets: Any) -> str:
    """A secret that is replicated to Virginia; its ARN."""
    made = secrets.create_secret(
        Name="s", SecretString=SECRET, ClientRequestToken=token(1), Description="d",
        Tags=[{"Key": "a", "Value": "b"}], AddReplicaRegions=[{"Region": US}],
    )  # fmt: skip
    assert made["ReplicationStatus"] == [{"Region": US, "Status": "InSync"}]
    return str(made["ARN"])


def test_a_replica_can_be_read_where_it_is(secrets: Any, far: Any, replicated: str) -> None:
    there = replicated.replace("eu-west-3", US)
    found = far.get_secret_value(SecretId="s")
    assert (found["ARN"], found["SecretString"], found["VersionId"]) == (there, SECRET, token(1))
    described = far.describe_secret(SecretId=there)
    assert (described["Description"], described["PrimaryRegion"]) == ("d", "eu-west-3")
    assert described["Tags"] == [{"Key": "a", "Value": "b"}]
    assert secrets.describe_secret(SecretId="s")["PrimaryRegion"] == "eu-west-3"
    assert secrets.describe_secret(SecretId="s")["ReplicationStatus"][0]["LastAccessedDate"]


def test_changes_follow(secrets: Any, far: Any, replicated: str) -> None:
    secrets.put_secret_value(SecretId="s", SecretString="new", ClientRequestToken=token(2))
    secrets.update_secret(SecretId="s", Description="other")
    secrets.tag_resource(SecretId="s", Tags=[{"Key": "c", "Value": "d"}])
    assert far.get_secret_value(SecretId="s")["SecretString"] == "new"
    assert far.get_secret_value(SecretId="s", VersionStage="AWSPREVIOUS")["SecretString"] == SECRET
    assert far.describe_secret(SecretId="s")["Description"] == "other"
    assert len(far.describe_secret(SecretId="s")["Tags"]) == 2
    secrets.update_secret_version_stage(
        SecretId="s", VersionStage="AWSCURRENT", MoveToVersionId=token(1), RemoveFromVersionId=token(2)
    )
    assert stages(far, "s") == {token(1): ["AWSCURRENT"], token(2): ["AWSPREVIOUS"]}
    assert secrets.describe_secret(SecretId="s")["ReplicationStatus"][0]["Status"] == "InSync"


def test_a_replica_is_changed_through_its_primary(secrets: Any, far: Any, replicated: str) -> None:
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: far.put_secret_value(SecretId="s", SecretString="x"),
        lambda: far.update_secret(SecretId="s", Description="x"),
        lambda: far.tag_resource(SecretId="s", Tags=[{"Key": "a", "Value": "b"}]),
        lambda: far.delete_secret(SecretId="s"),
        lambda: far.replicate_secret_to_regions(SecretId="s", AddReplicaRegions=[{"Region": "eu-west-1"}]),
    )
    for call in attempts:
        with refused("InvalidParameterException", "Call must be made in primary secret's region."):
            call()


def test_a_primary_goes_after_its_replicas(secrets: Any, far: Any, replicated: str) -> None:
    with refused("InvalidParameterException", f"You can't delete secret {replicated} that still has replica regions [{US}]"):  # fmt: skip  # noqa: E501  the message is one piece
        secrets.delete_secret(SecretId="s")
    left = secrets.remove_regions_from_replication(SecretId="s", RemoveReplicaRegions=[US])
    assert left["ReplicationStatus"] == []
    with refused("ResourceNotFoundException"):
        far.describe_secret(SecretId="s")
    assert "PrimaryRegion" not in secrets.describe_secret(SecretId="s")
    secrets.delete_secret(SecretId="s")


def test_a_replica_becomes_a_secret_of_its_own(secrets: Any, far: Any, replicated: str) -> None:
    assert far.stop_replication_to_replica(SecretId="s")["ARN"] == replicated.replace("eu-west-3", US)
    far.put_secret_value(SecretId="s", SecretString="mine")
    secrets.put_secret_value(SecretId="s", SecretString="theirs")
    assert far.get_secret_value(SecretId="s")["SecretString"] == "mine"
    assert "ReplicationStatus" not in secrets.describe_secret(SecretId="s")
    with refused("InvalidRequestException"):
        secrets.stop_replication_to_replica(SecretId="s")


def test_a_name_that_is_taken_there(secrets: Any, far: Any) -> None:
    other = far.create_secret(Name="s", SecretString="other")["ARN"]
    secrets.create_secret(Name="s", SecretString=SECRET)
    failed = secrets.replicate_secret_to_regions(SecretId="s", AddReplicaRegions=[{"Region": US}])
    status = failed["ReplicationStatus"][0]
    assert status["Status"] == "Failed"
    assert status["StatusMessage"] == f"Replication failed: Secret name s already exists in region {US}."
    assert far.get_secret_value(SecretId="s")["ARN"] == other
    done = secrets.replicate_secret_to_regions(
        SecretId="s", AddReplicaRegions=[{"Region": US}], ForceOverwriteReplicaSecret=True
    )
    assert done["ReplicationStatus"] == [{"Region": US, "Status": "InSync"}]
    assert far.get_secret_value(SecretId="s")["SecretString"] == SECRET


def test_regions_that_cannot_be(secrets: Any) -> None:
    secrets.create_secret(Name="s", SecretString=SECRET)
    for region in ("eu-west-3", "mars-north-1"):
        with refused("InvalidParameterException", "Invalid replica region."):
            secrets.replicate_secret_to_regions(SecretId="s", AddReplicaRegions=[{"Region": region}])
    with refused("InvalidParameterException"):
        secrets.remove_regions_from_replication(SecretId="s", RemoveReplicaRegions=[US])


def test_a_replica_has_its_own_key_and_the_writer_needs_it(jar: TestJar, secrets: Any, far: Any) -> None:
    key = jar.client("kms", region=US).create_key()["KeyMetadata"]["Arn"]
    replica = {"Region": US, "KmsKeyId": key}
    made = secrets.create_secret(Name="s", SecretString=SECRET, AddReplicaRegions=[replica])
    assert made["ReplicationStatus"] == [{"Region": US, "KmsKeyId": key, "Status": "InSync"}]
    assert far.describe_secret(SecretId="s")["KmsKeyId"] == key
    writer = jar.client("secretsmanager", **user(jar, "writer", statement("secretsmanager:*")))
    writer.put_secret_value(SecretId="s", SecretString="new")
    status = secrets.describe_secret(SecretId="s")["ReplicationStatus"][0]
    assert (status["Status"], "Access to KMS" in status["StatusMessage"]) == ("Failed", True)
    assert far.get_secret_value(SecretId="s")["SecretString"] == SECRET
    secrets.update_secret(SecretId="s", Description="by somebody who may")
    assert far.get_secret_value(SecretId="s")["SecretString"] == "new"
    assert secrets.describe_secret(SecretId="s")["ReplicationStatus"][0]["Status"] == "InSync"


def test_a_replica_costs_as_a_secret_does(jar: TestJar, replicated: str) -> None:
    jar.advance(days=1)
    assert jar.usage("AWSSecretsManager-Secrets") == timedelta(days=2)
    assert arn("s") in replicated
