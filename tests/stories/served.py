"""A jar in a process of its own with simulated planes, as stock clients meet it: an address and an environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import boto3

from cloudjar.base.clock import monotonic

_SERVE = """
import sys
from pathlib import Path
from cloudjar.app import serve
from cloudjar.base.settings import Settings
home = Path(sys.argv[1])
serve(Settings(home=home, port=0, planes="sim", durable=False), home / "ready.json")
"""
_PATIENCE = 60.0
REGION = "eu-west-3"


class Served(NamedTuple):
    """A jar that answers."""

    endpoint: str
    folder: Path
    """For the clients' own files: their home directory."""

    def environment(self, key: str = "test", secret: str = "test", **more: str) -> dict[str, str]:
        """All that a stock client is told; nothing of the user's own configuration shines through."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.folder),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
            **more,
        }

    def client(self, service: str, key: str = "test", secret: str = "test", region: str = REGION) -> Any:
        """A boto3 client; by default as root."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )

    def advance(self, days: int) -> None:
        """Move AWS time, as `cloudjar clock advance` does."""
        token = (self.folder.with_name("jar") / "admin-token").read_text()
        url = f"{self.endpoint}/_cloudjar/clock?seconds={days * 86400}"
        asked = urllib.request.Request(url, method="POST", headers={"x-cloudjar-token": token})
        with urllib.request.urlopen(asked, timeout=_PATIENCE) as answer:
            assert answer.status == 200

    def user(self, name: str, policy: str = "AdministratorAccess") -> tuple[str, str]:
        """Make an IAM user with an AWS managed policy, or with a document of its own; its access key."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if policy.startswith("{"):
            iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=policy)
        else:
            iam.attach_user_policy(UserName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """Run a jar whose data lie below `folder` for as long as the context lasts."""
    home, user = folder / "jar", folder / "user"
    home.mkdir()
    user.mkdir()
    process = subprocess.Popen([sys.executable, "-c", _SERVE, str(home)], env=_own_environment())
    try:
        yield Served(f"http://127.0.0.1:{_port(process, home / 'ready.json')}", user)
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _own_environment() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _port(process: subprocess.Popen[bytes], ready: Path) -> int:
    until = monotonic() + _PATIENCE
    while not ready.exists():
        try:
            process.wait(0.02)  # looks again soon, or at once when the server is no more
        except subprocess.TimeoutExpired:
            assert monotonic() < until, "the server does not answer"
        else:
            raise AssertionError(f"the server ended with {process.returncode}")
    port: int = json.loads(ready.read_text())["port"]
    return port
