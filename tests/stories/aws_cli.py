"""The stock AWS CLI of this machine, version 1 or 2, told of the jar by its environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.stories.served import Served

# The first releases that read AWS_ENDPOINT_URL; Debian 12's own (2.9) is older and must be given an option.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
_READS_ENDPOINT = {1: (1, 29), 2: (2, 13)}
_PATIENCE = 120.0


class Installed(NamedTuple):
    """A CLI on this machine."""

    path: str
    version: tuple[int, ...]

    @property
    def reads_endpoint(self) -> bool:
        """Whether it understands AWS_ENDPOINT_URL."""
        return self.version >= _READS_ENDPOINT[self.version[0]]


@cache
def installed(major: int) -> Installed | None:
    """The CLI of a major version: beside this Python, else on the path; None when there is none."""
    for path in _candidates():
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=_PATIENCE, check=False)
        match = re.match(r"aws-cli/(\d+(?:\.\d+)*)", said.stdout + said.stderr)
        version = tuple(int(part) for part in match[1].split(".")) if match else ()
        if version[:1] == (major,):
            return Installed(path, version)
    return None


def _candidates() -> Iterator[str]:
    beside = Path(sys.executable).parent
    for folder in (str(beside), *os.environ.get("PATH", "").split(os.pathsep)):
        path = shutil.which("aws", path=folder)
        if path:
            yield path


class Ran(NamedTuple):
    """How a command ended: exit code, output, errors."""

    status: int
    out: str
    err: str


class Cli:
    """One person at a shell: a CLI and whose key it has."""

    def __init__(self, jar: Served, tool: Installed, key: str, secret: str) -> None:
        self.major = tool.version[0]
        self._tool = tool
        self._jar = jar
        self.environment = jar.environment(key, secret)

    def signed_by(self, key: str, secret: str) -> Cli:
        """The same tool with another key."""
        return Cli(self._jar, self._tool, key, secret)

    @property
    def failed(self) -> int:
        """The exit code of a call that the service refused."""
        return 254 if self.major == 2 else 255

    @property
    def misused(self) -> int:
        """The exit code of a command that cannot be parsed."""
        return 252 if self.major == 2 else 2

    def run(self, *words: str) -> Ran:
        """A command, whatever comes of it."""
        where = () if self._tool.reads_endpoint else ("--endpoint-url", self._jar.endpoint)
        done = subprocess.run(
            [self._tool.path, *words, *where],
            cwd=self._jar.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr.strip())

    @contextmanager
    def follow(self, *words: str) -> Iterator[Iterator[str]]:
        """The lines of a command that goes on, as they come; it is ended with the block."""
        where = () if self._tool.reads_endpoint else ("--endpoint-url", self._jar.endpoint)
        going = subprocess.Popen(
            [self._tool.path, *words, *where],
            cwd=self._jar.folder,
            env={**self.environment, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        timer = threading.Timer(_PATIENCE, going.kill)
        timer.start()
        assert going.stdout is not None
        try:
            with going.stdout as lines:
                yield (line.rstrip("\n") for line in lines)
        finally:
            timer.cancel()
            going.kill()
            going.wait()

    def must(self, *words: str) -> str:
        """What a command that must succeed prints."""
        status, out, err = self.run(*words)
        assert (status, err) == (0, ""), f"aws {' '.join(words)} ended with {status}: {err}"
        return out

    def text(self, query: str, *words: str) -> str:
        """What ``--query QUERY --output text`` prints, without the line's end."""
        return self.must(*words, "--query", query, "--output", "text").rstrip("\n")

    def json(self, *words: str) -> Any:
        """What a command prints, read."""
        return json.loads(self.must(*words, "--output", "json"))
