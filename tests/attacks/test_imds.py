"""The metadata service from other machines: it knows a guest by its place in a network, which nobody can claim.

The same with real packets: `tests/host/jar/test_confined.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from cloudjar.wire.message import Request, Response
from tests.attacks.conftest import document
from tests.jar import TestJar, running

TTL = {"x-aws-ec2-metadata-token-ttl-seconds": "600"}
TOKEN = "x-aws-ec2-metadata-token"
CREDENTIALS = "/latest/meta-data/iam/security-credentials/vault"


class Guest(NamedTuple):
    """A machine's place."""

    id: str
    vpc: str
    address: str


class Cells(NamedTuple):
    """A machine with a role, its neighbour without, and one with the first one's address in another VPC."""

    jar: TestJar
    rich: Guest
    neighbour: Guest
    twin: Guest

    def ask(
        self, who: Guest, method: str, path: str, headers: dict[str, str] | None = None, peer: str = ""
    ) -> Response:
        """A question that arrives on the listener of the guest's VPC, from its address."""
        request = Request(method, path, "", {"host": "169.254.169.254", **(headers or {})}, b"",
                          peer=peer or who.address, trusted=False, vpc=who.vpc)  # fmt: skip

        async def answered() -> Response:
            return self.jar.jar.metadata.answer(request)

        found = self.jar.on_loop(answered())
        assert isinstance(found, Response)
        return found

    def token(self, who: Guest) -> dict[str, str]:
        """The header that opens a guest's metadata."""
        answer = self.ask(who, "PUT", "/latest/api/token", TTL)
        assert (answer.status, isinstance(answer.body, bytes)) == (200, True)
        return {TOKEN: text(answer)}


def text(answer: Response) -> str:
    """The body."""
    assert isinstance(answer.body, bytes)
    return answer.body.decode()


def launch(ec2: Any, vpc: str, subnet: str, **more: Any) -> Guest:
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, InstanceType="t2.nano", MinCount=1, MaxCount=1, SubnetId=subnet,
                             MetadataOptions={"HttpTokens": "required"}, **more)["Instances"][0]  # fmt: skip
    return Guest(made["InstanceId"], vpc, made["PrivateIpAddress"])


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cells]:
    with running(tmp_path_factory.mktemp("imds")) as jar:
        iam, ec2 = jar.client("iam"), jar.client("ec2")
        trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName="vault", AssumeRolePolicyDocument=document(trust))
        iam.create_instance_profile(InstanceProfileName="vault")
        iam.add_role_to_instance_profile(InstanceProfileName="vault", RoleName="vault")
        places = []
        for _ in range(2):
            vpc = ec2.create_vpc(CidrBlock="10.5.0.0/16")["Vpc"]["VpcId"]
            places.append((vpc, ec2.create_subnet(VpcId=vpc, CidrBlock="10.5.1.0/24")["Subnet"]["SubnetId"]))
        rich = launch(ec2, *places[0], IamInstanceProfile={"Name": "vault"})
        neighbour = launch(ec2, *places[0])
        twin = launch(ec2, *places[1], PrivateIpAddress=rich.address)
        jar.settle()
        yield Cells(jar, rich, neighbour, twin)


def test_the_control_has_its_role(cells: Cells) -> None:
    answer = cells.ask(cells.rich, "GET", CREDENTIALS, cells.token(cells.rich))
    assert (answer.status, json.loads(text(answer))["Code"]) == (200, "Success")


def test_a_token_of_another_machine(cells: Cells) -> None:
    stolen = cells.token(cells.rich)
    for thief in (cells.neighbour, cells.twin):
        assert cells.ask(thief, "GET", CREDENTIALS, stolen).status == 401
        assert cells.ask(thief, "GET", "/latest/meta-data/instance-id", stolen).status == 401


def test_the_same_address_in_another_network(cells: Cells) -> None:
    """The listener is the network's own: an address means nothing without it."""
    assert cells.twin.address == cells.rich.address
    mine = cells.token(cells.twin)
    assert text(cells.ask(cells.twin, "GET", "/latest/meta-data/instance-id", mine)) == cells.twin.id
    assert cells.ask(cells.twin, "GET", CREDENTIALS, mine).status == 404


@pytest.mark.parametrize("header", ["x-forwarded-for", "x-real-ip", "forwarded", "x-amz-source-ip", "host"])
def test_a_header_that_claims_another_address(cells: Cells, header: str) -> None:
    mine = cells.token(cells.neighbour)
    answer = cells.ask(cells.neighbour, "GET", CREDENTIALS, {**mine, header: cells.rich.address})
    assert answer.status == 404
    answer = cells.ask(cells.neighbour, "PUT", "/latest/api/token", {**TTL, header: cells.rich.address})
    if answer.status == 200:
        assert cells.ask(cells.rich, "GET", CREDENTIALS, {TOKEN: text(answer)}).status == 401
    else:
        assert (header, answer.status) == ("x-forwarded-for", 403)  # AWS's guard against open proxies


def test_an_address_that_is_nobodys(cells: Cells) -> None:
    for peer in ("10.5.1.200", "10.5.2.4", "192.0.2.1", "127.0.0.1", "::1", ""):
        answer = cells.ask(cells.rich._replace(address=peer), "PUT", "/latest/api/token", TTL, peer=peer or "0.0.0.0")
        assert answer.status == 404, peer


def test_without_a_token_where_one_is_required(cells: Cells) -> None:
    for headers in ({}, {TOKEN: ""}, {TOKEN: "AAAA"}, {TOKEN: "!"}, {"x-aws-ec2-metadata-token-ttl-seconds": "60"}):
        assert cells.ask(cells.rich, "GET", CREDENTIALS, headers).status == 401


PATHS = ("/latest/../latest" + CREDENTIALS[7:], "/latest/meta-data/iam/../../../etc/passwd",
         "/latest/meta-data/%2e%2e/iam", "/1999-01-01/meta-data", "/_cloudjar/status")  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_paths_that_lead_elsewhere(cells: Cells, path: str) -> None:
    assert cells.ask(cells.rich, "GET", path, cells.token(cells.rich)).status == 404


def test_a_token_lives_as_long_as_it_says_and_a_changed_one_not_at_all(cells: Cells) -> None:
    good = cells.token(cells.rich)
    changed = good[TOKEN][:-2] + ("AA" if not good[TOKEN].endswith("AA") else "BB")
    assert cells.ask(cells.rich, "GET", CREDENTIALS, {TOKEN: changed}).status == 401
    cells.jar.advance(minutes=11)
    assert cells.ask(cells.rich, "GET", CREDENTIALS, good).status == 401


def test_credentials_of_a_machine_are_its_roles_and_end_with_it(cells: Cells) -> None:
    """What a guest's root may carry away: sessions of that role, named after the machine."""
    said = json.loads(text(cells.ask(cells.rich, "GET", CREDENTIALS, cells.token(cells.rich))))
    sts = cells.jar.client("sts", key=said["AccessKeyId"], secret=said["SecretAccessKey"], token=said["Token"])
    assert sts.get_caller_identity()["Arn"].endswith(f":assumed-role/vault/{cells.rich.id}")
