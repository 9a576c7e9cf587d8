"""Where the story is played: commands are printed, run and checked; nothing of it touches the user's own files.

Standard library only, and everything goes through the commands that a person would type.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

REGION = "eu-west-3"
CLOUDJAR = (sys.executable, "-m", "cloudjar.cli")
SSH = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
       "-o", "BatchMode=yes", "-o", "ConnectTimeout=5")  # fmt: skip


class Trouble(Exception):
    """The story did not go as it must: what, why, and what to try."""

    def __init__(self, what: str, why: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what, self.why, self.hint = what, why, hint


class Said(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Stage:
    """A jar of its own (`home`, `port`, `tag`, `pool`), a folder for keys and configuration, and a voice.

    `steps` collects (title, seconds) of what was played.
    """

    def __init__(self, home: Path, *, port: int, tag: str, pool: str, planes: str, quiet: bool = False) -> None:
        self.home, self.port, self.tag, self.pool, self.planes = home, port, tag, pool, planes
        self.files = home.with_name(f"{home.name}-files")
        self.quiet = quiet
        self.steps: list[tuple[str, float]] = []
        self._began = time.monotonic()
        self.environ = self._environment()

    def _environment(self) -> dict[str, str]:
        """The caller's, without anything that would lead the tools elsewhere."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CLOUDJAR_"))}
        # The host's own aws comes first; one from PyPI may lie beside this Python.
        env["PATH"] = f"{env.get('PATH', os.defpath)}{os.pathsep}{Path(sys.executable).parent}"
        return env | {
            "AWS_CONFIG_FILE": str(self.files / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.files / "credentials"),
            "AWS_PAGER": "",
            "CLOUDJAR_HOME": str(self.home),
            "NO_COLOR": "1",
        }

    # -- the voice
    def say(self, text: str = "") -> None:
        """A line."""
        if not self.quiet:
            print(text, flush=True)

    def step(self, title: str) -> None:
        """A heading; ends the step before."""
        self.rest()
        self.steps.append((title, 0.0))
        self.say(f"\n{self._paint(title, '1')}")

    def rest(self) -> None:
        """Note how long the present step took."""
        now = time.monotonic()
        if self.steps:
            title, _ = self.steps[-1]
            self.steps[-1] = (title, now - self._began)
        self._began = now

    def good(self, text: str) -> None:
        """Something that had to be so, and is."""
        self.say(f"    {self._paint('ok', '32')}  {text}")

    def check(self, ok: object, what: str, why: str = "", hint: str = "") -> None:
        """Say that `what` holds, or end the story."""
        if not ok:
            raise Trouble(f"this does not hold: {what}", why, hint)
        self.good(what)

    @staticmethod
    def _paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if sys.stdout.isatty() else text

    # -- commands
    def run(
        self,
        *argv: str,
        shown: str = "",
        give: str | None = None,
        timeout: float = 120,
        env: dict[str, str] | None = None,
    ) -> Said:
        """Run a command, printed as `shown`; never raises for its exit code."""
        if shown != "-":
            self.say(f"  $ {shown or shlex.join(argv)}")
        try:
            done = subprocess.run(
                argv, env=self.environ | (env or {}), input=give, capture_output=True, text=True, timeout=timeout,
                check=False, stdin=subprocess.DEVNULL if give is None else None,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Said(124, "", f"no end within {timeout:g} s")
        except FileNotFoundError:
            return Said(127, "", f"{argv[0]} is not installed")
        return Said(done.returncode, done.stdout, done.stderr)

    def need(self, *argv: str, hint: str = "", **how: Any) -> str:
        """Run a command that must succeed; gives what it said."""
        said = self.run(*argv, **how)
        if said.code:
            words = (said.err.strip() or said.out.strip())[-1500:]
            raise Trouble(f"{how.get('shown') or shlex.join(argv)} ended with {said.code}", words, hint)
        return said.out

    def cloudjar(self, *argv: str, **how: Any) -> str:
        """The product's own command."""
        how.setdefault("shown", shlex.join(["cloudjar", *argv]))
        return self.need(*CLOUDJAR, *argv, hint="cloudjar doctor, cloudjar logs", **how)

    def aws(self, *argv: str, who: str = "admin-dev", region: str = "", shown: str = "", **how: Any) -> Any:
        """The stock `aws` as somebody; gives the answer (parsed if it is JSON); raises `Trouble`."""
        said = self._aws(argv, who, region, shown, **how)
        if said.code:
            raise Trouble(
                f"aws {shlex.join(argv[:2])} was refused", said.err.strip(), "cloudjar why --last, cloudjar logs"
            )
        try:
            return json.loads(said.out) if said.out.strip() else None
        except ValueError:
            return said.out.strip()

    def refused(self, *argv: str, who: str, code: str, shown: str = "") -> str:
        """An `aws` call that must be refused with this error code; gives the message."""
        said = self._aws(argv, who, "", shown)
        self.check(
            said.code and f"({code})" in said.err,
            f"refused: {code}",
            said.err.strip() or f"it was answered: {said.out[:300]}",
        )
        return said.err.strip()

    def _aws(self, argv: Sequence[str], who: str, region: str, shown: str, **how: Any) -> Said:
        place = ("--region", region) if region else ()
        name = f"AWS_PROFILE={who} " if who != "admin-dev" else ""
        text = shown or f"{name}aws {shlex.join([*argv, *place])}"
        return self.run("aws", *argv, *place, shown=text, env={"AWS_PROFILE": who, "AWS_DEFAULT_REGION": REGION}, **how)

    def ssh(self, address: str, command: str, *, timeout: float = 60, through: str = "", quiet: bool = False) -> Said:
        """A command on a machine, as Debian's default user; `through` is a machine to jump over."""
        key = str(self.files / "devops-key.pem")
        way, shown = [], ""
        if through:
            way = ["-o", f"ProxyCommand=ssh -i {key} {shlex.join(SSH)} -W %h:%p admin@{through}"]
            shown = f"-J admin@{through} "
        text = f"ssh -i devops-key.pem {shown}admin@{address} {shlex.quote(command)}"
        return self.run(
            "ssh", "-i", key, *SSH, *way, f"admin@{address}", command, shown="-" if quiet else text, timeout=timeout
        )

    def on(self, address: str, command: str, *, timeout: float = 60) -> str:
        """A command that must succeed on a machine."""
        said = self.ssh(address, command, timeout=timeout)
        if said.code:
            raise Trouble(f"on {address}, {command!r} ended with {said.code}", (said.err or said.out).strip()[-1500:])
        return said.out

    def curl(self, url: str, *, seconds: float = 5, extra: Sequence[str] = (), quiet: bool = False) -> Said:
        """A request from this host; exit code 28 is a time-out, 7 a refusal."""
        argv = ("curl", "-sS", "--noproxy", "*", "--max-time", f"{seconds:g}", *extra, url)
        shown = f"curl {shlex.join(extra)} {url}" if extra else f"curl {url}"
        return self.run(*argv, shown="-" if quiet else shown, timeout=seconds + 30)

    def until(
        self, what: str, work: Callable[[], bool], *, seconds: float, every: float = 0.5, hint: str = ""
    ) -> float:
        """Ask again and again; gives the seconds it took, raises `Trouble` after `seconds`."""
        began = time.monotonic()
        while not work():
            if time.monotonic() - began > seconds:
                raise Trouble(f"{what}: not within {seconds:g} s", hint=hint)
            time.sleep(every)
        return time.monotonic() - began
