"""Rotation: a real function changes a database's password by the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from cloudjar.services.secretsmanager.life import ATTEMPTS, PAUSE, STEPS
from tests.jar import TestJar
from tests.services.secretsmanager.asking import SECRET, refused, stages, token, user
from tests.services.secretsmanager.rotating import ARN, Database, PythonFunctions, Rotator, lend

DAYS = {"AutomaticallyAfterDays": 10}


class Stage(NamedTuple):
    """Everything that takes part."""

    jar: TestJar
    secrets: Any
    database: Database
    rotator: Rotator

    def works(self) -> bool:
        """Whether the secret's value opens the database."""
        self.database.log_in(self.secrets.get_secret_value(SecretId="s")["SecretString"])
        return True

    def events(self) -> list[str]:
        """What Secrets Manager told EventBridge."""
        found = self.jar.jar.events.since(0)
        return [event.detail["eventName"] for event in found if event.source == "aws.secretsmanager"]


@pytest.fixture
def stage(jar: TestJar, secrets: Any) -> Stage:
    """A database, its secret and its rotation function."""
    database = Database(SECRET)
    rotator = Rotator(jar, database)
    lend(jar, PythonFunctions({ARN: rotator}))
    secrets.create_secret(Name="s", SecretString=SECRET, ClientRequestToken=token(1))
    return Stage(jar, secrets, database, rotator)


def rotate(stage: Stage, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"SecretId": "s", "RotationLambdaARN": ARN, "RotationRules": DAYS, **more}
    answer: dict[str, Any] = stage.secrets.rotate_secret(**given)
    return answer


def test_a_rotation_changes_the_password(stage: Stage) -> None:
    answer = rotate(stage, ClientRequestToken=token(2))
    assert answer["VersionId"] == token(2)
    assert stages(stage.secrets, "s")[token(2)] == ["AWSPENDING"]
    stage.jar.settle()
    assert stage.rotator.steps == list(STEPS)
    assert stage.works()
    assert stage.database.password != SECRET
    assert stages(stage.secrets, "s") == {token(1): ["AWSPREVIOUS"], token(2): ["AWSCURRENT", "AWSPENDING"]}
    described = stage.secrets.describe_secret(SecretId="s")
    assert described["RotationEnabled"] is True
    assert described["RotationLambdaARN"] == ARN
    assert described["RotationRules"] == DAYS
    assert described["LastRotatedDate"] == stage.jar.clock.now()
    midnight = stage.jar.clock.now().replace(hour=0)
    assert described["NextRotationDate"] == midnight + timedelta(days=11) - timedelta(seconds=1)
    assert stage.events() == ["RotationStarted", "RotationSucceeded"]


def test_it_rotates_again_when_the_window_opens(stage: Stage) -> None:
    rotate(stage)
    stage.jar.settle()
    first = stage.database.password
    stage.jar.advance(days=9, hours=11)
    assert stage.database.password == first
    stage.jar.advance(hours=2)
    assert stage.database.password != first
    assert stage.works()
    stage.jar.advance(days=31)
    assert stage.rotator.steps == list(STEPS) * 5
    assert stage.works()


def test_the_trail_says_so(stage: Stage) -> None:
    rotate(stage)
    stage.jar.settle()
    found = stage.jar.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "RotationSucceeded"}]
    )["Events"]
    assert len(found) == 1
    assert found[0]["EventSource"] == "secretsmanager.amazonaws.com"


def test_a_failure_is_tried_again(stage: Stage) -> None:
    stage.rotator.broken = {"setSecret"}
    rotate(stage, ClientRequestToken=token(2))
    stage.jar.settle()
    assert stage.rotator.steps == ["createSecret", "setSecret"]
    assert stages(stage.secrets, "s") == {token(1): ["AWSCURRENT"], token(2): ["AWSPENDING"]}
    assert stage.works()
    with refused("InvalidRequestException", "A previous rotation isn't complete."):
        rotate(stage)
    stage.rotator.broken = set()
    stage.jar.advance(minutes=PAUSE.total_seconds() / 60)
    assert stages(stage.secrets, "s")[token(2)] == ["AWSCURRENT", "AWSPENDING"]
    assert stage.works()
    assert stage.events() == ["RotationStarted", "RotationFailed", "RotationSucceeded"]


def test_a_rotation_that_never_works_waits_for_the_next_window(stage: Stage) -> None:
    stage.rotator.broken = {"testSecret"}
    rotate(stage, ClientRequestToken=token(2))
    stage.jar.advance(hours=5)
    assert stage.rotator.steps.count("testSecret") == ATTEMPTS
    assert stage.events()[-1] == "RotationAbandoned"
    assert "LastRotatedDate" not in stage.secrets.describe_secret(SecretId="s")
    stage.rotator.broken = set()
    stage.jar.advance(days=10)
    assert stages(stage.secrets, "s")[token(2)] == ["AWSCURRENT", "AWSPENDING"]
    assert stage.works()


def test_a_jar_that_stops_in_the_middle_goes_on(stage: Stage) -> None:
    rotate(stage, ClientRequestToken=token(2))
    stage.jar.crash()
    stage.jar.settle()
    assert stage.works()
    assert stages(stage.secrets, "s")[token(2)] == ["AWSCURRENT", "AWSPENDING"]


def test_the_configuration_can_be_tried_out(stage: Stage) -> None:
    answer = rotate(stage, RotateImmediately=False)
    assert "VersionId" not in answer
    stage.jar.settle()
    assert stage.rotator.steps == ["testSecret"]
    assert stages(stage.secrets, "s") == {token(1): ["AWSCURRENT"]}
    assert stage.events() == ["TestRotationStarted", "TestRotationSucceeded"]
    stage.jar.advance(days=10)
    assert stage.rotator.steps == ["testSecret", *STEPS]
    assert stage.works()


def test_a_schedule_of_ones_own(stage: Stage) -> None:
    rules = {"ScheduleExpression": "cron(0 16 1,15 * ? *)", "Duration": "2h"}
    rotate(stage, RotationRules=rules)
    stage.jar.settle()
    described = stage.secrets.describe_secret(SecretId="s")
    assert described["RotationRules"] == rules
    assert described["NextRotationDate"].isoformat() == "2026-01-15T17:59:59+00:00"
    stage.jar.advance(hours=4)
    assert len(stage.rotator.steps) == 8
    described = stage.secrets.describe_secret(SecretId="s")
    assert described["NextRotationDate"].isoformat() == "2026-02-01T17:59:59+00:00"


def test_rotation_is_switched_off(stage: Stage) -> None:
    with refused("InvalidRequestException"):
        stage.secrets.cancel_rotate_secret(SecretId="s")
    stage.rotator.broken = {"createSecret"}
    rotate(stage, ClientRequestToken=token(2))
    stage.jar.settle()
    assert stage.secrets.cancel_rotate_secret(SecretId="s")["VersionId"] == token(2)
    described = stage.secrets.describe_secret(SecretId="s")
    assert (described["RotationEnabled"], described["RotationRules"]) == (False, DAYS)
    assert "NextRotationDate" not in described
    assert described["VersionIdsToStages"][token(2)] == ["AWSPENDING"]
    stage.jar.advance(days=30)
    assert stage.rotator.steps == ["createSecret"]
    stage.secrets.update_secret_version_stage(SecretId="s", VersionStage="AWSPENDING", RemoveFromVersionId=token(2))
    stage.rotator.broken = set()
    stage.secrets.rotate_secret(SecretId="s")
    stage.jar.settle()
    assert stage.works()


def test_a_deleted_secret_is_not_rotated(stage: Stage) -> None:
    rotate(stage)
    stage.jar.settle()
    stage.secrets.delete_secret(SecretId="s", RecoveryWindowInDays=30)
    stage.jar.advance(days=15)
    assert len(stage.rotator.steps) == 4
    stage.secrets.restore_secret(SecretId="s")
    stage.jar.settle()
    assert len(stage.rotator.steps) == 8


def test_a_replica_gets_the_new_value(stage: Stage) -> None:
    stage.secrets.replicate_secret_to_regions(SecretId="s", AddReplicaRegions=[{"Region": "us-east-1"}])
    rotate(stage)
    stage.jar.settle()
    far = stage.jar.client("secretsmanager", region="us-east-1")
    stage.database.log_in(far.get_secret_value(SecretId="s")["SecretString"])


def test_rotations_that_cannot_be(jar: TestJar, secrets: Any) -> None:
    secrets.create_secret(Name="s", SecretString=SECRET)
    with refused("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret."):
        secrets.rotate_secret(SecretId="s")
    with refused("InvalidRequestException", "rotation rules"):
        secrets.rotate_secret(SecretId="s", RotationLambdaARN=ARN)
    with refused("ResourceNotFoundException", f"Function not found: {ARN}"):
        secrets.rotate_secret(SecretId="s", RotationLambdaARN=ARN, RotationRules=DAYS)
    assert "RotationEnabled" not in secrets.describe_secret(SecretId="s")
    with refused("AccessDeniedException", "secretsmanager:RotateSecret"):
        jar.client("secretsmanager", **user(jar, "nobody")).rotate_secret(SecretId="s")
