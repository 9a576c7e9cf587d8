"""up, down, reset: one server per home, whatever is tried."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError

from tests.cli.terminal import Terminal


def test_up_says_how_to_use_it_and_down_ends_it(terminal: Terminal) -> None:
    said = terminal.good("up")
    assert "Endpoint  http://127.0.0.1:" in said
    assert 'eval "$(cloudjar env' in said
    assert "simulated" in said
    assert terminal.client("sts").get_caller_identity()["Account"] == "000000000000"
    assert "Down" in terminal.good("down")
    stopped = terminal.run("status")
    assert stopped.code == 1
    assert "not running" in stopped.err
    assert "Try: cloudjar up" in stopped.err


def test_up_twice_is_one_server(terminal: Terminal) -> None:
    pid = terminal.json("up")["pid"]
    assert "Already up" in terminal.good("up")
    assert terminal.json("status")["pid"] == pid


def test_two_ups_at_once_are_one_server(terminal: Terminal) -> None:
    both = [terminal.start("up", "--json") for _ in range(2)]
    said = [child.communicate(timeout=120)[0] for child in both]
    assert [child.returncode for child in both] == [0, 0]
    assert len({json.loads(text)["pid"] for text in said}) == 1


def test_the_server_outlives_a_hang_up(terminal: Terminal) -> None:
    pid = terminal.json("up")["pid"]
    assert os.getsid(pid) == pid
    assert os.getsid(pid) != os.getsid(0)


def test_a_killed_server_is_not_taken_for_a_running_one(terminal: Terminal) -> None:
    first = terminal.json("up")["pid"]
    handle = os.pidfd_open(first)
    os.kill(first, signal.SIGKILL)
    assert select.select([handle], [], [], 30)[0]
    os.close(handle)
    assert terminal.run("status").code == 1
    assert terminal.json("up")["pid"] != first


def test_what_ran_runs_again_and_time_stays_advanced(terminal: Terminal) -> None:
    terminal.good("up")
    instance = terminal.launch()
    before = terminal.good("clock", "advance", "30d")
    terminal.good("down")
    terminal.good("up")
    ec2 = terminal.client("ec2")
    ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert terminal.good("clock") >= before
    assert terminal.json("status")["instances_running"] == 1


def test_time_is_frozen_and_hastened_and_stays_so(terminal: Terminal) -> None:
    terminal.good("up")
    assert terminal.good("clock", "freeze").endswith(", frozen\n")
    stood = terminal.json("clock")["now"]
    assert terminal.client("sts").get_caller_identity()["Account"] == "000000000000"
    terminal.good("down")
    terminal.good("up")
    assert terminal.json("clock") == {"now": stood, "speed": 0.0}
    assert ", frozen" in terminal.good("status")
    sqs = terminal.client("sqs")
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "43200"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="a")
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert terminal.good("clock", "speed", "43200").endswith(", 43200 times as fast\n")
    assert len(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]) == 1
    assert terminal.good("clock", "resume").endswith(" UTC\n")
    assert terminal.run("clock", "speed", "1e9").code == 2


def test_a_jar_keeps_its_settings(terminal: Terminal) -> None:
    terminal.good("up", "--account", "123456789012", "--region", "eu-west-3")
    terminal.good("down")
    again = terminal.json("up")
    assert (again["account"], again["region"]) == ("123456789012", "eu-west-3")
    terminal.good("down")
    assert terminal.json("up", "--region", "eu-north-1")["region"] == "eu-north-1"


def test_reset_asks_and_then_forgets_everything(terminal: Terminal) -> None:
    terminal.good("up")
    terminal.client("iam").create_user(UserName="bob")
    refused = terminal.run("reset")
    assert refused.code == 1
    assert terminal.client("iam").list_users()["Users"]
    terminal.good("reset", "--yes")
    terminal.good("up")
    assert terminal.client("iam").list_users()["Users"] == []


def test_down_of_nothing_is_no_error(terminal: Terminal) -> None:
    assert "no jar" in terminal.good("down")
    assert not terminal.home.exists()


def test_beyond_loopback_only_with_a_key_of_its_own(terminal: Terminal) -> None:
    refused = terminal.run("up", "--host", "0.0.0.0")
    assert refused.code == 1
    assert "--generate-credentials" in refused.err
    made = terminal.json("up", "--host", "0.0.0.0", "--generate-credentials")
    key, secret = made["access_key_id"], made["secret_access_key"]
    assert terminal.client("sts", key, secret).get_caller_identity()["Arn"].endswith(":root")
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        terminal.client("sts").get_caller_identity()
    assert terminal.json("status")["pid"] == made["pid"]  # the private door is open however the jar listens


def test_a_port_that_is_taken_is_named(terminal: Terminal, up: Terminal) -> None:
    port = up.json("env")["AWS_ENDPOINT_URL"].rpartition(":")[2]
    refused = terminal.run("up", "--port", port)
    assert refused.code == 1
    assert f"--port {int(port) + 1}" in refused.err


def test_in_the_foreground_it_can_be_taken_down_from_elsewhere(terminal: Terminal) -> None:
    with terminal.start("up", "--foreground") as child:
        assert child.stderr is not None
        while "Ready." not in child.stderr.readline():
            assert child.poll() is None
        assert "Down" in terminal.good("down")
        child.communicate(timeout=60)
        assert child.returncode == 0


def test_the_version_needs_no_imports() -> None:
    script = (
        "import sys; sys.argv = ['cloudjar', '--version']; from cloudjar.cli.__main__ import main; main(); "
        "print([m for m in ('click', 'msgspec', 'botocore') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.splitlines() == [f"cloudjar {__import__('cloudjar').__version__}", "[]"]
