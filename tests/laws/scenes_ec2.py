"""What the access law asks about for the operations around EC2's resources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.jar import ACCOUNT

Scene = Callable[[Any], dict[str, Any]]


def _offered(things: Any) -> dict[str, Any]:
    """An address that another account offers."""
    other = things.jar.client("ec2", key="222222222222")
    made = other.allocate_address(Domain="vpc")
    other.enable_address_transfer(AllocationId=made["AllocationId"], TransferAccountId=ACCOUNT)
    return {"Address": made["PublicIp"]}


SCENES: dict[str, Scene] = {
    "ec2:AcceptAddressTransfer": _offered,
}
