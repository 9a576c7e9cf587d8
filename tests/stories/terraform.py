"""Terraform with the AWS provider of this machine, told of the jar by its environment alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.stories.served import Served

# Where a provider lies unpacked or zipped, as `terraform providers mirror` leaves it.
_MIRRORS = (os.environ.get("CLOUDJAR_TERRAFORM_PLUGINS", ""), "/opt/tf-plugins", "/usr/local/share/terraform/plugins")
_PROVIDER = "registry.terraform.io/hashicorp/aws"
_PATIENCE = 600.0


def mirror() -> str:
    """The folder that holds the provider; empty when the machine has none."""
    return next((folder for folder in _MIRRORS if folder and Path(folder, _PROVIDER).is_dir()), "")


def why_not() -> str:
    """Why Terraform's stories cannot be told on this machine; empty when they can."""
    if shutil.which("terraform") is None:
        return "terraform is not on this machine"
    if not mirror():
        return f"the Terraform provider hashicorp/aws is in none of {', '.join(filter(None, _MIRRORS))}"
    return ""


class Ran(NamedTuple):
    """How a command ended, and all that it said."""

    status: int
    text: str


class Terraform:
    """One working directory, signed in with a key."""

    def __init__(self, jar: Served, sources: Path, key: str = "test", secret: str = "test", **variables: str) -> None:
        self._folder = jar.folder / sources.name
        shutil.copytree(sources, self._folder)
        settings = jar.folder / "terraform.rc"
        settings.write_text("")
        self._environment = jar.environment(
            key,
            secret,
            TF_CLI_CONFIG_FILE=str(settings),
            TF_IN_AUTOMATION="1",
            CHECKPOINT_DISABLE="1",
            HTTP_PROXY=jar.endpoint,  # for names below localhost, which Go asks a name server for
            **{f"TF_VAR_{name}": value for name, value in variables.items()},
        )
        self.must("init", f"-plugin-dir={mirror()}")

    def run(self, *words: str) -> Ran:
        """A command, whatever comes of it."""
        done = subprocess.run(
            ["terraform", *words, "-no-color"],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        return Ran(done.returncode, done.stdout)

    def must(self, *words: str) -> str:
        """A command that must succeed; what it said."""
        status, text = self.run(*words)
        assert status == 0, f"terraform {' '.join(words)} ended with {status}:\n{text[-6000:]}"
        return text

    def apply(self, **variables: str) -> str:
        """Make it so, without being asked."""
        return self.must("apply", "-auto-approve", "-input=false", *_given(variables))

    def changes(self, **variables: str) -> str:
        """What a further apply would do; empty when it would do nothing."""
        status, text = self.run("plan", "-detailed-exitcode", "-input=false", *_given(variables))
        assert status in (0, 2), text[-6000:]
        return text if status else ""

    def output(self, name: str) -> str:
        """The value of an output."""
        return self.must("output", "-raw", name)

    def destroy(self) -> str:
        """Take everything away."""
        return self.must("destroy", "-auto-approve", "-input=false")


def _given(variables: dict[str, str]) -> list[str]:
    return [f"-var={name}={value}" for name, value in variables.items()]
