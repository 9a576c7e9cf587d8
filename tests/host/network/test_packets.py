"""What packets really do."""

from __future__ import annotations

import msgspec
import pytest

from tests.host.network.conftest import Host
from tests.planes.network.topology import OPEN, PRIVATE, PUBLIC, acl, allow, eni, group, vpc

pytestmark = pytest.mark.host
replace = msgspec.structs.replace


def test_a_public_address_is_reached_from_the_host_and_keeps_the_callers_address(host: Host) -> None:
    host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5", "sg-web", public=host.public(5)),
                       groups=(group("sg-web", allow("tcp", 80), allow("tcp", 81)),)))
    host.listen("i-1", 80)
    assert host.tcp("", host.public(5), 80) == "open"
    assert host.seen_as("", host.public(5), 80) == host.net.host_address
    assert host.tcp("", host.public(5), 81) == "refused"  # admitted, but nobody listens
    assert host.tcp("", host.public(5), 82) == "dropped"
    assert host.tcp("", host.public(9), 80) == "dropped"  # nobody's address
