"""What the laws need of instances that are entered: a node, and a command that it has done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.jar import TestJar
from tests.services.ssm.nodes import launch, profile

Params = dict[str, Any]


def command(jar: TestJar) -> Params:
    """A command that has ended well."""
    jar.host.let_in = True
    profile(jar.client("iam"))
    node = launch(jar, "node")
    sent = jar.client("ssm").send_command(
        InstanceIds=[node], DocumentName="AWS-RunShellScript", Parameters={"commands": ["true"]}
    )
    jar.settle()
    found = str(sent["Command"]["CommandId"])
    jar.host.finish_job(node, f"{found}.0", 0)
    return {"CommandId": found, "InstanceId": node}


SCENES: dict[str, Callable[[Any], Params]] = {"ssm:GetConnectionStatus": lambda things: {"Target": things.instance}}
WAITERS: dict[str, Callable[[TestJar], Params]] = {"CommandExecuted": command}
