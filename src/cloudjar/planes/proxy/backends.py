"""Target groups as HAProxy's backends; pure.

A browser is kept with its target by lines of our own rather than HAProxy's ``cookie``: what it is told names an instant
(as AWS's does), comes anew with each answer, and may wait for a cookie of the target's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from cloudjar.planes.proxy.matching import token
from cloudjar.planes.proxy.port import HealthCheck, Target, TargetGroup
from cloudjar.planes.proxy.words import SERVER, quoted

COOKIE, APP_COOKIE = "AWSALB", "AWSALBAPP-0"
NEW_SECONDS = 1
"""How often a target is probed that is not known yet."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,120}")


def cookie_of(target: Target) -> str:
    """What stands for a target in the balancer's cookie: it tells nobody the address."""
    return hashlib.sha256(target.name.encode()).hexdigest()[:24]


def backends(group: TargetGroup, folder: str, *, relayed: bool = False, lent: bool = False) -> Iterator[str]:
    """A group's backend, and one of all its targets for when too few are well; `lent` speaks in the clients' names."""
    if not _NAME.fullmatch(group.id):
        raise ValueError(f"not the name of a target group: {group.id!r}")
    yield f"backend {group.id}"
    if relayed:
        yield "    mode tcp"
    if not group.targets:
        if not relayed:
            page = f"content-type text/html file {folder}/503.html hdr Server {SERVER}"
            yield f"    http-request return status 503 {page}"
        return
    yield from _named(lent)
    yield from _members(group, group.check, relayed)
    if group.check:
        yield f"backend {group.id}.open"
        if relayed:
            yield "    mode tcp"
        yield from _named(lent)
        yield from _members(group, None, relayed)
    if lent:
        yield from _own(group)


def _named(lent: bool) -> Iterator[str]:
    if lent:
        yield "    source 0.0.0.0 usesrc clientip"


def _own(group: TargetGroup) -> Iterator[str]:
    """The same targets, spoken to in the node's own name; how they are is the first backend's to find out."""
    yield f"backend {group.id}.own"
    yield "    mode tcp"
    yield f"    balance {_algorithm(group)}"
    for target in group.targets:
        follows = f" track {group.id}/{target.name}" if group.check else ""
        yield "    " + " ".join(_server(group, target, None, True)) + follows
    if group.check:
        yield f"backend {group.id}.open.own"
        yield "    mode tcp"
        yield from _members(group, None, True)


def _members(group: TargetGroup, check: HealthCheck | None, relayed: bool) -> Iterator[str]:
    yield f"    balance {_algorithm(group)}"
    if group.cookie_seconds and not relayed:
        yield from (f"    {line}" for line in _sticky(group))
    if check:
        yield from (f"    {line}" for line in _probe(check))
    for target in group.targets:
        yield "    " + " ".join(_server(group, target, check, relayed))


def _algorithm(group: TargetGroup) -> str:
    if group.source_sticky:
        return "source"
    return "leastconn" if group.algorithm == "least_outstanding_requests" else "roundrobin"


def _sticky(group: TargetGroup) -> Iterator[str]:
    names = (APP_COOKIE,) if group.app_cookie else (COOKIE, f"{COOKIE}CORS")
    for target in group.targets:
        for name in names:
            yield f"use-server {target.name} if {{ req.cook({name}) -m str {cookie_of(target)} }}"
    when = f" {{ res.cook({token(group.app_cookie)}) -m found }}" if group.app_cookie else ""
    end = f"Expires=%[date({group.cookie_seconds}),http_date]; Path=/"
    for target in group.targets:
        answered = f"if {{ srv_name {target.name} }}{when}"
        for name in names:
            more = "; SameSite=None; Secure" if name.endswith("CORS") else ""
            yield f"http-response add-header Set-Cookie '{name}={cookie_of(target)}; {end}{more}' {answered}"


def _probe(check: HealthCheck) -> Iterator[str]:
    to = f"{f' port {check.port}' if check.port else ''}{' ssl' if check.secure else ''}"
    if not check.http:
        yield "option tcp-check"
        yield f"tcp-check connect{to}"
    else:
        yield "option httpchk"
        yield f"http-check connect{to}"
        yield (f"http-check send meth GET uri {quoted(check.path)} ver HTTP/1.1 hdr Host %[srv_name] "
               "hdr User-Agent ELB-HealthChecker/2.0 hdr Connection close")  # fmt: skip
        yield f"http-check expect status {check.codes}"
    yield f"timeout check {check.timeout}s"


def _server(group: TargetGroup, target: Target, check: HealthCheck | None, relayed: bool) -> Iterator[str]:
    yield f"server {target.name} {target.name}"
    if group.secure:
        yield "ssl verify none"
    if relayed and group.announces:
        yield "send-proxy-v2"
    if check:
        often = f"inter {NEW_SECONDS}s rise 1" if target.new else f"inter {check.interval}s rise {check.rise}"
        yield f"check {often} fall {check.fall}"
        if relayed and group.announces:
            yield "no-check-send-proxy"
        if group.slow_start:
            yield f"slowstart {group.slow_start}s"
