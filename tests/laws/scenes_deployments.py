"""What the laws ask about blue/green deployments."""

from __future__ import annotations

import itertools
from typing import Any

from tests.jar import TestJar

_NUMBERS = itertools.count()


def _deployment(jar: TestJar) -> dict[str, Any]:
    """One whose environments are there."""
    rds, name = jar.client("rds"), f"colour{next(_NUMBERS)}"
    made = rds.create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine="postgres", MasterUsername="boss",
        MasterUserPassword="correct-horse-9", AllocatedStorage=20, BackupRetentionPeriod=1,
    )["DBInstance"]  # fmt: skip
    jar.settle()
    asked = {"BlueGreenDeploymentName": name, "Source": made["DBInstanceArn"]}
    found = rds.create_blue_green_deployment(**asked)["BlueGreenDeployment"]
    jar.settle()
    return {"BlueGreenDeploymentIdentifier": found["BlueGreenDeploymentIdentifier"]}


SCENES: dict[str, Any] = {
    "rds:CreateBlueGreenDeployment": lambda _: {
        "BlueGreenDeploymentName": "law", "Source": "arn:aws:rds:eu-west-3:000000000000:db:law",
    },
    "rds:DeleteBlueGreenDeployment": lambda things: _deployment(things.jar),
    "rds:DescribeBlueGreenDeployments": lambda _: {"BlueGreenDeploymentIdentifier": "law"},
    "rds:SwitchoverBlueGreenDeployment": lambda things: _deployment(things.jar),
}  # fmt: skip


def many(jar: TestJar) -> None:
    """Several."""
    for _ in range(6):
        _deployment(jar)
