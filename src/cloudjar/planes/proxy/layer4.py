"""Relays that HAProxy carries: TLS that ends at the node, and connections in the node's own name; pure.

https://docs.haproxy.org/2.6/configuration.html
"""

from __future__ import annotations

from collections.abc import Iterator

from cloudjar.planes.network.privatelinks import DOORS
from cloudjar.planes.proxy import journal
from cloudjar.planes.proxy.port import Node, Relay, TargetGroup, TlsPolicy
from cloudjar.planes.proxy.relaying import in_kernel, lends_source


def tls_words(folder: str, port: int, policy: TlsPolicy, alpn: tuple[str, ...]) -> str:
    """What a ``bind`` says of TLS."""
    words = ["ssl", f"crt-list {folder}/{port}.certificates", f"ssl-min-ver {policy.least}",
             f"ssl-max-ver {policy.most}"]  # fmt: skip
    if policy.ciphers:
        words.append(f"ciphers {':'.join(policy.ciphers)}")
    if policy.suites:
        words.append(f"ciphersuites {':'.join(policy.suites)}")
    if alpn:
        words.append(f"alpn {','.join(alpn)}")
    return " ".join(words)


def frontends(node: Node, folder: str) -> Iterator[str]:
    """A frontend for every relay that is more than packets."""
    groups = {group.id: group for group in node.groups}
    for relay in node.relays:
        group = groups[relay.group]
        if not in_kernel(relay, group):
            yield from _frontend(relay, group, folder, node.logs)


def _frontend(relay: Relay, group: TargetGroup, folder: str, logs: bool) -> Iterator[str]:
    yield f"frontend {relay.port}"
    yield "    mode tcp"
    tls = tls_words(folder, relay.port, relay.tls, relay.alpn) if relay.protocol == "tls" else ""
    yield f"    bind :{relay.port} {tls}".rstrip()
    yield f"    timeout client {relay.idle_seconds}s"
    if logs and relay.protocol == "tls":
        yield from (f"    {line}" for line in journal.RELAY)
    if lends_source(relay, group) and group.targets:
        # Who comes by a private link has an address of another network: nobody here can speak in his name.
        linked = f"{{ dst {DOORS} }}"
        if group.check:
            few = f"{{ nbsrv({group.id}) lt {max(1, group.least_healthy)} }}"
            yield f"    use_backend {group.id}.open.own if {linked} {few}"
        yield f"    use_backend {group.id}.own if {linked}"
    if group.targets and group.check:
        yield f"    use_backend {group.id}.open if {{ nbsrv({group.id}) lt {max(1, group.least_healthy)} }}"
    yield f"    default_backend {group.id}"


def relayed(node: Node) -> set[str]:
    """Ids of the target groups that only relays use: HAProxy does not read what goes to them."""
    return {relay.group for relay in node.relays}
