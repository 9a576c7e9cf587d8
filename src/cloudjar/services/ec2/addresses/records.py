"""Public addresses as they are stored: who holds which, and the Elastic ones.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html
"""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Quota, Record, record


@record("ec2", "public-ip", key="ip", everywhere=True)
class PublicIp(Record, frozen=True, kw_only=True):
    """An address of the jar's public pool that somebody holds; one holder over all accounts and regions."""

    ip: str
    elastic: bool
    in_use: bool
    """In front of a machine that is wanted up; an address that is held and not in use bills as idle."""


@record("ec2", "public-pool", key="name", regional=False)
class PublicPool(Record, frozen=True, kw_only=True):
    """Where the search for a free address goes on, so that one given back is not given out again at once."""

    name: str
    last: str = ""


@record(
    "ec2",
    "elastic-ip",
    index=("ip", "association_id", "interface_id"),
    missing=("InvalidAllocationID.NotFound", "The allocation ID '{key}' does not exist"),
    quotas=(
        Quota(("ec2", "L-0263D0A3"), ("AddressLimitExceeded", "The maximum number of addresses has been reached.")),
    ),
)
class ElasticIp(Record, frozen=True, kw_only=True):
    """An address that an account keeps until it releases it."""

    id: str
    ip: str
    association_id: str = ""
    interface_id: str = ""
    private_ip: str = ""
    interface_owner: str = ""
    """Whose interface it stands in front of, when that is another account's."""
    pointer: str = ""
    """What its reverse DNS record says."""
    pointer_asked: str = ""
    """A name that is to stand there once its own record leads to the address."""
    pointer_refused: str = ""
    """Why it does not."""
    tags: dict[str, str] = {}


@record("ec2", "address-transfer", key="allocation_id", index=("ip",), everywhere=True)
class AddressTransfer(Record, frozen=True, kw_only=True):
    """An Elastic IP that its account (`account`) has offered to another one; kept for a while once it was accepted."""

    allocation_id: str
    ip: str
    to: str
    expires: datetime
    accepted: datetime | None = None
