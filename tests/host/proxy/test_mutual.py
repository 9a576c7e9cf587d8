"""Clients with certificates of their own: who is let in, what targets are told, what is written down."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path
from urllib.parse import unquote

import pytest
from msgspec.structs import replace

from cloudjar.gateway.tls import Authority
from cloudjar.planes.proxy.haproxy import HaproxyNodes
from cloudjar.planes.proxy.port import Clients, Connection, Listener, Node, Relay, Target, TargetGroup, TlsPolicy
from tests.host.network.conftest import Host, host
from tests.host.proxy import test_relays as relays
from tests.host.proxy.test_haproxy import WEB, node, proxies
from tests.host.proxy.test_tls_and_cookies import greeted, laid, pem
from tests.host.proxy.web import Site, until
from tests.planes.proxy.authorities import Holder, make, revoking

__all__ = ["host", "proxies"]
pytestmark = pytest.mark.host
NAME = "www.example.com"


def told(host: Host, authority: Authority, who: Holder | None, *chain: Holder, **headers: str) -> int:
    """The status of one request; raises OSError where the client is not let in."""
    trusting = ssl.create_default_context(cafile=str(authority.bundle))
    if who is not None:
        file = Path(host.state, "client.pem")
        file.write_text(who.pem + "".join(one.pem for one in chain) + who.secret)
        trusting.load_cert_chain(str(file))
    connection = http.client.HTTPConnection(NAME)
    with host.connect("", host.public(5), 443, wait=10) as bare, trusting.wrap_socket(bare, server_hostname=NAME) as s:
        connection.sock = s
        connection.request("GET", "/", headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def serving(host: Host, authority: Authority, clients: Clients) -> Node:
    web = TargetGroup(id="web", targets=(Target(address=WEB, port=8000),))
    plain = node(host, groups=(web,))
    listener = Listener(
        port=443, rules=plain.listeners[0].rules, certificates=(pem(authority, NAME),), clients=clients
    )
    return replace(plain, listeners=(listener,), logs=True, http2=False)


def refused(host: Host, authority: Authority, who: Holder | None, *chain: Holder) -> None:
    with pytest.raises((OSError, http.client.HTTPException)):
        told(host, authority, who, *chain)


def test_only_those_are_let_in_whom_the_trust_store_vouches_for(host: Host, proxies: HaproxyNodes) -> None:
    laid(host)
    authority = Authority(host.state / "tls")
    root = make("root", ca=True)
    between = make("between", root, ca=True)
    good, gone, direct = make("good", between), make("gone", between), make("direct", root)
    old, early, stranger = make("old", root, days=(-3, -1)), make("early", root, days=(3, 9)), make("stranger")
    clients = Clients(verifies=True, authorities=root.pem, revoked=revoking(between, gone))
    with Site(host, "i-5", 8000) as web:
        proxies.apply(serving(host, authority, clients))
        assert told(host, authority, good, between, **{"X-Amzn-Mtls-Clientcert": "forged"}) == 200
        headers = web.requests[-1].headers
        assert headers["x-amzn-mtls-clientcert-serial-number"] == good.serial
        assert headers["x-amzn-mtls-clientcert-subject"] == "CN=good,O=Acme\\, Inc,C=FR"
        assert headers["x-amzn-mtls-clientcert-issuer"] == "CN=between,O=Acme\\, Inc,C=FR"
        begin, end = good.certificate.not_valid_before_utc, good.certificate.not_valid_after_utc
        validity = f"NotBefore={begin:%Y-%m-%dT%H:%M:%SZ};NotAfter={end:%Y-%m-%dT%H:%M:%SZ}"
        assert headers["x-amzn-mtls-clientcert-validity"] == validity
        assert unquote(headers["x-amzn-mtls-clientcert-leaf"]) == good.pem
        assert "x-amzn-mtls-clientcert" not in headers
        assert told(host, authority, direct) == 200  # its authority has no list
        for who, *chain in ((gone, between), (old,), (early,), (stranger,), (good,)):
            refused(host, authority, who, *chain)
        refused(host, authority, None)

        def failures() -> list[str]:
            return [one.failure for one in proxies.connections("elb-1", {})[0]]

        until(lambda: len(failures()) == 8)
        assert failures() == ["", "", "revoked", "expired", "early", "untrusted", "untrusted", "unmapped"]
        (first, second, *rest), places = proxies.connections("elb-1", {})
        assert (first.subject, first.serial) == ("CN=good,O=Acme\\, Inc,C=FR", good.serial)
        assert (first.protocol, first.listener, first.not_after) == ("TLSv1.3", 443, f"{end:%Y-%m-%dT%H:%M:%SZ}")
        assert {first.id, second.id} == {one.connection for one in proxies.requests("elb-1", {})[0]}
        assert rest[0].subject == "CN=gone,O=Acme\\, Inc,C=FR"
        assert proxies.connections("elb-1", places) == ([], places)
        lenient = replace(clients, expired_too=True, authorities=between.pem, renamed=(("subject", "X-Who"),))
        proxies.apply(serving(host, authority, lenient))
        assert told(host, authority, make("older", between, days=(-3, -1))) == 200  # whoever is in the store is trusted
        assert web.requests[-1].headers["x-who"] == "CN=older,O=Acme\\, Inc,C=FR"
        refused(host, authority, direct)


def test_a_listener_that_only_hands_on_lets_everybody_in(host: Host, proxies: HaproxyNodes) -> None:
    laid(host)
    authority = Authority(host.state / "tls")
    root = make("root", ca=True)
    leaf, stranger = make("leaf", root), make("stranger", days=(-3, -1))
    with Site(host, "i-5", 8000) as web:
        proxies.apply(serving(host, authority, Clients()))
        assert told(host, authority, leaf, root) == 200
        assert unquote(web.requests[-1].headers["x-amzn-mtls-clientcert"]) == leaf.pem + root.pem
        assert told(host, authority, stranger) == 200
        assert unquote(web.requests[-1].headers["x-amzn-mtls-clientcert"]) == stranger.pem
        assert told(host, authority, None, **{"X-Amzn-Mtls-Clientcert": "forged"}) == 200
        assert not [name for name in web.requests[-1].headers if name.startswith("x-amzn-mtls")]


def test_connections_of_a_relay_that_ends_tls_are_written_down(host: Host, proxies: HaproxyNodes) -> None:
    relays.laid(host, admits="sg-lb", ports=(443,))
    host.listen("i-5", 8000)
    authority = Authority(host.state / "tls")
    relay = Relay(port=443, protocol="tls", group="web", certificates=(pem(authority, NAME),), alpn=("h2",),
                  tls=TlsPolicy(least="TLSv1.3"))  # fmt: skip
    proxies.apply(replace(relays.node(host, relay, targets=(WEB,), keeps_source=False), logs=True))
    with greeted(host, authority, NAME) as s:
        s.sendall(b"?")
        assert s.recv(64)
    with pytest.raises(ssl.SSLError):
        greeted(host, authority, NAME, maximum_version=ssl.TLSVersion.TLSv1_2)

    def found() -> list[Connection]:
        return proxies.connections("elb-1", {})[0]

    until(lambda: len(found()) == 2)
    good, bad = sorted(found(), key=lambda one: one.failure)
    assert (good.protocol, good.alpn, good.name, good.received) == ("TLSv1.3", "h2", NAME, 1)
    assert (good.client.partition(":")[0], good.listener, len(good.certificate)) == (host.net.host_address, 443, 40)
    assert (bad.protocol, bad.failure) == ("", "unmapped")
