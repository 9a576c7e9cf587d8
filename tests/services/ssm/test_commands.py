"""Run Command: the test plays the guests, and the jar does the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ssm.asking import refused, statement, user
from tests.services.ssm.nodes import launch, profile

SCRIPT = "AWS-RunShellScript"
View = dict[str, Any]


@pytest.fixture
def node(jar: TestJar) -> str:
    jar.host.let_in = True
    profile(jar.client("iam"))
    return launch(jar, "node", Name="web", Env="dev")


def send(jar: TestJar, store: Any, *machines: str, lines: tuple[str, ...] = ("ls",), **more: Any) -> str:
    asked: View = {"DocumentName": SCRIPT, "Parameters": {"commands": list(lines)}, **more}
    if machines:
        asked["InstanceIds"] = list(machines)
    sent = str(store.send_command(**asked)["Command"]["CommandId"])
    jar.settle()
    return sent


def went(store: Any, command: str, machine: str, **more: Any) -> View:
    found: View = store.get_command_invocation(CommandId=command, InstanceId=machine, **more)
    return found


def status(store: Any, command: str) -> tuple[str, str]:
    shown = store.list_commands(CommandId=command)["Commands"][0]
    return shown["Status"], shown["StatusDetails"]


def finish(jar: TestJar, command: str, machine: str, code: int = 0, out: bytes = b"", err: bytes = b"") -> None:
    step = max(int(name.rpartition(".")[2]) for name in jar.host.jobs if name.startswith(f"{machine}/{command}."))
    jar.host.finish_job(machine, f"{command}.{step}", code, out, err)
    jar.settle()


def test_a_command_from_end_to_end(jar: TestJar, store: Any, node: str) -> None:
    command = send(jar, store, node, lines=("echo hello", "exit 0"), Comment="greet")
    assert status(store, command) == ("InProgress", "InProgress")
    job = jar.host.jobs[f"{node}/{command}.0"].command
    assert job.input == b"echo hello\nexit 0\n"
    assert job.env["AWS_SSM_INSTANCE_ID"] == node
    shown = went(store, command, node)
    assert (shown["Status"], shown["ResponseCode"], shown["StandardOutputContent"]) == ("InProgress", -1, "")
    jar.advance(seconds=2)
    finish(jar, command, node, 0, b"hello\n")
    shown = went(store, command, node)
    assert (shown["Status"], shown["StatusDetails"], shown["ResponseCode"]) == ("Success", "Success", 0)
    assert (shown["StandardOutputContent"], shown["StandardErrorContent"]) == ("hello\n", "")
    assert (shown["PluginName"], shown["ExecutionElapsedTime"]) == ("aws:runShellScript", "PT2S")
    store.get_waiter("command_executed").wait(CommandId=command, InstanceId=node)
    listed = store.list_commands(InstanceId=node)["Commands"][0]
    assert (listed["Status"], listed["TargetCount"], listed["CompletedCount"], listed["ErrorCount"]) == (
        "Success", 1, 1, 0,
    )  # fmt: skip
    assert (listed["ExpiresAfter"] - listed["RequestedDateTime"]).total_seconds() == 7200
    one = store.list_command_invocations(CommandId=command, Details=True)["CommandInvocations"][0]
    assert (one["InstanceName"], one["Comment"]) == ("web", "greet")
    assert one["CommandPlugins"][0]["Output"] == "hello\n"
    assert jar.host.jobs == {}


def test_failures_are_told_as_the_agent_tells_them(jar: TestJar, store: Any, node: str) -> None:
    command = send(jar, store, node)
    finish(jar, command, node, 3, b"a" * 30_000, b"oh\n")
    shown = went(store, command, node)
    assert (shown["Status"], shown["ResponseCode"]) == ("Failed", 3)
    assert shown["StandardErrorContent"] == "oh\nfailed to run commands: exit status 3"
    assert len(shown["StandardOutputContent"]) == 24_000
    assert shown["StandardOutputContent"].endswith("--output truncated--")
    assert status(store, command) == ("Failed", "Failed")
    one = store.list_command_invocations(CommandId=command, Details=True)["CommandInvocations"][0]
    assert len(one["CommandPlugins"][0]["Output"]) == 2500


def test_who_is_no_node_is_refused(jar: TestJar, store: Any, node: str) -> None:
    nobody = launch(jar)
    with refused("InvalidInstanceId", f"Instances [[{nobody}]] not in a valid state for account 000000000000"):
        send(jar, store, node, nobody)
    with refused("DuplicateInstanceId"):
        send(jar, store, node, node)
    with refused("ValidationException"):
        send(jar, store)
    with refused("InvalidDocument", "Nothing"):
        store.send_command(DocumentName="Nothing", InstanceIds=[node])
    for wrong in ({}, {"commands": ["ls"], "executionTimeout": ["soon"]}, {"commands": ["ls"], "colour": ["red"]}):
        with refused("InvalidParameters"):
            store.send_command(DocumentName=SCRIPT, InstanceIds=[node], Parameters=wrong)
    with refused("NotImplemented", "OutputS3BucketName", status=501):
        send(jar, store, node, OutputS3BucketName="bucket")
    assert store.list_commands()["Commands"] == []
    with refused("InvocationDoesNotExist"):
        went(store, "0" * 36, node)


def test_a_step_that_takes_too_long(jar: TestJar, store: Any, node: str) -> None:
    command = send(jar, store, node, Parameters={"commands": ["sleep 9999"], "executionTimeout": ["60"]})
    jar.advance(seconds=59)
    assert went(store, command, node)["Status"] == "InProgress"
    jar.advance(seconds=2)
    shown = went(store, command, node)
    assert (shown["Status"], shown["StatusDetails"]) == ("TimedOut", "ExecutionTimedOut")
    assert status(store, command)[0] == "Failed"


def test_a_node_that_does_not_fetch_its_command(jar: TestJar, store: Any, node: str) -> None:
    iam = jar.client("iam")
    iam.detach_role_policy(RoleName="node", PolicyArn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
    only = json.dumps({"Version": "2012-10-17", "Statement": [statement("ssm:UpdateInstanceInformation")]})
    iam.put_role_policy(RoleName="node", PolicyName="report", PolicyDocument=only)
    command = send(jar, store, node, TimeoutSeconds=600)
    assert went(store, command, node)["Status"] == "Pending"
    jar.advance(seconds=601)
    assert went(store, command, node)["StatusDetails"] == "DeliveryTimedOut"
    assert status(store, command) == ("TimedOut", "DeliveryTimedOut")
    assert store.list_commands()["Commands"][0]["DeliveryTimedOutCount"] == 1


def test_cancelled(jar: TestJar, store: Any, node: str) -> None:
    command = send(jar, store, node)
    store.cancel_command(CommandId=command)
    assert status(store, command) == ("Cancelling", "Cancelling")
    jar.settle()
    shown = went(store, command, node)
    assert (shown["Status"], shown["ResponseCode"]) == ("Cancelled", 137)
    assert status(store, command) == ("Cancelled", "Cancelled")
    store.cancel_command(CommandId=command)
    with refused("InvalidCommandId"):
        store.cancel_command(CommandId="0" * 36)


def test_a_node_that_goes_down_fails(jar: TestJar, store: Any, node: str) -> None:
    command = send(jar, store, node)
    jar.client("ec2").stop_instances(InstanceIds=[node])
    jar.settle()
    shown = went(store, command, node)
    assert shown["Status"] == "Failed"
    assert "went down" in shown["StandardErrorContent"]


def test_targets_concurrency_and_errors(jar: TestJar, store: Any, node: str) -> None:
    launch(jar, "node", Env="live")
    dev = sorted([node, launch(jar, "node", Env="dev"), launch(jar, "node", Env="dev")])
    target = [{"Key": "tag:Env", "Values": ["dev"]}]
    command = send(jar, store, Targets=target, MaxConcurrency="1", MaxErrors="1")

    def states() -> dict[str, str]:
        found = store.list_command_invocations(CommandId=command)["CommandInvocations"]
        return {one["InstanceId"]: one["StatusDetails"] for one in found}

    assert states() == {dev[0]: "InProgress", dev[1]: "Pending", dev[2]: "Pending"}
    finish(jar, command, dev[0], 1)
    assert states() == {dev[0]: "Failed", dev[1]: "InProgress", dev[2]: "Pending"}
    finish(jar, command, dev[1], 1)
    assert states() == {dev[0]: "Failed", dev[1]: "Failed", dev[2]: "Terminated"}
    assert status(store, command) == ("Failed", "Failed")
    command = send(jar, store, Targets=[{"Key": "tag:Env", "Values": ["none"]}])
    assert status(store, command) == ("Success", "NoInstancesInTag")
    command = send(jar, store, Targets=target)
    assert set(states().values()) == {"InProgress"}


def test_documents_of_several_steps(jar: TestJar, store: Any, node: str) -> None:
    def shell(name: str, *lines: str, **inputs: str) -> View:
        return {"action": "aws:runShellScript", "name": name, "inputs": {"runCommand": list(lines), **inputs}}

    windows = {"action": "aws:runPowerShellScript", "name": "windows", "inputs": {"runCommand": ["dir"]},
               "precondition": {"StringEquals": ["platformType", "Windows"]}}  # fmt: skip
    content = {
        "schemaVersion": "2.2",
        "parameters": {"who": {"type": "String", "default": "you"}},
        "mainSteps": [
            shell("first", "echo {{ who }}"),
            windows,
            shell("second", "false", onFailure="exit"),
            shell("never", "x"),
        ],
    }
    store.create_document(Name="Steps", Content=json.dumps(content))
    asked = {"DocumentName": "Steps", "InstanceIds": [node], "Parameters": {"who": ["me"]}}
    command = store.send_command(**asked)["Command"]["CommandId"]
    jar.settle()
    assert jar.host.jobs[f"{node}/{command}.0"].command.input == b"echo me\n"
    finish(jar, command, node, 0, b"me\n")
    finish(jar, command, node, 2)
    assert went(store, command, node, PluginName="first")["StandardOutputContent"] == "me\n"
    assert went(store, command, node, PluginName="windows")["StatusDetails"] == "Skipped"
    assert went(store, command, node, PluginName="second")["ResponseCode"] == 2
    assert went(store, command, node)["Status"] == "Failed"
    with refused("InvalidPluginName"):
        went(store, command, node, PluginName="three")
    assert jar.host.jobs == {}


def test_permission_on_every_node_also_by_targets(jar: TestJar, store: Any, node: str) -> None:
    other = launch(jar, "node", Env="live")
    document = f"arn:aws:ssm:eu-west-3::document/{SCRIPT}"
    machine = f"arn:aws:ec2:eu-west-3:000000000000:instance/{node}"
    one = user(jar, "one", statement("ssm:SendCommand", [document, machine]))
    given = {"DocumentName": SCRIPT, "Parameters": {"commands": ["ls"]}}
    assert one.send_command(InstanceIds=[node], **given)
    with refused("AccessDeniedException", other):
        one.send_command(InstanceIds=[node, other], **given)
    with refused("AccessDeniedException", other):
        one.send_command(Targets=[{"Key": "tag-key", "Values": ["Env"]}], **given)
    assert one.send_command(Targets=[{"Key": "tag:Env", "Values": ["dev"]}], **given)
    tagged = {"StringEquals": {"ssm:resourceTag/Env": "live"}}
    live = user(
        jar, "live", statement("ssm:SendCommand", document), statement("ssm:SendCommand", "*", Condition=tagged)
    )
    assert live.send_command(InstanceIds=[other], **given)
    with refused("AccessDeniedException", node):
        live.send_command(InstanceIds=[node], **given)
