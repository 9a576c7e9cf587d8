"""Versions and their labels."""

from __future__ import annotations

from typing import Any

import pytest

from tests import calls
from tests.jar import TestJar
from tests.services.secretsmanager.asking import SECRET, refused, stages, token

CURRENT, PREVIOUS, PENDING = ["AWSCURRENT"], ["AWSPREVIOUS"], ["AWSPENDING"]


@pytest.fixture
def three(secrets: Any) -> Any:
    """A secret with an unlabelled, a previous and a current version."""
    secrets.create_secret(Name="s", SecretString="1", ClientRequestToken=token(1))
    for number in (2, 3):
        secrets.put_secret_value(SecretId="s", SecretString=str(number), ClientRequestToken=token(number))
    return secrets


def test_a_new_value_is_current_and_the_last_one_previous(three: Any) -> None:
    assert stages(three, "s") == {token(2): PREVIOUS, token(3): CURRENT}
    assert three.get_secret_value(SecretId="s")["SecretString"] == "3"
    assert three.get_secret_value(SecretId="s", VersionStage="AWSPREVIOUS")["SecretString"] == "2"
    assert three.get_secret_value(SecretId="s", VersionId=token(1))["SecretString"] == "1"
    listed = three.list_secret_version_ids(SecretId="s")["Versions"]
    assert [version["VersionId"] for version in listed] == [token(2), token(3)]
    assert listed[0]["KmsKeyIds"] == ["DefaultEncryptionKey"]
    deprecated = three.list_secret_version_ids(SecretId="s", IncludeDeprecated=True, MaxResults=1)
    assert deprecated["Versions"][0]["VersionId"] == token(1)
    assert "VersionStages" not in deprecated["Versions"][0]
    rest = three.list_secret_version_ids(SecretId="s", IncludeDeprecated=True, NextToken=deprecated["NextToken"])
    assert len(rest["Versions"]) == 2


def test_which_version_is_not_there(three: Any) -> None:
    with refused("ResourceNotFoundException", f"specified secret value for VersionId: {token(9)}"):
        three.get_secret_value(SecretId="s", VersionId=token(9))
    with refused("ResourceNotFoundException", "specified secret value for staging label: mine"):
        three.get_secret_value(SecretId="s", VersionStage="mine")
    with refused("InvalidRequestException", "not associated to the provided VersionId."):
        three.get_secret_value(SecretId="s", VersionId=token(3), VersionStage="AWSPREVIOUS")


def test_a_version_cannot_be_changed(three: Any) -> None:
    again = three.put_secret_value(SecretId="s", SecretString="1", ClientRequestToken=token(1))
    assert again["VersionId"] == token(1)
    assert stages(three, "s") == {token(2): PREVIOUS, token(3): CURRENT}
    with refused("ResourceExistsException", f"ClientRequestToken {token(1)}"):
        three.put_secret_value(SecretId="s", SecretString="other", ClientRequestToken=token(1))
    with refused("ResourceExistsException"):
        three.put_secret_value(SecretId="s", SecretBinary=b"1", ClientRequestToken=token(1))
    with refused("InvalidRequestException", "You must provide either SecretString or SecretBinary."):
        three.put_secret_value(SecretId="s")


def test_labels_of_ones_own(three: Any) -> None:
    put = three.put_secret_value(
        SecretId="s", SecretString="4", ClientRequestToken=token(4), VersionStages=["AWSPENDING", "blue"]
    )
    assert sorted(put["VersionStages"]) == ["AWSPENDING", "blue"]
    assert stages(three, "s") == {token(2): PREVIOUS, token(3): CURRENT, token(4): ["AWSPENDING", "blue"]}
    three.put_secret_value(SecretId="s", SecretString="5", ClientRequestToken=token(5), VersionStages=["blue"])
    assert stages(three, "s")[token(5)] == ["blue"]
    assert stages(three, "s")[token(4)] == PENDING


def test_the_first_value_is_current_whatever_it_is_called(secrets: Any) -> None:
    secrets.create_secret(Name="s")
    secrets.put_secret_value(SecretId="s", SecretString="1", ClientRequestToken=token(1), VersionStages=["mine"])
    assert stages(secrets, "s") == {token(1): ["AWSCURRENT", "mine"]}


def test_current_moves_and_previous_follows(three: Any) -> None:
    three.update_secret_version_stage(
        SecretId="s", VersionStage="AWSCURRENT", MoveToVersionId=token(1), RemoveFromVersionId=token(3)
    )
    assert stages(three, "s") == {token(1): CURRENT, token(3): PREVIOUS}
    assert three.get_secret_value(SecretId="s")["SecretString"] == "1"


def test_moves_that_cannot_be(three: Any) -> None:
    def move(**more: Any) -> None:
        three.update_secret_version_stage(SecretId="s", **more)

    attached = f"Staging label AWSCURRENT is currently attached to version {token(3)}"
    with refused("InvalidParameterException", "RemoveFromVersionId can't be empty", attached):
        move(VersionStage="AWSCURRENT", MoveToVersionId=token(1))
    with refused("InvalidParameterException"):
        move(VersionStage="AWSCURRENT", MoveToVersionId=token(1), RemoveFromVersionId=token(2))
    with refused("InvalidParameterException", "It can't be completely removed."):
        move(VersionStage="AWSCURRENT", RemoveFromVersionId=token(3))
    with refused("ResourceNotFoundException"):
        move(VersionStage="AWSCURRENT", MoveToVersionId=token(9), RemoveFromVersionId=token(3))
    with refused("InvalidParameterException"):
        move(VersionStage="AWSCURRENT")
    with refused("InvalidParameterException"):
        move(VersionStage="mine", RemoveFromVersionId=token(2))


def test_a_label_is_added_and_taken_away(three: Any) -> None:
    three.update_secret_version_stage(SecretId="s", VersionStage="mine", MoveToVersionId=token(1))
    assert stages(three, "s")[token(1)] == ["mine"]
    three.update_secret_version_stage(SecretId="s", VersionStage="mine", RemoveFromVersionId=token(1))
    assert token(1) not in stages(three, "s")
    assert three.get_secret_value(SecretId="s", VersionId=token(1))["SecretString"] == "1"


def test_a_version_has_twenty_labels_at_most(steady_jar: TestJar) -> None:
    secrets = steady_jar.client("secretsmanager")
    secrets.create_secret(Name="s", SecretString=SECRET, ClientRequestToken=token(1))
    for number in range(19):
        secrets.update_secret_version_stage(SecretId="s", VersionStage=f"l{number}", MoveToVersionId=token(1))
    with refused("LimitExceededException", "20 staging labels"):
        secrets.update_secret_version_stage(SecretId="s", VersionStage="one more", MoveToVersionId=token(1))


def test_old_versions_go_but_not_those_of_the_last_day(steady_jar: TestJar) -> None:
    secrets = steady_jar.client("secretsmanager")
    secrets.create_secret(Name="s", SecretString="0", ClientRequestToken=token(0))
    for number in range(1, 100):
        secrets.put_secret_value(SecretId="s", SecretString=str(number), ClientRequestToken=token(number))
    with refused("LimitExceededException"):
        secrets.put_secret_value(SecretId="s", SecretString="100", ClientRequestToken=token(100))
    steady_jar.advance(days=2)
    secrets.update_secret_version_stage(SecretId="s", VersionStage="keep", MoveToVersionId=token(0))
    secrets.put_secret_value(SecretId="s", SecretString="100", ClientRequestToken=token(100))
    kept = secrets.list_secret_version_ids(SecretId="s", IncludeDeprecated=True, MaxResults=100)["Versions"]
    assert len(kept) == 100
    assert token(0) in {version["VersionId"] for version in kept}
    with refused("ResourceNotFoundException"):
        secrets.get_secret_value(SecretId="s", VersionId=token(1))


def test_a_token_must_come_from_those_who_are_no_sdk(steady_jar: TestJar) -> None:
    sent = calls.signed(calls.write("secretsmanager", "CreateSecret", {"Name": "s"}), "secretsmanager")
    line = calls.Line(steady_jar.port)
    refusal = calls.read("secretsmanager", "CreateSecret", line.send(sent))
    line.close()
    assert refusal["Error"]["Code"] == "InvalidRequestException"
    assert "ClientRequestToken" in refusal["Error"]["Message"]
