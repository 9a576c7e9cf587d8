"""What a guest's root may try, and gets nowhere with: the host, its networks, other machines, others' credentials."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from cloudjar.planes.network import namespaces
from tests.host.compute.guestnet import sh
from tests.host.jar.account import Account, Machine
from tests.host.jar.packets import Wire
from tests.host.jar.served import PORT, TAG, RealJar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(300)]

IMDS = "169.254.169.254"
TTL = {"X-aws-ec2-metadata-token-ttl-seconds": "600"}
TOKEN = "X-aws-ec2-metadata-token"
ASSUMABLE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
LOOKING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}],
}


class Cell(NamedTuple):
    """Two machines of a public subnet that may send anything; the first has a role, and tokens that go one hop."""

    jar: RealJar
    wire: Wire
    account: Account
    prisoner: Machine
    peer: Machine


@pytest.fixture(scope="module")
def cell(real: RealJar, wire: Wire) -> Cell:
    account = Account(real)
    iam = real.client("iam")
    iam.create_role(RoleName="looker", AssumeRolePolicyDocument=json.dumps(ASSUMABLE))
    iam.put_role_policy(RoleName="looker", PolicyName="look", PolicyDocument=json.dumps(LOOKING))
    iam.create_instance_profile(InstanceProfileName="looker")
    iam.add_role_to_instance_profile(InstanceProfileName="looker", RoleName="looker")
    vpc = account.vpc()
    subnet = account.subnet(vpc, public=True)
    account.gateway(vpc)
    group = account.group(vpc, "ssh", 22)
    prisoner = account.run(
        subnet, group, IamInstanceProfile={"Name": "looker"}, MetadataOptions={"HttpPutResponseHopLimit": 1}
    )
    peer = account.run(subnet, group)
    return Cell(real, wire, account, prisoner, peer)


def ask(
    cell: Cell, method: str, path: str, headers: dict[str, str] | None = None, *, namespace: str = "", source: str = ""
) -> tuple[int, str]:
    """IMDS's (status, text) from a machine's network (the prisoner's unless told); raises OSError."""
    where = namespace or cell.jar.network.site.guest_namespace(cell.prisoner.id)

    def go() -> tuple[int, str]:
        link = HTTPConnection(IMDS, 80, timeout=1.5, source_address=(source, 0) if source else None)
        try:
            link.request(method, path, headers=headers or {})
            answer = link.getresponse()
            return answer.status, answer.read().decode()
        finally:
            link.close()

    return namespaces.inside(where, go)


def token(cell: Cell, namespace: str = "") -> dict[str, str]:
    """The header that opens IMDS."""
    status, text = ask(cell, "PUT", "/latest/api/token", TTL, namespace=namespace)
    assert status == 200
    return {TOKEN: text}


def code_of(call: Callable[[], Any]) -> str:
    """The error code of a call that must be refused."""
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


# -- the host


def test_only_the_apis_port_of_the_host_answers(cell: Cell) -> None:
    bridge = cell.jar.network.host_address
    with socket.create_server(("0.0.0.0", 0)) as everywhere, socket.create_server((bridge, 0)) as there:
        for listener in (everywhere, there):
            port = listener.getsockname()[1]
            assert cell.wire.knock(bridge, port) == "open"  # from the host itself
            assert cell.wire.knock(bridge, port, cell.prisoner.id) == "dropped"
        for address in own_addresses():
            port = everywhere.getsockname()[1]
            assert cell.wire.knock(address, port, cell.prisoner.id) == "dropped", address
            assert cell.wire.knock(address, PORT, cell.prisoner.id) == "dropped", address
    assert cell.wire.knock(bridge, 22, cell.prisoner.id) == "dropped"
    assert cell.wire.knock(bridge, PORT, cell.prisoner.id) == "open"


def own_addresses() -> list[str]:
    """The host's addresses on its real interfaces."""
    found = json.loads(sh("ip", "-json", "-4", "addr").stdout)
    return [
        entry["local"]
        for link in found
        if link["ifname"] != "lo" and not link["ifname"].startswith("cj-")
        for entry in link["addr_info"]
    ]


def test_the_hosts_loopback_is_not_the_guests(cell: Cell) -> None:
    """Even for a guest that routes loopback addresses out of itself."""
    with socket.create_server(("127.0.0.2", 0)) as listener:
        port = listener.getsockname()[1]
        assert cell.wire.knock("127.0.0.2", port) == "open"
        assert cell.wire.knock("127.0.0.2", port, cell.peer.id) == "refused"  # its own loopback, where nobody listens
        cell.jar.inside(
            cell.peer.id,
            "sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.eth0.route_localnet=1 &&"
            " ip route del local 127.0.0.0/8 dev lo table local && ip route add 127.0.0.2/32 via 10.0.1.1 dev eth0",
        )
        assert cell.wire.knock("127.0.0.2", port, cell.peer.id, source=cell.peer.private) == "dropped"


def test_the_hosts_other_networks_are_not_part_of_the_internet(cell: Cell) -> None:
    """Containers of a Docker on the host, say: a bridge with private addresses, and somebody listening there."""
    box = f"cj-{TAG}-lan"
    sh("ip", "link", "add", "roblan", "type", "bridge")
    try:
        sh("ip", "addr", "add", "172.29.77.1/24", "dev", "roblan")
        sh("ip", "link", "set", "roblan", "up")
        namespaces.create(box)
        sh("ip", "link", "add", "roblan1", "master", "roblan", "type", "veth", "peer", "name", "eth0", "netns", box)
        sh("ip", "link", "set", "roblan1", "up")
        for words in ("addr add 172.29.77.2/24 dev eth0", "link set eth0 up", "route add default via 172.29.77.1"):
            sh("ip", "-n", box, *words.split())
        with namespaces.inside(box, lambda: socket.create_server(("0.0.0.0", 8080))):
            until(lambda: cell.wire.knock("172.29.77.2", 8080) == "open", "the host's own network to work")
            assert cell.wire.knock("172.29.77.2", 8080, cell.prisoner.id) == "dropped"
            assert cell.wire.knock("172.29.77.1", 8080, cell.prisoner.id) == "dropped"
    finally:
        sh("ip", "link", "del", "roblan", check=False)
        sh("ip", "link", "del", "roblan1", check=False)
        namespaces.delete(box)


def test_what_would_hurt_the_host_by_accident_fails(cell: Cell) -> None:
    """More ways out are tried in tests/host/compute/test_walls.py."""
    attempts = {
        "its panic switch": "echo b > /proc/sysrq-trigger",
        "a core pattern": "echo '|/bin/true' > /proc/sys/kernel/core_pattern",
        "its modules": "modprobe dummy || insmod /dev/null",
        "its memory": "mknod /root/mem c 1 1 && head -c1 /root/mem",
        "its disks": "for d in 8:0 254:0 259:0 7:0; do mknod /root/d${d%:*} b ${d%:*} ${d#*:} &&"
        " head -c1 /root/d${d%:*} && exit 0; done; exit 1",
        "its clock": "date -s 2001-01-01",
        "its log": "dmesg | grep -q .",
    }
    done = [what for what, words in attempts.items() if cell.jar.compute.run(
        cell.peer.id, ["/bin/sh", "-c", words])[0] == 0]  # fmt: skip
    assert done == []
    mine = cell.jar.inside(cell.peer.id, "cat /proc/[0-9]*/comm")
    assert "conmon" not in mine
    assert cell.jar.compute.look(cell.peer.id) == "up"


# -- the API, asked by a guest


def test_default_credentials_are_not_for_guests(cell: Cell) -> None:
    iam = cell.jar.client("iam")
    iam.create_user(UserName="inside")
    key = iam.create_access_key(UserName="inside")["AccessKey"]
    endpoint = f"http://{cell.jar.network.host_address}:{PORT}"

    def caller(key_id: str, secret: str) -> str:
        sts = cell.jar.client("sts", key_id, secret, endpoint=endpoint)
        try:
            return str(cell.wire.within(cell.prisoner.id, sts.get_caller_identity)["Arn"])
        except ClientError as refused:
            return str(refused.response["Error"]["Code"])

    assert caller("test", "test") == "InvalidClientTokenId"
    assert caller("111122223333", "test") == "InvalidClientTokenId"
    assert caller(key["AccessKeyId"], key["SecretAccessKey"]).endswith(":user/inside")


def test_the_admin_api_is_not_for_guests(cell: Cell) -> None:
    secret = (cell.jar.home / "admin-token").read_text().strip()

    def status(path: str) -> int:
        def go() -> int:
            link = HTTPConnection(cell.jar.network.host_address, PORT, timeout=5)
            try:
                link.request("GET", path, headers={"X-Cloudjar-Token": secret})
                return link.getresponse().status
            finally:
                link.close()

        return cell.wire.within(cell.prisoner.id, go)

    assert status("/_cloudjar/health") == 200
    assert status("/_cloudjar/status") == 403  # though it has somehow come by the token


# -- other machines


def test_other_machines_answer_only_what_their_groups_let_in(cell: Cell) -> None:
    vpc = cell.account.vpc()
    cell.account.gateway(vpc)
    closed = cell.account.group(vpc, "closed")
    other = cell.account.run(cell.account.subnet(vpc, public=True), closed)
    assert other.private == cell.prisoner.private  # and yet they are two, to packets as to the metadata service
    theirs = cell.jar.network.site.guest_namespace(other.id)
    header = token(cell, theirs)
    assert ask(cell, "GET", "/latest/meta-data/instance-id", header, namespace=theirs) == (200, other.id)
    assert ask(cell, "GET", "/latest/meta-data/instance-id", header)[0] == 401
    cell.wire.listen(other.id, 8000)
    cell.wire.listen(cell.peer.id, 8000)
    for address in (cell.peer.private, cell.peer.public, other.public):
        assert cell.wire.knock(address, 8000, cell.prisoner.id) == "dropped", address
    cell.account.authorize(closed, 8000, peer=f"{cell.prisoner.public}/32")
    until(lambda: cell.wire.knock(other.public, 8000, cell.prisoner.id) == "open", "the rule to let one in")
    assert cell.wire.knock(other.public, 8000, cell.peer.id) == "dropped"


def test_nobody_speaks_for_another_address(cell: Cell) -> None:
    cell.wire.listen(cell.peer.id, 8022)
    borrowed = "10.0.1.250"
    for address in (cell.peer.private, borrowed):
        cell.jar.inside(cell.prisoner.id, f"ip addr add {address}/32 dev lo")
        with pytest.raises(OSError, match=r"timed out|unreachable"):
            ask(cell, "GET", "/latest/meta-data/", source=address)
        assert cell.wire.knock(cell.jar.network.host_address, PORT, cell.prisoner.id, source=address) == "dropped"
        cell.jar.inside(cell.prisoner.id, f"ip addr del {address}/32 dev lo")
    status, _ = ask(cell, "GET", "/latest/meta-data/instance-id", token(cell))
    assert status == 200


# -- metadata


def test_metadata_needs_a_token_of_ones_own(cell: Cell) -> None:
    peers = cell.jar.network.site.guest_namespace(cell.peer.id)
    mine = token(cell)
    assert ask(cell, "GET", "/latest/meta-data/instance-id")[0] == 401
    assert ask(cell, "GET", "/latest/meta-data/instance-id", mine) == (200, cell.prisoner.id)
    assert ask(cell, "GET", "/latest/meta-data/instance-id", mine, namespace=peers)[0] == 401
    assert ask(cell, "GET", "/latest/meta-data/instance-id", token(cell, peers), namespace=peers)[1] == cell.peer.id
    cell.jar.kill()
    cell.jar.start()
    until(lambda: served(cell), "the new server to serve metadata")
    assert ask(cell, "GET", "/latest/meta-data/instance-id", mine) == (200, cell.prisoner.id)
    forwarded = {**TTL, "X-Forwarded-For": "10.0.0.1"}
    assert ask(cell, "PUT", "/latest/api/token", forwarded)[0] == 403


_MASQUERADE = """table ip box {
    chain out { type nat hook postrouting priority 100; ip saddr 172.17.0.0/16 masquerade; }
}
"""


def served(cell: Cell) -> bool:
    try:
        return ask(cell, "GET", "/")[0] == 401
    except OSError:
        return False


@contextmanager
def box_in(cell: Cell) -> Iterator[str]:
    """A container in the prisoner, as Docker would make one: a network of its own behind a translation."""
    guest, box = cell.jar.network.site.guest_namespace(cell.prisoner.id), f"cj-{TAG}-box"
    namespaces.create(box)
    try:
        sh("ip", "-n", guest, "link", "add", "box0", "type", "veth", "peer", "name", "eth0", "netns", box)
        for name, words in (
            (guest, "addr add 172.17.0.1/16 dev box0"),
            (guest, "link set box0 up"),
            (box, "addr add 172.17.0.2/16 dev eth0"),
            (box, "link set eth0 up"),
            (box, "route add default via 172.17.0.1"),
        ):
            sh("ip", "-n", name, *words.split())
        subprocess.run(["ip", "netns", "exec", guest, "nft", "-f", "-"], input=_MASQUERADE, text=True, check=True)
        cell.jar.inside(cell.prisoner.id, "sysctl -qw net.ipv4.ip_forward=1")
        yield box
    finally:
        sh("ip", "netns", "exec", guest, "nft", "delete", "table", "ip", "box", check=False)
        sh("ip", "-n", guest, "link", "del", "box0", check=False)
        namespaces.delete(box)


def test_the_hop_limit_keeps_containers_out_of_the_metadata(cell: Cell) -> None:
    ec2 = cell.account.ec2
    with box_in(cell) as box:
        with pytest.raises(OSError, match="timed out"):
            token(cell, box)
        ec2.modify_instance_metadata_options(InstanceId=cell.prisoner.id, HttpPutResponseHopLimit=2)
        until(lambda: hops(cell, box), "two hops to be allowed")
        header = token(cell, box)
        assert ask(cell, "GET", "/latest/meta-data/instance-id", header, namespace=box) == (200, cell.prisoner.id)
        ec2.modify_instance_metadata_options(InstanceId=cell.prisoner.id, HttpPutResponseHopLimit=1)
        with pytest.raises(OSError, match="timed out"):
            token(cell, box)


def hops(cell: Cell, box: str) -> bool:
    try:
        return bool(token(cell, box))
    except OSError:
        return False


def test_metadata_that_is_switched_off_answers_nobody(cell: Cell) -> None:
    ec2 = cell.account.ec2
    ec2.modify_instance_metadata_options(InstanceId=cell.peer.id, HttpEndpoint="disabled")
    peers = cell.jar.network.site.guest_namespace(cell.peer.id)
    assert ask(cell, "PUT", "/latest/api/token", TTL, namespace=peers)[0] == 403
    ec2.modify_instance_metadata_options(InstanceId=cell.peer.id, HttpEndpoint="enabled")
    assert ask(cell, "PUT", "/latest/api/token", TTL, namespace=peers)[0] == 200


def test_a_roles_credentials_are_what_its_policies_say(cell: Cell) -> None:
    header = token(cell)
    path = "/latest/meta-data/iam/security-credentials/"
    assert ask(cell, "GET", path, header) == (200, "looker")
    found = json.loads(ask(cell, "GET", f"{path}looker", header)[1])
    assert found["Code"] == "Success"
    keys = (found["AccessKeyId"], found["SecretAccessKey"], found["Token"])
    endpoint = f"http://{cell.jar.network.host_address}:{PORT}"
    ec2, sts = (cell.jar.client(name, *keys, endpoint=endpoint) for name in ("ec2", "sts"))

    def from_inside(call: Callable[[], Any]) -> Any:
        return cell.wire.within(cell.prisoner.id, call)

    identity = from_inside(sts.get_caller_identity)
    assert identity["Arn"].endswith(f":assumed-role/looker/{cell.prisoner.id}")
    seen = from_inside(ec2.describe_instances)["Reservations"]
    assert cell.prisoner.id in [vm["InstanceId"] for reservation in seen for vm in reservation["Instances"]]
    launch = {"ImageId": cell.account.image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    assert code_of(lambda: from_inside(lambda: ec2.run_instances(**launch))) == "UnauthorizedOperation"
    cell.jar.client("iam").delete_role_policy(RoleName="looker", PolicyName="look")
    assert code_of(lambda: from_inside(ec2.describe_instances)) == "UnauthorizedOperation"
    assert from_inside(sts.get_caller_identity)["Arn"] == identity["Arn"]  # needs no permission
