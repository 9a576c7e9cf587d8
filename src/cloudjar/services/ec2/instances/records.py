"""What is stored of an instance."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Record, record


class MetadataOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the instance may use IMDS."""

    tokens: str = "required"
    hop_limit: int = 2
    endpoint: str = "enabled"
    tags: str = "disabled"


class ProfileAssociation(msgspec.Struct, frozen=True, kw_only=True):
    """An instance profile in use."""

    id: str
    arn: str
    profile_id: str
    since: datetime


class Cpu(msgspec.Struct, frozen=True, kw_only=True):
    """CPU options other than the type's own."""

    cores: int
    threads: int


@record(
    "ec2",
    "instance",
    index=("state", "vpc_id", "subnet_id"),
    missing=("InvalidInstanceID.NotFound", "The instance ID '{key}' does not exist"),
    everywhere=True,
)
class Instance(Record, frozen=True, kw_only=True):
    """A machine as it is known to AWS; its interfaces and volumes point to it."""

    id: str
    reservation_id: str
    launch_index: int
    image_id: str
    image_key: str
    """Key of the image in the compute plane."""
    type: str
    architecture: str
    key_name: str = ""
    vpc_id: str
    subnet_id: str
    zone: str
    private_ip: str
    state: str
    state_code: str = ""
    state_reason: str = ""
    transition_reason: str = ""
    created: datetime
    launched: datetime
    """When it was last started."""
    ended: datetime | None = None
    """When it was terminated; an hour later it is forgotten."""
    user_data: bytes = b""
    profile: ProfileAssociation | None = None
    root_device: str = "/dev/xvda"
    metadata: MetadataOptions = MetadataOptions()
    monitoring: bool = False
    termination_protected: bool = False
    stop_protected: bool = False
    shutdown_behavior: str = "stop"
    ebs_optimized: bool = False
    reboots: int = 0
    """Reboots asked for and, in `rebooted`, done."""
    rebooted: int = 0
    interrupts: int = 0
    """Diagnostic interrupts asked for and, in `interrupted`, sent."""
    interrupted: int = 0
    credits: str = ""
    """``standard`` or ``unlimited`` for burstable types."""
    cpu: Cpu | None = None
    auto_recovery: str = "default"
    reboot_migration: str = "default"
    reservation_preference: str = "open"
    placement_group: str = ""
    placement_group_id: str = ""
    partition: int = 0
    forced: bool = False
    """Whether its stop may not wait for the guest."""
    impaired: datetime | None = None
    """Since when it cannot be reached, as far as somebody asked."""
    client_token: str = ""
    tenancy: str = "default"
    host_id: str = ""
    affinity: str = ""
    """``default`` or ``host`` on a Dedicated Host."""
    reservation_target: str = ""
    """The Capacity Reservation that was named; with it there is no preference."""
    capacity_reservation_id: str = ""
    """The one it runs in."""
    driver: str = ""
    """The compute driver that its tag asked for at the launch; empty: the jar's own choice."""
    spot_request_id: str = ""
    """The request that a spot instance belongs to; on demand there is none."""
    hostname_type: str = "ip-name"
    name_record: bool = False
    name_record6: bool = False
    """Whether the VPC's resolver knows its resource name."""
    tags: dict[str, str] = {}

    @property
    def alive(self) -> bool:
        """Not terminated and not about to be."""
        return self.state not in ("shutting-down", "terminated")
