"""A network interface as it is stored.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Quota, Record, record


class PublicAssociation(msgspec.Struct, frozen=True, kw_only=True):
    """A public address in front of a private one; without an allocation it was lent and is taken back on stop."""

    ip: str
    allocation_id: str = ""
    association_id: str = ""
    owner: str = ""
    """Whose Elastic IP it is, when it is not the interface's own account's."""


class PrivateAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A private address; the first of an interface is its primary one."""

    ip: str
    public: PublicAssociation | None = None


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """What an interface is plugged into; `powered` says that the machine is wanted up, so packets may flow."""

    id: str
    instance_id: str
    device_index: int
    attached: datetime
    powered: bool
    delete_on_termination: bool = False
    rate_mbit: int = 0
    """What the instance type's network gives, in Mbit/s; 0 is unshaped."""
    instance_owner: str = ""
    """The account or service alias that owns the machine, when it is not the interface's own account."""


@record(
    "ec2",
    "network-interface",
    index=("vpc_id", "subnet_id", "instance_id", "attachment_id"),
    missing=("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '{key}' does not exist"),
    quotas=(
        Quota(
            ("vpc", "L-DF5E4CA3"),
            ("NetworkInterfaceLimitExceeded", "The maximum number of network interfaces has been reached."),
        ),
    ),
    parent=("ec2/vpc", "vpc_id"),
    everywhere=True,
)
class NetworkInterface(Record, frozen=True, kw_only=True):
    """A place in a subnet: addresses, groups, and what is plugged in."""

    id: str
    vpc_id: str
    subnet_id: str
    zone: str
    zone_id: str
    mac: str
    addresses: tuple[PrivateAddress, ...]
    groups: tuple[str, ...]
    ipv6: tuple[str, ...] = ()
    description: str = ""
    interface_type: str = "interface"
    source_dest_check: bool = True
    relays: bool = False
    """Passes flows on in their own names: a network load balancer's."""
    unguarded: bool = False
    """No security groups decide about it."""
    links_unguarded: bool = False
    """Groups do not decide about what comes by private links, though they do about the rest."""
    requester_id: str = ""
    requester_managed: bool = False
    lend_public: bool = False
    """Was launched with a public address: gets another one at every start."""
    public_name: str = ""
    """Which kind of public name it has been given; empty: that of its IPv4 address."""
    attachment: Attachment | None = None
    tags: dict[str, str] = {}

    @property
    def instance_id(self) -> str:
        """The instance that it is attached to, or empty."""
        return self.attachment.instance_id if self.attachment else ""

    @property
    def attachment_id(self) -> str:
        """Empty when detached."""
        return self.attachment.id if self.attachment else ""

    @property
    def powered(self) -> bool:
        """Whether packets may flow: attached, and what it is attached to is wanted up."""
        return self.attachment is not None and self.attachment.powered

    @property
    def device_index(self) -> int:
        """Where it is plugged in; -1 when it is not."""
        return self.attachment.device_index if self.attachment else -1

    @property
    def primary(self) -> PrivateAddress:
        """The address that the interface cannot lose."""
        return self.addresses[0]


@record(
    "ec2",
    "network-interface-permission",
    index=("interface_id",),
    missing=("InvalidPermissionID.NotFound", "The networkInterfacePermission ID '{key}' does not exist"),
    everywhere=True,
)
class InterfacePermission(Record, frozen=True, kw_only=True):
    """What another account may do with an interface: ``INSTANCE-ATTACH`` or ``EIP-ASSOCIATE``."""

    id: str
    interface_id: str
    to: str
    permission: str


@record("ec2", "borrowed-interface", key="interface_id", index=("instance_id", "attachment_id"))
class BorrowedInterface(Record, frozen=True, kw_only=True):
    """Another account's interface (`owner`) that an instance of this one is plugged into."""

    interface_id: str
    owner: str
    instance_id: str
    attachment_id: str
