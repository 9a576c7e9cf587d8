"""Names as the host hears them, at its own address on the jar's Internet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dnslib import DNSRecord

from cloudjar.base import ids
from cloudjar.planes.network.linux import LinuxNetwork
from tests.host.network.conftest import Metadata, free_pool
from tests.planes.network.topology import vpc

pytestmark = pytest.mark.host
Ask = Callable[[str, bool], list[str]]


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    """Addresses of a name, over UDP or TCP."""

    def known(asker: str, name: str) -> tuple[str, ...] | None:
        return ("198.18.0.9",) if (asker, name) == ("", "web-1.eu-west-3.elb.amazonaws.com") else None

    net = LinuxNetwork(ids.entropy(4).hex(), free_pool(), tmp_path, None, Metadata(), names=known)
    net.apply(vpc())

    def asked(name: str, tcp: bool) -> list[str]:
        answer = DNSRecord.parse(DNSRecord.question(name).send(net.host_address, 53, tcp=tcp, timeout=20))
        return [str(record.rdata) for record in answer.rr]

    yield lambda name, tcp: asked(name.replace("POOL", net.host_address.rpartition(".")[0].replace(".", "-")), tcp)
    net.release()
    with pytest.raises(OSError, match=r"refused|timed out"):
        DNSRecord.question("x.test").send(net.host_address, 53, tcp=True, timeout=1)
    net.close()


def test_the_host_may_ask_for_names_of_services_and_machines(ask: Ask) -> None:
    for tcp in (False, True):
        assert ask("WEB-1.eu-west-3.elb.amazonaws.com", tcp) == ["198.18.0.9"]
        (public,) = ask("ec2-POOL-7.eu-west-3.compute.amazonaws.com", tcp)
        assert public.endswith(".7")  # the public address: the host is in no VPC
