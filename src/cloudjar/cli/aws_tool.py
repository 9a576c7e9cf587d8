"""The stock `aws` command of this host: where it is, and whether it can be pointed here by its environment.

``AWS_ENDPOINT_URL`` is understood since AWS CLI 1.29 and 2.13 (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html).
Debian 12's is older: for such a one a two-line wrapper adds ``--endpoint-url``.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple


class Tool(NamedTuple):
    """An `aws` command."""

    path: str
    version: tuple[int, ...]

    @property
    def reads_endpoint(self) -> bool:
        """True when the environment variable is enough."""
        return self.version >= ((2, 13) if self.version[:1] == (2,) else (1, 29))

    def __str__(self) -> str:
        return ".".join(map(str, self.version))


def find(besides: Path | None = None) -> Tool | None:
    """The first `aws` on the PATH that is not our own wrapper in `besides`; None when there is none that runs."""
    folders = [f for f in os.environ.get("PATH", "").split(os.pathsep) if not besides or Path(f) != besides]
    path = shutil.which("aws", path=os.pathsep.join(folders))
    if path is None:
        return None
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"aws-cli/(\d+)\.(\d+)\.(\d+)", said.stdout + said.stderr)
    return Tool(path, tuple(map(int, match.groups()))) if match else None


def wrap(folder: Path, tool: Tool) -> Path:
    """Put a wrapper for an old `aws` into ``folder``; gives the folder, for the front of the PATH."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = (
        "#!/bin/sh\n"
        "# Written by Cloudjar: this host's aws is too old to know AWS_ENDPOINT_URL.\n"
        'case " $* " in *" --endpoint-url"*) ;;\n'
        '*) set -- ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} "$@" ;; esac\n'
        f'exec {shlex.quote(tool.path)} "$@"\n'
    )
    draft = folder / ".aws.new"
    draft.write_text(text)
    draft.chmod(0o700)
    draft.replace(folder / "aws")
    return folder
