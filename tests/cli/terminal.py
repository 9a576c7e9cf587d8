"""A terminal of its own home: runs the `cloudjar` command as a person does, in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.config import Config


class Said(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Terminal:
    """Commands against one home with simulated planes on a free port."""

    def __init__(self, home: Path) -> None:
        self.home = home
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CLOUDJAR_"))}
        self.environ = clean | {"CLOUDJAR_HOME": str(home), "CLOUDJAR_PLANES": "sim", "CLOUDJAR_PORT": "0"}
        self.environ["CLOUDJAR_SMTP_PORT"] = "0"

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """A command that runs beside others."""
        return subprocess.Popen(
            [sys.executable, "-m", "cloudjar.cli", *argv],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *argv: str) -> Said:
        """A command and how it ended."""
        with self.start(*argv) as child:
            out, err = child.communicate(timeout=120)
            return Said(child.returncode, out, err)

    def good(self, *argv: str) -> str:
        """A command that must succeed; gives what it said."""
        said = self.run(*argv)
        assert said.code == 0, said
        return said.out

    def json(self, *argv: str) -> Any:
        """A command's answer for programs."""
        return json.loads(self.good(*argv, "--json"))

    def client(self, service: str, key: str = "test", secret: str = "test") -> Any:
        """A boto3 client of the running jar."""
        url = self.json("env")["AWS_ENDPOINT_URL"]
        session = boto3.session.Session(key, secret, region_name="eu-west-3")
        return session.client(service, endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))

    def launch(self, **more: Any) -> str:
        """A running t3.micro in the default VPC."""
        ec2 = self.client("ec2")
        names = [{"Name": "name", "Values": ["debian-12-amd64-*"]}]
        image = ec2.describe_images(Owners=["136693071363"], Filters=names)["Images"][0]["ImageId"]
        ran = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, **more)
        instance: str = ran["Instances"][0]["InstanceId"]
        ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        return instance
