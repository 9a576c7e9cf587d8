"""A DHCP options set as it is stored."""

from __future__ import annotations

from cloudjar.kit.record import Record, record


@record(
    "ec2",
    "dhcp-options",
    missing=("InvalidDhcpOptionID.NotFound", "The dhcpOption ID '{key}' does not exist"),
)
class DhcpOptions(Record, frozen=True, kw_only=True):
    """What guests are told about names; every account has AWS's own set in each region."""

    id: str
    options: dict[str, tuple[str, ...]]
    tags: dict[str, str] = {}
