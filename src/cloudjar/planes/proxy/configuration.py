"""A node as HAProxy's configuration; pure: the same node gives the same files.

https://docs.haproxy.org/2.6/configuration.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from cloudjar.planes.proxy import journal, mutual
from cloudjar.planes.proxy.backends import backends
from cloudjar.planes.proxy.layer4 import frontends, relayed, tls_words
from cloudjar.planes.proxy.matching import acl, token
from cloudjar.planes.proxy.port import FixedResponse, Forward, Listener, Node, Redirect, Relay, Rule, TargetGroup
from cloudjar.planes.proxy.relaying import lending
from cloudjar.planes.proxy.words import SERVER, quoted

GROUP_COOKIE = "AWSALBTG"
UNCONNECTED = "Cloudjar-Unconnected"
"""A header between HAProxy's own parts, which no client and no target sees."""
_NOBODY = 65534
_CONNECT_SECONDS = 10
"""How long a target may take to accept a connection: https://repost.aws/knowledge-center/elb-alb-troubleshoot-504."""
_PAGES = {
    400: "Bad Request", 405: "Method Not Allowed", 408: "Request Time-out", 500: "Internal Server Error",
    502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out",
}  # fmt: skip
_REDIRECTS = {301: "Moved Permanently", 302: "Found"}
_PARTS = {
    "#{host}": "%[req.hdr(host),field(1,:)]", "#{path}": "%[path,regsub(^/,)]", "#{query}": "%[query]",
    "#{port}": "%[dst_port]",
}  # fmt: skip
MOST_FORWARDED = 30
"""More addresses than this in X-Forwarded-For are answered by 463."""


def files(node: Node, folder: str) -> dict[str, str]:
    """File name to content; the configuration refers to the others by `folder`."""
    made = {f"{code}.http": _page(code) for code in _PAGES}
    made["unconnected.http"] = _page(502, f"{UNCONNECTED}: yes\r\n")
    made["503.html"] = _html(503, _PAGES[503])
    for relay in node.relays:
        made |= _certificates(relay, folder)
    for listener in node.listeners:
        made |= _certificates(listener, folder)
        for n, rule in enumerate(listener.rules):
            if isinstance(rule.action, FixedResponse):
                made[f"{listener.port}-{n}.body"] = rule.action.body
            if isinstance(rule.action, Redirect):
                made[f"{rule.action.status}.html"] = _html(rule.action.status, _REDIRECTS[rule.action.status])
    made |= mutual.files(node)
    made["haproxy.cfg"] = "\n".join(_lines(node, folder)) + "\n"
    return made


def _certificates(item: Listener | Relay, folder: str) -> dict[str, str]:
    if not item.certificates:
        return {}
    made = {f"{item.port}-{n}.pem": certificate for n, certificate in enumerate(item.certificates)}
    return {**made, f"{item.port}.certificates": "".join(f"{folder}/{name}\n" for name in made)}


def new_server_states(node: Node) -> Iterator[str]:
    """Lines of HAProxy's server state file that have each target down and one passed probe short of being up.

    A proxy takes a new server for well until a probe says otherwise; a load balancer does not.
    """
    for group in node.groups:
        if group.check is None:
            continue
        for n, target in enumerate(group.targets, 1):
            short = 0 if target.new else group.check.rise - 1
            yield (f"1 {group.id} {n} {target.name} {target.address} 0 0 1 1 0 1 0 {short} 6 0 0 0 - "
                   f"{target.port} - {int(group.secure)} {group.check.port} - - 0")


def _lines(node: Node, folder: str) -> Iterator[str]:
    yield "global"
    yield from _in(
        f"stats socket {folder}/admin.sock mode 600 level admin expose-fd listeners",
        f"server-state-file {folder}/states",
        f"hard-stop-after {node.drain_seconds}s", "nbthread 1", "maxconn 4000",
        # Who speaks in others' names must stay root; he is started with little of what root may (`haproxy._confined`).
        *(() if lending(node) else (f"uid {_NOBODY}", f"gid {_NOBODY}")),
        f"chroot {folder}/empty", "tune.ssl.default-dh-param 2048", "ssl-default-bind-options no-sslv3",
        "ssl-server-verify none", *mutual.loading(node, folder), *(journal.GLOBAL if node.logs else ()),
    )  # fmt: skip
    yield "defaults"
    yield from _in(
        "mode http", "retries 0", f"timeout connect {_CONNECT_SECONDS}s", f"timeout client {node.idle_seconds}s",
        f"timeout server {node.idle_seconds}s", f"timeout tunnel {node.idle_seconds}s",
        f"timeout http-request {node.idle_seconds}s", f"timeout http-keep-alive {node.idle_seconds}s",
        "load-server-state-from-file global",
        *(f"errorfile {code} {folder}/{code}.http" for code in (400, 408, 500, 502, 504)),
        # In front of a target this is a connection that failed: who has no targets at all answers by himself.
        f"errorfile 503 {folder}/unconnected.http",
    )  # fmt: skip
    for listener in node.listeners:
        yield from _frontend(node, listener, folder)
    yield from frontends(node, folder)
    layer4, lent = relayed(node), lending(node)
    for group in node.groups:
        yield from backends(group, folder, relayed=group.id in layer4, lent=group.id in lent)


def _in(*lines: str) -> Iterator[str]:
    return (f"    {line}" for line in lines)


def _frontend(node: Node, listener: Listener, folder: str) -> Iterator[str]:
    scheme = "https" if listener.certificates else "http"
    yield f"frontend {listener.port}"
    yield from _in(_bind(node, listener, folder), *_manners(node, folder), *_said(listener))
    if node.logs:
        yield from _in(*journal.FRONTEND)
    for n, rule in enumerate(listener.rules):
        names = [f"r{n}c{m}" for m in range(len(rule.conditions))]
        for name, condition in zip(names, rule.conditions, strict=True):
            yield from _in(*acl(name, condition))
        holds = " ".join(["!{ var(txn.rule) -m found }", *names])
        yield from _in(f"http-request set-var(txn.rule) int({n}) if {holds}")
    groups = {group.id: group for group in node.groups}
    for n, rule in enumerate(listener.rules):
        yield from _in(*_answer(listener, n, rule, scheme, folder))
    yield from _in(*_forwarded(node, listener, scheme))
    for n, rule in enumerate(listener.rules):
        if isinstance(rule.action, Forward):
            yield from _in(*_choice(n, rule.action, groups))


def _bind(node: Node, listener: Listener, folder: str) -> str:
    if not listener.certificates:
        return f"bind :{listener.port}"
    offered = ("h2", "http/1.1") if node.http2 else ("http/1.1",)
    asked = "" if listener.clients is None else " " + mutual.bind_words(listener.port, listener.clients, folder)
    return f"bind :{listener.port} {tls_words(folder, listener.port, listener.tls, offered)}{asked}"


def _said(listener: Listener) -> Iterator[str]:
    """What a listener has every answer say."""
    for name, value in listener.headers:
        yield f"http-after-response set-header {token(name)} {quoted(value.replace('%', '%%'))}"
    if not listener.names_server:
        yield "http-after-response del-header Server"


def _manners(node: Node, folder: str) -> Iterator[str]:
    """What holds before any rule."""
    yield f"http-request return status 405 errorfile {folder}/405.http if METH_TRACE"
    yield (f"http-request return status 463 hdr Server {SERVER} "
           f"if {{ req.hdr_cnt(x-forwarded-for) gt {MOST_FORWARDED} }}")
    if node.drop_invalid_headers:
        yield "http-request del-header '[^-A-Za-z0-9]' -m reg"
    yield "http-after-response set-header Date %[date,http_date] if !{ res.hdr(date) -m found }"
    # HAProxy says 503 of a connection that is refused and of one that takes too long; a load balancer 502 and 504.
    yield "http-request set-var(txn.begun) date(0,ms)"
    yield f"http-response del-header {UNCONNECTED}"
    yield "http-after-response set-var(txn.waited) date(0,ms),sub(txn.begun)"
    yield (f"http-after-response set-status 504 reason 'Gateway Time-out' if {{ res.hdr({UNCONNECTED}) -m found }} "
           f"{{ var(txn.waited) -m int ge {_CONNECT_SECONDS * 1000} }}")
    yield f"http-after-response del-header {UNCONNECTED}"


def _answer(listener: Listener, n: int, rule: Rule, scheme: str, folder: str) -> Iterator[str]:
    when = f"{{ var(txn.rule) -m int {n} }}"
    if isinstance(rule.action, FixedResponse):
        body = ""
        if rule.action.body:
            kind = quoted(rule.action.content_type or "text/plain")
            body = f" content-type {kind} file {folder}/{listener.port}-{n}.body"
        yield f"http-request return status {rule.action.status}{body} hdr Server {SERVER} if {when}"
    if isinstance(rule.action, Redirect):
        yield from _redirect(rule.action, scheme, when, folder)


def _redirect(action: Redirect, scheme: str, when: str, folder: str) -> Iterator[str]:
    protocol = scheme if action.protocol == "#{protocol}" else action.protocol.lower()
    where = f"{protocol}://{_filled(action.host)}:{_filled(action.port)}{_filled(action.path)}"
    page = f"content-type text/html file {folder}/{action.status}.html hdr Server {SERVER}"
    with_query = f"hdr Location {quoted(f'{where}?{_filled(action.query)}')}"
    bare = f"hdr Location {quoted(where)}"
    if action.query == "#{query}":
        yield f"http-request return status {action.status} {page} {with_query} if {when} {{ query -m len gt 0 }}"
        yield f"http-request return status {action.status} {page} {bare} if {when}"
    else:
        yield f"http-request return status {action.status} {page} {with_query if action.query else bare} if {when}"


def _filled(template: str) -> str:
    """A part of a redirect as HAProxy's format; what is not a known placeholder stands for itself."""
    pieces = re.split(r"(#\{(?:host|path|query|port)\})", template)
    return "".join(_PARTS.get(piece) or piece.replace("%", "%%") for piece in pieces)


def _forwarded(node: Node, listener: Listener, scheme: str) -> Iterator[str]:
    if node.forwarded_for == "append":
        client = "%[src]:%[src_port]" if node.tells_client_port else "%[src]"
        yield (f"http-request set-header X-Forwarded-For '%[req.fhdr(x-forwarded-for)], {client}' "
               "if { req.fhdr(x-forwarded-for) -m found }")
        yield f"http-request set-header X-Forwarded-For {client} if !{{ req.fhdr(x-forwarded-for) -m found }}"
    elif node.forwarded_for == "remove":
        yield "http-request del-header X-Forwarded-For"
    yield f"http-request set-header X-Forwarded-Proto {scheme}"
    yield f"http-request set-header X-Forwarded-Port {listener.port}"
    if node.tells_tls and listener.certificates:
        yield f"http-request set-header {token(listener.tls_version_header)} %[ssl_fc_protocol]"
        yield f"http-request set-header {token(listener.tls_cipher_header)} %[ssl_fc_cipher]"
    if listener.clients is not None and listener.certificates:
        yield from mutual.told(listener.clients)
    own = "1-%[date,hex,lower,regsub(^0+,)]-%[uuid,regsub(-,,g),regsub(.{8}$,)]"
    known = "{ req.hdr(x-amzn-trace-id) -m sub Root= }"
    yield f"http-request set-header X-Amzn-Trace-Id 'Self={own};%[req.fhdr(x-amzn-trace-id)]' if {known}"
    yield f"http-request set-header X-Amzn-Trace-Id 'Root={own}' if !{known}"
    if node.logs:
        yield "http-request set-var(txn.trace) req.fhdr(x-amzn-trace-id)"


def _choice(n: int, action: Forward, groups: dict[str, TargetGroup]) -> Iterator[str]:
    """Groups in proportion to their weights."""
    when = f"{{ var(txn.rule) -m int {n} }}"
    weighted = [(name, weight) for name, weight in action.groups if weight]
    if action.sticky_seconds:
        yield from _kept(when, action, groups)
    yield f"http-request set-var(txn.draw) rand({max(1, sum(w for _, w in weighted))}) if {when}"
    below = 0
    for name, weight in weighted or action.groups[:1]:
        below += weight
        drawn = f" {{ var(txn.draw) -m int lt {below} }}" if len(weighted) > 1 else ""
        if action.sticky_seconds:
            yield f"http-request set-var(txn.group) str({_mark(name)}) if {when}{drawn} !{{ var(txn.group) -m found }}"
        else:
            yield from _used(groups[name], f"{when}{drawn}")
    if action.sticky_seconds:
        for name, _ in action.groups:
            yield from _used(groups[name], f"{when} {{ var(txn.group) -m str {_mark(name)} }}")


def _kept(when: str, action: Forward, groups: dict[str, TargetGroup]) -> Iterator[str]:
    """The group that a browser was sent to before, and what tells it."""
    for name, _ in action.groups:
        if groups[name].targets:
            yield (f"http-request set-var(txn.group) str({_mark(name)}) if {when} {{ req.cook({GROUP_COOKIE}) -m str "
                   f"{_mark(name)} }}")
            yield (f"http-request set-var(txn.group) str({_mark(name)}) if {when} {{ req.cook({GROUP_COOKIE}CORS) "
                   f"-m str {_mark(name)} }}")
    told = f"%[var(txn.group)]; Expires=%[date({action.sticky_seconds}),http_date]; Path=/"
    for name, more in ((GROUP_COOKIE, ""), (f"{GROUP_COOKIE}CORS", "; SameSite=None; Secure")):
        yield f"http-response add-header Set-Cookie '{name}={told}{more}' if {when}"


def _mark(group_id: str) -> str:
    """What stands for a target group in a cookie."""
    return hashlib.sha256(group_id.encode()).hexdigest()[:24]


def _used(group: TargetGroup, when: str) -> Iterator[str]:
    """A group that has too few well targets gets its requests all the same, all of them."""
    if group.targets and group.check:
        yield f"use_backend {group.id}.open if {when} {{ nbsrv({group.id}) lt {max(1, group.least_healthy)} }}"
    yield f"use_backend {group.id} if {when}"


def _html(code: int, words: str) -> str:
    return (f"<html>\r\n<head><title>{code} {words}</title></head>\r\n<body>\r\n<center><h1>{code} {words}</h1>"
            "</center>\r\n</body>\r\n</html>\r\n")


def _page(code: int, more: str = "") -> str:
    body = _html(code, _PAGES[code])
    return (f"HTTP/1.1 {code} {_PAGES[code]}\r\nServer: {SERVER}\r\n{more}Content-Type: text/html\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}")
