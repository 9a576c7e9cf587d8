"""Running nft: one transaction, in the namespace of the calling thread."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from typing import Any

from cloudjar.base.errors import PlaneError


@cache
def program() -> str:
    """Where nft is; raises `PlaneError` when it is nowhere."""
    found = shutil.which("nft", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise PlaneError("The packet filter needs the program nft. Try: apt-get install nftables")
    return found


def transaction(text: str) -> None:
    """Hand the kernel a transaction; raises `PlaneError` with nft's own words when it is refused."""
    done = subprocess.run([program(), "-f", "-"], input=text, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise PlaneError(f"nft refused the packet filter: {done.stderr.strip()[:800]}")


def tables() -> list[str]:
    """Names of the ``inet`` tables here."""
    done = subprocess.run([program(), "list", "tables"], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise PlaneError(f"nft could not list its tables: {done.stderr.strip()[:200]}. Try running as root.")
    return [line.split()[2] for line in done.stdout.splitlines() if line.startswith("table inet ")]


def drop_table(name: str) -> None:
    """Remove an ``inet`` table; nothing happens when there is none."""
    transaction(f"add table inet {name}\ndelete table inet {name}\n")


def packets(table: str) -> dict[str, int]:
    """The packets of each named counter of an ``inet`` table."""
    done = subprocess.run([program(), "-j", "list", "counters", "table", "inet", table], text=True,
                          capture_output=True, check=False)  # fmt: skip
    if done.returncode != 0:
        raise PlaneError(f"nft could not list its counters: {done.stderr.strip()[:200]}. Try running as root.")
    found = (item["counter"] for item in json.loads(done.stdout)["nftables"] if "counter" in item)
    return {counter["name"]: counter["packets"] for counter in found}


def elements(table: str) -> dict[str, list[dict[str, Any]]]:
    """The counted elements of an ``inet`` table's sets by the set's name; empty without the table."""
    done = subprocess.run([program(), "-j", "-n", "list", "sets", "inet"], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise PlaneError(f"nft could not list its sets: {done.stderr.strip()[:200]}. Try running as root.")
    found = (item["set"] for item in json.loads(done.stdout)["nftables"] if "set" in item)
    return {
        s["name"]: [e["elem"] for e in s.get("elem", ()) if isinstance(e, dict) and "counter" in e.get("elem", ())]
        for s in found if s["table"] == table
    }
