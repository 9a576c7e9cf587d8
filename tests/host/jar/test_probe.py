"""`cloudjar reach --probe` between real machines: the answer, the packet, and whether they agree."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from cloudjar.cli.home import Home
from tests.host.jar.account import WORLD, Account, Machine
from tests.host.jar.packets import Wire
from tests.host.jar.served import RealJar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(300)]


class Pair:
    """A machine in a public subnet and one in a private subnet with a group of its own, and who asks about them."""

    def __init__(self, jar: RealJar, wire: Wire) -> None:
        self.jar, self.wire, self.account = jar, wire, Account(jar)
        account = self.account
        self.vpc = account.vpc()
        self.front, self.back = account.group(self.vpc, "front"), account.group(self.vpc, "back")
        public = account.subnet(self.vpc, public=True)
        self.private = account.subnet(self.vpc, "10.0.2.0/24")
        account.gateway(self.vpc)
        self.web, self.db = (account.run(s, g) for s, g in ((public, self.front), (self.private, self.back)))
        # As `cloudjar up` would leave its home, so that the command finds the server.
        home = Home(jar.settings)
        home.remember(jar.settings, jar.settings)
        self.lock = home.hold()

    def cloudjar(self, *argv: str) -> str:
        """The command, as root types it on the host."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CLOUDJAR_"))}
        done = subprocess.run(
            [sys.executable, "-m", "cloudjar.cli", *argv], capture_output=True, text=True, check=False, timeout=120,
            env=clean | {"CLOUDJAR_HOME": str(self.jar.home)},
        )  # fmt: skip
        assert done.returncode == 0, done
        return done.stdout

    def asked(self, source: str, target: str, *more: str) -> tuple[bool, str, bool | None]:
        """(reachable by the plan, what became of the packet, whether these agree)."""
        said: dict[str, Any] = json.loads(self.cloudjar("reach", source, target, "--probe", "--json", *more))
        return said["NetworkPathFound"], said["Probe"], said["ProbeAgrees"]

    def udp(self, port: int) -> None:
        rule = {"IpProtocol": "udp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": WORLD}]}
        self.account.ec2.authorize_security_group_ingress(GroupId=self.back, IpPermissions=[rule])


@pytest.fixture(scope="module")
def pair(real: RealJar, wire: Wire) -> Iterator[Pair]:
    made = Pair(real, wire)
    yield made
    for machine in (made.web, made.db):
        made.account.ec2.terminate_instances(InstanceIds=[machine.id])
    os.close(made.lock)


def ends(pair: Pair) -> tuple[str, str, Machine]:
    return pair.web.id, pair.db.id, pair.db


def test_a_closed_group_and_an_open_one(pair: Pair) -> None:
    web, db, _ = ends(pair)
    assert pair.asked(web, f"{db}:5432") == (False, "dropped", True)
    pair.account.authorize(pair.back, 5432, peer=pair.front)
    assert pair.asked(web, f"{db}:5432") == (True, "refused", True)  # it arrives, and nobody listens
    pair.wire.listen(db, 5432)
    assert pair.asked(web, f"{db}:5432") == (True, "open", True)
    told = pair.cloudjar("reach", web, f"{db}:5432", "--probe")
    assert told.startswith("Reachable")
    assert "A packet that was sent: open (as the analysis says)" in told


def test_udp_is_answered_by_the_probe_itself(pair: Pair) -> None:
    web, db, machine = ends(pair)
    assert pair.asked(web, f"{db}:5353", "--udp") == (False, "dropped", True)
    pair.udp(5353)
    assert pair.asked(web, f"{db}:5353", "--udp") == (True, "open", True)

    def bound() -> socket.socket:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((machine.private, 5353))
        return s

    with pair.wire.within(db, bound):  # a program that never answers
        assert pair.asked(web, f"{db}:5353", "--udp") == (True, "silent", None)


def test_from_the_internet_and_to_it(pair: Pair) -> None:
    web, db, _ = ends(pair)
    assert pair.asked("internet", f"{web}:22") == (False, "dropped", True)
    pair.account.authorize(pair.front, 22)
    until(lambda: pair.wire.banner(pair.web.public).startswith(b"SSH-"), "an SSH server")
    assert pair.asked("internet", f"{web}:22") == (True, "open", True)
    assert pair.asked("internet", f"{db}:22") == (False, "nowhere to send it to", True)
    assert pair.asked(db, f"{pair.web.public}:22") == (False, "dropped", True)  # a private machine, no way out
    site = pair.jar.network.site
    assert pair.asked(web, f"{site.gateway}:{pair.jar.port}") == (True, "open", True)


def test_an_acl_that_forgets_ephemeral_ports(pair: Pair) -> None:
    web, db, _ = ends(pair)
    ec2 = pair.account.ec2
    pair.account.authorize(pair.back, 8080, peer=pair.front)
    acl = ec2.create_network_acl(VpcId=pair.vpc)["NetworkAcl"]["NetworkAclId"]
    mine = [{"Name": "association.subnet-id", "Values": [pair.private]}]
    [found] = ec2.describe_network_acls(Filters=mine)["NetworkAcls"]
    [association] = [a for a in found["Associations"] if a["SubnetId"] == pair.private]
    entry = {"NetworkAclId": acl, "Protocol": "6", "RuleAction": "allow", "CidrBlock": WORLD}
    ec2.create_network_acl_entry(RuleNumber=10, Egress=False, PortRange={"From": 8080, "To": 8080}, **entry)
    ec2.replace_network_acl_association(AssociationId=association["NetworkAclAssociationId"], NetworkAclId=acl)
    assert pair.asked(web, f"{db}:8080") == (False, "dropped", True)
    ec2.create_network_acl_entry(RuleNumber=10, Egress=True, PortRange={"From": 1024, "To": 65535}, **entry)
    assert pair.asked(web, f"{db}:8080") == (True, "refused", True)
