"""What this host lets us do."""

from __future__ import annotations

import os
import shutil
import sys

TOOLS = ("ip", "nft", "podman", "runc")


def can_drive() -> bool:
    """True when the Linux planes can work here at all: Linux, root, and their tools."""
    return sys.platform == "linux" and os.geteuid() == 0 and all(shutil.which(tool) for tool in TOOLS)
