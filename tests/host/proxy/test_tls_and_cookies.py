"""What browsers meet at a node: certificates by name, versions of TLS, cookies that keep them somewhere, upgrades."""

from __future__ import annotations

import http.client
import re
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudjar.gateway.tls import Authority
from cloudjar.planes.proxy import processes
from cloudjar.planes.proxy.haproxy import HaproxyNodes
from cloudjar.planes.proxy.port import (
    FixedResponse,
    Forward,
    Listener,
    Relay,
    Rule,
    Target,
    TargetGroup,
    TlsPolicy,
)
from tests.host.network.conftest import Host, host
from tests.host.proxy import test_relays as relays
from tests.host.proxy.test_haproxy import CHECK, WEB, node, proxies
from tests.host.proxy.web import Site, ask, until
from tests.planes.network.topology import allow, eni, group, vpc

__all__ = ["host", "proxies"]
pytestmark = pytest.mark.host
OTHER = "10.0.2.6"


def laid(host: Host) -> None:
    host.net.apply(vpc(
        eni(1, "subnet-public", "10.0.1.10", "sg-lb", public=host.public(5), guest="elb-1"),
        eni(5, "subnet-private", WEB, "sg-web"), eni(6, "subnet-private", OTHER, "sg-web"),
        groups=(group("sg-lb", allow("tcp", 80), allow("tcp", 443)), group("sg-web", allow("tcp", 8000, "sg-lb"))),
    ))  # fmt: skip


def pem(authority: Authority, *names: str, algorithm: str = "EC_prime256v1") -> str:
    now = datetime.now(UTC)
    body, chain, key = authority.issue(names, algorithm, now - timedelta(hours=1), now + timedelta(days=9))
    return body + chain + key.decode()


def greeted(host: Host, authority: Authority, name: str, port: int = 443, **more: Any) -> ssl.SSLSocket:
    """A TLS connection to the node's public address that asks for a name."""
    trusting = ssl.create_default_context(cafile=str(authority.bundle))
    trusting.set_alpn_protocols(["h2", "http/1.1"])
    for key, value in more.items():
        setattr(trusting, key, value)
    return trusting.wrap_socket(host.connect("", host.public(5), port, wait=10), server_hostname=name)


def served(s: ssl.SSLSocket) -> tuple[str, ...]:
    """The names of the certificate that was served."""
    certificate: Any = s.getpeercert()
    return tuple(value for _, value in certificate["subjectAltName"])


def test_certificates_by_name_and_versions_by_policy(host: Host, proxies: HaproxyNodes) -> None:
    laid(host)
    authority = Authority(host.state / "tls")
    first, second = pem(authority, "www.example.com"), pem(authority, "*.example.org", algorithm="RSA_2048")
    rule = Rule(action=FixedResponse(status=200, content_type="text/plain", body="hello"))
    modern = TlsPolicy(least="TLSv1.3", suites=("TLS_AES_256_GCM_SHA384",))
    listener = Listener(port=443, rules=(rule,), certificates=(first, second), tls=modern,
                        headers=(("strict-transport-security", "max-age=1; p='%x'"),), names_server=False)  # fmt: skip
    proxies.apply(node(host, listeners=(listener,)))
    with greeted(host, authority, "www.example.com") as s:
        assert (s.version(), s.cipher()[0], s.selected_alpn_protocol()) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384", "h2")  # type: ignore[index]  # agreed
        assert served(s) == ("www.example.com",)
    with greeted(host, authority, "shop.example.org") as s:
        assert served(s) == ("*.example.org",)
    with greeted(host, authority, "unknown.example.net", check_hostname=False) as s:
        assert served(s) == ("www.example.com",)  # the default one
    with pytest.raises(ssl.SSLError):
        greeted(host, authority, "www.example.com", maximum_version=ssl.TLSVersion.TLSv1_2)
    old = TlsPolicy(least="TLSv1.0", most="TLSv1.2", ciphers=("ECDHE-ECDSA-AES128-GCM-SHA256",))
    proxies.apply(node(host, listeners=(replace(listener, tls=old),), http2=False))
    with greeted(host, authority, "www.example.com") as s:
        assert (s.version(), s.cipher()[0]) == ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256")  # type: ignore[index]  # agreed
        connection = http.client.HTTPConnection("www.example.com")
        connection.sock = s
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"hello")
        assert answer.headers["strict-transport-security"] == "max-age=1; p='%x'"
        assert "server" not in answer.headers


def cookies(answer_headers: Any) -> dict[str, str]:
    """Name to value, of an answer that sets several."""
    return dict(re.findall(r"(AWSALB[A-Z0-9-]*)=([0-9a-f]+)", " ".join(answer_headers.get_all("Set-Cookie") or ())))


def asked(host: Host, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(host.public(5), timeout=15)
    connection.sock = host.connect("", host.public(5), 80, wait=15)
    connection.request("GET", "/", headers=headers)
    try:
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def test_a_browser_stays_with_its_group_and_with_the_target_that_gave_it_a_session(
    host: Host, proxies: HaproxyNodes
) -> None:
    laid(host)
    with Site(host, "i-5", 8000, sets="SID=1; Path=/") as blue, Site(host, "i-6", 8000, sets="SID=1") as green:
        both = tuple(Target(address=a, port=8000) for a in (WEB, OTHER))
        by_app = TargetGroup(id="web", targets=both, cookie_seconds=600, app_cookie="SID", slow_start=30)
        proxies.apply(node(host, groups=(by_app,)))
        found = cookies(asked(host).headers)
        assert list(found) == ["AWSALBAPP-0"]
        before = len(blue.requests), len(green.requests)
        for _ in range(6):
            asked(host, Cookie=f"AWSALBAPP-0={found['AWSALBAPP-0']}")
        assert sorted((len(blue.requests) - before[0], len(green.requests) - before[1])) == [0, 6]
        proxies.apply(node(host, groups=(replace(by_app, app_cookie="OTHER"),)))
        assert cookies(asked(host).headers) == {}  # no session, no cookie
        groups = tuple(TargetGroup(id=i, targets=(t,)) for i, t in zip(("blue", "green"), both, strict=True))
        forward = Forward(groups=(("blue", 1), ("green", 1)), sticky_seconds=60)
        proxies.apply(node(host, groups=groups, listeners=(Listener(port=80, rules=(Rule(action=forward),)),)))
        found = cookies(asked(host).headers)
        assert sorted(found) == ["AWSALBTG", "AWSALBTGCORS"]
        before = len(blue.requests), len(green.requests)
        for _ in range(6):
            asked(host, Cookie=f"AWSALBTG={found['AWSALBTG']}")
        assert sorted((len(blue.requests) - before[0], len(green.requests) - before[1])) == [0, 6]


def test_too_few_well_targets_are_none(host: Host, proxies: HaproxyNodes) -> None:
    laid(host)
    with Site(host, "i-5", 8000) as web:
        both = tuple(Target(address=a, port=8000) for a in (WEB, OTHER))
        picky = TargetGroup(id="web", targets=both, check=CHECK, least_healthy=2)
        proxies.apply(node(host, groups=(picky,)))
        until(lambda: {h.state for h in proxies.health("elb-1").values()} == {"healthy", "unhealthy"})
        assert {ask(host, "", host.public(5)).status for _ in range(10)} == {200, 502}  # all are asked
        proxies.apply(node(host, groups=(replace(picky, least_healthy=1),), tells_client_port=True))
        until(lambda: {ask(host, "", host.public(5)).status for _ in range(10)} == {200})
        told = [seen.headers["x-forwarded-for"] for seen in web.requests if "x-forwarded-for" in seen.headers]
        assert re.fullmatch(rf"{re.escape(host.net.host_address)}:\d+", told[-1])


def test_an_upgraded_connection_is_a_pipe(host: Host, proxies: HaproxyNodes) -> None:
    laid(host)
    listener = host.socket("i-5")
    listener.bind(("", 8000))
    listener.listen(4)

    def serve() -> None:
        s, _ = listener.accept()
        with s:
            request = s.recv(4096)
            assert b"upgrade: websocket" in request.lower()
            s.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")  # fmt: skip
            while data := s.recv(4096):
                s.sendall(data[::-1])

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    unprobed = TargetGroup(id="web", targets=(Target(address=WEB, port=8000),))
    proxies.apply(node(host, groups=(unprobed,)))
    with host.connect("", host.public(5), 80, wait=10) as s:
        s.sendall(b"GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")  # fmt: skip
        assert s.recv(4096).startswith(b"HTTP/1.1 101 ")
        for said in (b"hello", b"\x00\xffworld"):
            s.sendall(said)
            assert s.recv(4096) == said[::-1]
    server.join(20)
    listener.close()


def test_tls_of_a_relay_ends_at_the_node(host: Host, proxies: HaproxyNodes) -> None:
    relays.laid(host, admits="sg-lb", ports=(443,))
    host.listen("i-5", 8000)
    authority = Authority(host.state / "tls")
    certificate = pem(authority, "www.example.com")
    relay = Relay(port=443, protocol="tls", group="web", certificates=(certificate,), alpn=("h2",))
    for keeps, seen in ((False, "10.0.1.10"), (True, host.net.host_address)):
        proxies.apply(relays.node(host, relay, targets=(WEB,), keeps_source=keeps))
        with greeted(host, authority, "www.example.com") as s:
            assert s.selected_alpn_protocol() == "h2"
            s.sendall(b"?")
            assert s.recv(64).decode() == seen
        until(lambda: {h.state for h in proxies.health("elb-1").values()} == {"healthy"})
    newest = processes.below(proxies._folder)[-1]  # who speaks in others' names is root, and can do little
    assert int(re.search(r"CapEff:\s*(\w+)", Path(f"/proc/{newest}/status").read_text())[1], 16) == 0x43420  # type: ignore[index]  # is there
