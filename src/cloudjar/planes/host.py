"""What this host lets us do."""

from __future__ import annotations

import os
import sys

from cloudjar.planes.compute.process import find_tool

TOOLS = {"ip": "iproute2", "nft": "nftables", "runc": "runc", "conmon": "conmon", "mkfs.ext4": "e2fsprogs",
         "mount": "mount"}  # fmt: skip
"""What real planes cannot do without, and the Debian packages that bring it; `cloudjar doctor` looks closer."""


def missing() -> list[str]:
    """Packages of tools that are not installed."""
    return [package for tool, package in TOOLS.items() if not find_tool(tool)]


def can_drive() -> bool:
    """True when the Linux planes can work here at all: Linux, root, and their tools."""
    return sys.platform == "linux" and os.geteuid() == 0 and not missing()
