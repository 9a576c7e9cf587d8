"""What an account's mode and its exclusions come to for each subnet; reads records, changes nothing.

An exclusion of the VPC and one of the subnet add up: an exclusion only ever allows. Where the account's mode is
``block-ingress``, exclusions that allow egress change nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from cloudjar.kit.db import Db
from cloudjar.planes.network.port import Openness
from cloudjar.services.ec2.block_public_access.records import BlockExclusion, BlockMode, BlockOptions

_SHOWN: dict[Openness, BlockMode] = {
    "open": "off",
    "closed": "block-bidirectional",
    "outward": "block-ingress",
    "gateways": "block-ingress",
}


def chosen(db: Db) -> BlockOptions:
    """The account's decision; at first nothing is blocked."""
    return db[BlockOptions].get("options") or BlockOptions()


def openness(mode: BlockMode, exclusions: Collection[str]) -> Openness:
    """How open something is under an account's mode and the modes of the exclusions that it is in."""
    if mode == "off" or "allow-bidirectional" in exclusions:
        return "open"
    if mode == "block-ingress":
        return "gateways"
    return "outward" if "allow-egress" in exclusions else "closed"


class Standing:
    """How open each VPC and subnet of an account in a Region is now."""

    def __init__(self, db: Db) -> None:
        self._mode = chosen(db).mode
        self._excluded: dict[str, set[str]] = {}
        for one in db[BlockExclusion].all() if self._mode != "off" else ():
            if one.live:
                self._excluded.setdefault(one.subnet_id or one.vpc_id, set()).add(one.mode)

    def of(self, *keys: str) -> Openness:
        """Of a VPC's id, or a subnet's with its VPC's."""
        return openness(self._mode, {mode for key in keys for mode in self._excluded.get(key, ())})

    def states(self, *keys: str) -> dict[str, Any]:
        """AWS's BlockPublicAccessStates of the same."""
        return {"InternetGatewayBlockMode": _SHOWN[self.of(*keys)]}
