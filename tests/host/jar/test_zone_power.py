"""A zone loses its power: its guest is dead and unreachable, the other zone's goes on; then all of it is back."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.host.jar.account import Account, Machine
from tests.host.jar.packets import Wire
from tests.host.jar.served import REGION, RealJar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(300)]


def ask(jar: RealJar, name: str, **query: str) -> dict[str, Any]:
    """Ask the jar what is not AWS, as the command line does."""
    token = (jar.home / "admin-token").read_text()
    request = urllib.request.Request(
        f"{jar.endpoint}/_cloudjar/{name}?{urlencode(query)}", method="POST", headers={"X-Cloudjar-Token": token}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def status(account: Account, machine: Machine) -> str:
    shown = account.ec2.describe_instance_status(InstanceIds=[machine.id])["InstanceStatuses"]
    return str(shown[0]["InstanceStatus"]["Status"])


def test_a_zone_without_power(real: RealJar, wire: Wire) -> None:
    account = Account(real)
    vpc = account.vpc()
    account.gateway(vpc)
    group = account.group(vpc, "ssh", 22)
    dark = account.run(account.subnet(vpc, public=True), group)
    other = account.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.2.0/24", AvailabilityZone=f"{REGION}b")["Subnet"]
    account.ec2.modify_subnet_attribute(SubnetId=other["SubnetId"], MapPublicIpOnLaunch={"Value": True})
    lit = account.run(other["SubnetId"], group)
    for machine in (dark, lit):
        until(lambda m=machine: wire.knock(m.public, 22) == "open", f"{machine.id} to be reached")  # type: ignore[misc]  # mypy cannot type a lambda's default
    real.inside(dark.id, "echo kept > /root/note && sync")
    before = real.life(dark.id)
    fault = ask(real, "faults", kind="zone", target=f"{REGION}a")["id"]
    until(lambda: real.compute.look(dark.id) == "down", "the zone's machine to be dead")
    until(lambda: wire.knock(dark.public, 22) == "dropped", "its address to be silent")
    assert account.state(dark.id) == "running"
    assert status(account, dark) == "impaired"
    assert wire.knock(lit.public, 22) == "open"
    real.kill()
    real.start()
    assert real.compute.look(dark.id) == "down"
    assert wire.knock(lit.public, 22) == "open"
    ask(real, "faults-end", id=fault)
    until(lambda: wire.knock(dark.public, 22) == "open", "its machine to be reached again")
    assert status(account, dark) == "ok"
    assert real.inside(dark.id, "cat /root/note") == "kept"
    assert real.life(dark.id) != before
