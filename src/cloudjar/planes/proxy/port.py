"""What the product asks of the proxy plane: nodes of load balancers, each whole, converged to at once.

A node is one proxy in a guest namespace of its own, behind an ENI that the network plane lays out. Applying a node
again changes nothing; applying it otherwise leaves requests that are on their way to end in peace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

import msgspec

HealthState = Literal["initial", "healthy", "unhealthy"]
ConditionField = Literal[
    "host-header", "path-pattern", "http-header", "http-request-method", "query-string", "source-ip"
]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where requests may go; `address` is IPv4. A `new` one is probed each second and is well after one probe that
    passes."""

    address: str
    port: int
    new: bool = False

    @property
    def name(self) -> str:
        """``10.0.1.5:80``."""
        return f"{self.address}:{self.port}"


class HealthCheck(msgspec.Struct, frozen=True, kw_only=True):
    """How targets are probed, from the node's own interface. Times in seconds.

    `port` 0 is the target's own; `codes` are status codes and ranges that are well (``200,300-399``). Without `http` a
    connection that is accepted is well.
    """

    http: bool = True
    secure: bool = False
    port: int = 0
    path: str = "/"
    interval: int = 30
    timeout: int = 5
    rise: int = 5
    fall: int = 2
    codes: str = "200"


class TargetGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Targets that stand for each other. `id` is of letters, digits, ``-`` and ``_``.

    `cookie_seconds` keeps a browser with its target by a cookie of the balancer's; 0 does not. With `app_cookie` that
    begins when a target sets a cookie of this name. Where fewer than `least_healthy` are well, all get requests.
    `slow_start` is how many seconds a target that became well takes to get its full share.

    Of relays: `keeps_source` says that targets see the client's address, `source_sticky` that a client address stays
    with its target, `announces` that the PROXY protocol (version 2) tells it, `ends_unwell` that flows end with the
    health of their target, `ends_gone` that they end when it is neither among the targets nor `draining`.
    """

    id: str
    targets: tuple[Target, ...] = ()
    secure: bool = False
    check: HealthCheck | None = None
    algorithm: Literal["round_robin", "least_outstanding_requests"] = "round_robin"
    cookie_seconds: int = 0
    app_cookie: str = ""
    least_healthy: int = 1
    slow_start: int = 0
    keeps_source: bool = False
    source_sticky: bool = False
    announces: bool = False
    ends_unwell: bool = True
    draining: tuple[Target, ...] = ()
    ends_gone: bool = False


class Forward(msgspec.Struct, frozen=True, kw_only=True, tag="forward"):
    """(target group, weight) pairs; a weight of 0 gets nothing. A browser stays with its group for `sticky_seconds`."""

    groups: tuple[tuple[str, int], ...]
    sticky_seconds: int = 0


class Redirect(msgspec.Struct, frozen=True, kw_only=True, tag="redirect"):
    """Each part may hold ``#{protocol}``, ``#{host}``, ``#{port}``, ``#{path}`` and ``#{query}`` of the request."""

    status: Literal[301, 302]
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"


class FixedResponse(msgspec.Struct, frozen=True, kw_only=True, tag="fixed"):
    """An answer of the balancer's own."""

    status: int
    content_type: str = ""
    body: str = ""


Action = Forward | Redirect | FixedResponse


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """True when one of the values is met. ``*`` and ``?`` are wild, but for methods and CIDRs.

    `name` is the header of ``http-header``; `pairs` are (key or "", value) of ``query-string``.
    """

    field: ConditionField
    values: tuple[str, ...] = ()
    name: str = ""
    pairs: tuple[tuple[str, str], ...] = ()


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Acts when all conditions hold; a listener's default has none."""

    action: Action
    conditions: tuple[Condition, ...] = ()


TlsVersion = Literal["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"]


class TlsPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What may be spoken: versions, `ciphers` up to TLS 1.2 and `suites` of TLS 1.3 by OpenSSL's names (none: all)."""

    least: TlsVersion = "TLSv1.2"
    most: TlsVersion = "TLSv1.3"
    ciphers: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()


CertificateFact = Literal["chain", "serial", "issuer", "subject", "validity", "leaf"]


class Clients(msgspec.Struct, frozen=True, kw_only=True):
    """That clients of a TLS listener are asked for certificates of their own; nobody resumes a session then.

    One that `verifies` talks to nobody whose certificate `authorities` (PEM) do not vouch for, or that `revoked` (PEM
    of revocation lists; of authorities without one nothing is revoked) lists; others hand on what they were shown, or
    nothing. Targets are told by headers, by `renamed` or AWS's names.
    """

    verifies: bool = False
    authorities: str = ""
    revoked: str = ""
    expired_too: bool = False
    advertises: bool = False
    """Whether clients are told the names of the authorities."""
    renamed: tuple[tuple[CertificateFact, str], ...] = ()


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """A port that answers; the first rule that holds decides, the last one always does.

    `certificates` (PEM: certificate, chain and key; the default one first) make it a TLS listener. `headers` are set on
    every answer, whatever the target said.
    """

    port: int
    rules: tuple[Rule, ...]
    certificates: tuple[str, ...] = ()
    tls: TlsPolicy = TlsPolicy()
    headers: tuple[tuple[str, str], ...] = ()
    names_server: bool = True
    """Whether answers have a header ``Server``."""
    tls_version_header: str = "X-Amzn-Tls-Version"
    tls_cipher_header: str = "X-Amzn-Tls-Cipher-Suite"
    clients: Clients | None = None


class Relay(msgspec.Struct, frozen=True, kw_only=True):
    """A port that hands connections, or datagrams, on to a target group without reading them.

    ``tls`` is ended here, with `certificates` as a listener's; `alpn` is what is offered then.
    """

    port: int
    protocol: Literal["tcp", "udp", "tcp_udp", "tls"]
    group: str
    certificates: tuple[str, ...] = ()
    tls: TlsPolicy = TlsPolicy()
    alpn: tuple[str, ...] = ()
    idle_seconds: int = 350


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One proxy, whole. `namespace` is the path of its network namespace (`NetworkPort.guest_path`)."""

    id: str
    namespace: str
    listeners: tuple[Listener, ...] = ()
    relays: tuple[Relay, ...] = ()
    """A node has listeners or relays; the interface of one with relays must be a relay's (`Interface.relays`)."""
    groups: tuple[TargetGroup, ...] = ()
    idle_seconds: int = 60
    drain_seconds: int = 300
    """How long requests that are on their way may take to end when the node is changed."""
    http2: bool = True
    drop_invalid_headers: bool = False
    forwarded_for: Literal["append", "preserve", "remove"] = "append"
    tells_client_port: bool = False
    tells_tls: bool = False
    logs: bool = False
    """Whether every request and connection is written down (`ProxyPort.requests`, `ProxyPort.connections`); of relays,
    the connections of those whose TLS ends here."""


class TargetHealth(msgspec.Struct, frozen=True, kw_only=True):
    """What a node's probes of a target came to. `why` is ``timeout``, ``refused`` (no connection, or one that ended
    early), ``code`` (with the status `code` that was not wanted) or empty."""

    state: HealthState
    why: str = ""
    code: int = 0


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that a node has received, from clients and targets alike, since its network was laid out (`born`)."""

    born: str
    received: int


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What one process of a node's proxy, or its packet rules, has counted since it began; `born` tells it from others.

    `amounts` of a node with listeners: ``connections`` and ``bytes`` with its clients, answers by class (``1xx`` to
    ``5xx``), and by target group ``requests GROUP`` (for which a target was chosen), ``connections GROUP``,
    ``errors GROUP`` (connections that failed), ``2xx GROUP`` ... (answers of targets). With relays: ``tcp``, ``tls``
    and ``udp`` flows, ``bytes`` and ``packets`` received. `means` are milliseconds that targets took to answer the last
    `WINDOW` requests of ``GROUP``; `active` is what is open now (None: not known).
    """

    born: str
    amounts: dict[str, int]
    means: dict[str, int] = {}
    active: int | None = None


WINDOW = 512
"""Requests over which a proxy's mean runs."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request that a node has answered. Times are in seconds; -1 where it did not come so far. `rule` is the place of
    the rule that held in its listener's list (-1: none), `target` is ``address:port`` or ""."""

    begun: float
    client: str
    listener: int
    group: str
    target: str
    waited: float
    answered: float
    sent: float
    status: int
    received: int
    given: int
    line: str
    agent: str
    host: str
    trace: str
    cipher: str
    protocol: str
    rule: int
    connection: str = ""
    """What its connection is called, alike for all that come by it."""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A client's connection to a node: that of a listener when its first request was answered, that of a relay when it
    has ended. Times are in seconds.

    `protocol` and `cipher` are empty where no TLS was agreed on. `failure` is why it came to nothing: ``""`` (it did
    not), ``expired``, ``early`` (not valid yet), ``revoked``, ``untrusted``, ``unlisted`` (the revocation list is not
    in force), ``purpose``, ``invalid``, or ``unmapped`` (anything else). `certificate` is the SHA-1 of the certificate
    that the node showed.
    """

    begun: float
    client: str
    listener: int
    address: str
    protocol: str
    cipher: str
    handshake: float
    failure: str = ""
    lasted: float = 0
    received: int = 0
    given: int = 0
    subject: str = ""
    not_before: str = ""
    """As ``2026-01-15T12:00:00Z``, as the next one."""
    not_after: str = ""
    serial: str = ""
    """Of the client's certificate, as the two above."""
    certificate: str = ""
    name: str = ""
    """What the client called the server (SNI)."""
    alpn: str = ""
    id: str = ""


class ProxyPort(Protocol):
    """Nodes by id. Calls are idempotent and blocking; failures raise `PlaneError`."""

    name: str
    """``sim`` or ``haproxy``."""

    def apply(self, node: Node) -> None:
        """Make the host run exactly this node. Its namespace must be there: `PlaneError` until it is."""
        ...

    def remove(self, node_id: str) -> None:
        """End the node at once and remove every trace of it."""
        ...

    def nodes(self) -> list[str]:
        """Every node of this installation that has any trace on the host."""
        ...

    def health(self, node_id: str) -> dict[tuple[str, str], TargetHealth]:
        """(target group, ``address:port``) to what the node's probes say; empty when the node is not up."""
        ...

    def carried(self, node_id: str) -> Carried | None:
        """What a node has carried; None when it is not up, or was not applied by this process yet."""
        ...

    def counted(self, node_id: str) -> tuple[Counted, ...]:
        """What has been counted at a node, by each of its processes (the newest last); empty when it is not up."""
        ...

    def requests(self, node_id: str, places: Mapping[str, int]) -> tuple[list[Request], dict[str, int]]:
        """What a node that `logs` has written down since `places` (nothing: from the beginning), and the places to go
        on from."""
        ...

    def connections(self, node_id: str, places: Mapping[str, int]) -> tuple[list[Connection], dict[str, int]]:
        """The same of clients' connections, with places of their own."""
        ...

    def watch(self, changed: Callable[[str], None], busy: Callable[[str], None] = lambda _: None) -> None:
        """From now on call `changed(node id)`, from any thread, when a node's `health` is otherwise or it has died.

        Likewise `busy(node id)` when it has counted something since `counted` was last asked.
        """
        ...

    def release(self) -> None:
        """Let go of threads and leave the host as it is: a server that ends while nodes go on."""
        ...
