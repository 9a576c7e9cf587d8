"""Calls a second through the whole pipeline: signature, IAM, handler, audit; against a bare hello, world of the same
server in the same run.

    python bench/pipeline.py [--seconds 3]

The server is a real one in a process of its own on one core, with its data on disk; the client uses another core.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import boto3

from bench.http_server import HELLO, Result, compare, hello_world, measure, signed_post
from cloudjar.auth.presign import Credentials
from cloudjar.base.clock import monotonic

_SERVE = """
import os, sys
from pathlib import Path
if sys.argv[2]:
    os.sched_setaffinity(0, {0})
from cloudjar.app import serve
from cloudjar.base.settings import Settings
home = Path(sys.argv[1])
serve(Settings(home=home, port=0, planes="sim"), home / "ready.json")
"""


class Running(NamedTuple):
    """A jar in a process of its own."""

    port: int
    pid: int
    home: Path

    def advance(self, seconds: int) -> None:
        """Move AWS time, as ``cloudjar clock advance`` does."""
        link = HTTPConnection("127.0.0.1", self.port, timeout=60)
        token = (self.home / "admin-token").read_text()
        link.request("POST", f"/_cloudjar/clock?seconds={seconds}", headers={"x-cloudjar-token": token})
        answer = link.getresponse()
        assert answer.status == 200, answer.read()
        link.close()


@contextmanager
def jar(*, pinned: bool = True) -> Iterator[Running]:
    """A running jar, on core 0 unless it may have all."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([sys.executable, "-c", _SERVE, folder, "pinned" if pinned else ""])
        ready = Path(folder) / "ready.json"
        until = monotonic() + 30
        while not ready.exists() and monotonic() < until and process.poll() is None:
            pass
        try:
            yield Running(json.loads(ready.read_text())["port"], process.pid, Path(folder))
        finally:
            process.terminate()
            process.wait(10)


def client(port: int, service: str, key: str = "test", secret: str = "test") -> Any:
    """A boto3 client of the jar."""
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )


def administrator(port: int) -> Credentials:
    """An IAM user with AdministratorAccess: the whole of authentication and authorisation is at work."""
    iam = client(port, "iam")
    iam.create_user(UserName="bench")
    iam.attach_user_policy(UserName="bench", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = iam.create_access_key(UserName="bench")["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def call(port: int, service: str, action: str, version: str, who: Credentials, **members: str) -> bytes:
    """The bytes of a signed query call."""
    body = "&".join([f"Action={action}", f"Version={version}", *(f"{k}={v}" for k, v in members.items())])
    return signed_post(body.encode(), service=service, credentials=who, host=f"127.0.0.1:{port}")


def memory_mib(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used: what a call costs, however busy the machine is. By the process's own
    clock, which is not counted in ticks."""
    return time.clock_gettime(~pid << 3 | 2)


def main() -> None:
    """Print one line a case."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3.0)
    seconds = parser.parse_args().seconds
    with hello_world() as port:
        floor = measure(port, [HELLO], seconds=seconds)
        print(compare("hello, world (16)", floor, floor))
    with jar() as (port, pid, _):
        print(f"{'idle memory':28s} {memory_mib(pid):9.1f} MiB")
        who = administrator(port)
        sts = call(port, "sts", "GetCallerIdentity", "2011-06-15", who)
        user = call(port, "iam", "GetUser", "2010-05-08", who, UserName="bench")
        for name, request in (("sts:GetCallerIdentity", sts), ("iam:GetUser", user)):
            for clients in (16, 1):
                before = cpu_seconds(pid)
                result: Result = measure(port, [request], clients=clients, seconds=seconds)
                each = (cpu_seconds(pid) - before) / result.answers
                print(compare(f"{name} ({clients})", result, floor), f"  {each * 1e6:4.0f} us of CPU a call")
        print(f"{'memory afterwards':28s} {memory_mib(pid):9.1f} MiB")


if __name__ == "__main__":
    main()
