"""Rotation functions written in Python, lent to a test jar as its port: they use the jar through boto3, as a function
on AWS would."""

from __future__ import annotations

from typing import Any

from cloudjar.app import Jar
from cloudjar.kit.context import Ctx
from cloudjar.services.secretsmanager import errors
from cloudjar.services.secretsmanager.functions import FunctionFailed
from tests.jar import TestJar

ARN = "arn:aws:lambda:eu-west-3:000000000000:function:rotate"


class Database:
    """What a secret is a secret of: it knows one password, and who wants in must know it."""

    def __init__(self, password: str) -> None:
        self.password = password

    def log_in(self, password: str) -> None:
        """Raise unless it is the password."""
        if password != self.password:
            raise PermissionError("wrong password")


class Rotator:
    """The function: the four steps, for a secret that is a database's password. `broken` names steps that fail."""

    def __init__(self, jar: TestJar, database: Database) -> None:
        reborn, jar.reborn = jar.reborn, False
        self._secrets = jar.client("secretsmanager")  # the jar must not crash in the middle of its own step
        jar.reborn = reborn
        self._database = database
        self.steps: list[str] = []
        self.broken: set[str] = set()

    def __call__(self, event: dict[str, str]) -> None:
        self.steps.append(event["Step"])
        if event["Step"] in self.broken:
            raise RuntimeError(f"{event['Step']} is broken")
        arn, token = event["SecretId"], event["ClientRequestToken"]
        described = self._secrets.describe_secret(SecretId=arn)
        assert described["RotationEnabled"]
        assert "AWSPENDING" in described["VersionIdsToStages"][token]
        getattr(self, f"_{event['Step']}")(arn, token, described["VersionIdsToStages"])

    def _createSecret(self, arn: str, token: str, _: Any) -> None:  # noqa: N802  AWS names the steps so
        try:
            self._secrets.get_secret_value(SecretId=arn, VersionId=token, VersionStage="AWSPENDING")
        except self._secrets.exceptions.ResourceNotFoundException:
            password = self._secrets.get_random_password(ExcludeCharacters="/@\"'\\")["RandomPassword"]
            self._secrets.put_secret_value(
                SecretId=arn, ClientRequestToken=token, SecretString=password, VersionStages=["AWSPENDING"]
            )

    def _setSecret(self, arn: str, token: str, _: Any) -> None:  # noqa: N802  AWS names the steps so
        self._database.password = self._pending(arn, token)

    def _testSecret(self, arn: str, token: str, _: Any) -> None:  # noqa: N802  AWS names the steps so
        try:
            self._database.log_in(self._pending(arn, token))
        except self._secrets.exceptions.ResourceNotFoundException:
            self._database.log_in(self._secrets.get_secret_value(SecretId=arn)["SecretString"])

    def _finishSecret(self, arn: str, token: str, stages: dict[str, list[str]]) -> None:  # noqa: N802  as above
        current = next(version for version, labels in stages.items() if "AWSCURRENT" in labels)
        if current != token:
            self._secrets.update_secret_version_stage(
                SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
            )

    def _pending(self, arn: str, token: str) -> str:
        found = self._secrets.get_secret_value(SecretId=arn, VersionId=token, VersionStage="AWSPENDING")
        return str(found["SecretString"])


class PythonFunctions:
    """The port: functions by ARN."""

    def __init__(self, functions: dict[str, Rotator]) -> None:
        self._functions = functions

    def check(self, ctx: Ctx, function: str, secret_arn: str) -> None:  # noqa: ARG002  the port's
        if function not in self._functions:
            raise errors.no_function(function)

    def invoke(self, ctx: Ctx, function: str, secret_arn: str, event: dict[str, str]) -> None:  # noqa: ARG002  as above
        assert event["SecretId"] == secret_arn
        try:
            self._functions[function](event)
        except Exception as error:
            raise FunctionFailed(repr(error)) from error


def lend(jar: TestJar, functions: PythonFunctions) -> None:
    """Have the jar use the functions, in all of its lives."""
    opened = jar._open

    def open_again() -> Jar:
        made = opened()
        made.world.ports["rotation"] = functions
        return made

    jar._open = open_again  # type: ignore[method-assign]  # each life is opened anew
    jar.jar.world.ports["rotation"] = functions
