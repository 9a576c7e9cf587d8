"""`cloudjar doctor`: what this host can do, looked at one by one."""

from __future__ import annotations

import os
import shutil
import socket
import sys

import click

from cloudjar.cli import aws_tool
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import paint, say, show_json
from cloudjar.planes.compute.doctor import Finding


@click.command()
@home_option
@json_option
def doctor(home: Home, as_json: bool) -> None:
    """Look at everything Cloudjar needs of this host. Exit code 1 when something is missing that it needs."""
    needs = [("This program", _program(home), True), ("Tools that people use", _tools(), False)]
    real = os.geteuid() == 0 and sys.platform == "linux" and home.settings.planes != "sim"
    if real:
        needs += [("Real networks", _network(), True), ("Real machines", _machines(home), True)]
        needs += [("Virtual machines", _virtual(), False), ("Load balancers", _proxies(), False)]
        needs += [("Tunnels of transit gateways", _tunnels(), False)]
    if as_json:
        show_json([
            {"part": part, "what": f.what, "ok": f.ok, "needed": needed, "why": f.why, "try": f.hint}
            for part, findings, needed in needs
            for f in findings
        ])  # fmt: skip
    else:
        for part, findings, needed in needs:
            _show(part, findings, needed)
        if not real:
            say("Real networks and machines need Linux and root; without them the planes are simulated.")
    if any(not f.ok for _, findings, needed in needs for f in findings if needed):
        raise click.exceptions.Exit(1)


def _show(part: str, findings: list[Finding], needed: bool) -> None:
    bad = [f for f in findings if not f.ok]
    mark = paint("ok", "green") if not bad else paint("not ok" if needed else "partly", "red" if needed else "yellow")
    say(f"{part}: {mark} ({len(findings) - len(bad)} of {len(findings)})")
    for f in bad:
        say(f"  {f.what}: {f.why}")
        if f.hint:
            say(f"    Try: {f.hint}")


def _program(home: Home) -> list[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    found = [Finding(ok=sys.version_info >= (3, 11), what="Python", why=version, hint="Python 3.11 or newer")]
    return [*found, _port(home)]


def _port(home: Home) -> Finding:
    settings = home.settings
    ready = None if not home.exists() else home.ready()
    if ready is not None:
        return Finding(ok=True, what=f"port {ready.port}", why="this jar answers there")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((settings.host, settings.port))
        except OSError as busy:
            return Finding(ok=False, what=f"port {settings.port}", why=str(busy.strerror or busy),
                           hint=f"cloudjar up --port {settings.port + 1}")  # fmt: skip
    return Finding(ok=True, what=f"port {settings.port}", why="free")


def _tools() -> list[Finding]:
    found = []
    for name, package in (("ssh", "openssh-client"), ("curl", "curl"), ("jq", "jq")):
        path = shutil.which(name)
        found.append(Finding(ok=bool(path), what=name, why=path or "not installed",
                             hint="" if path else f"apt-get install {package}"))  # fmt: skip
    tool = aws_tool.find()
    if tool is None:
        return [*found, Finding(ok=False, what="aws", why="not installed", hint="apt-get install awscli")]
    return [*found, Finding(ok=True, what="aws", why=f"{tool.path}, version {tool.version}")]


def _network() -> list[Finding]:
    from cloudjar.planes.network import doctor as network

    return [
        Finding(ok=f.ok, what=f.what, why="" if f.ok else f.why, hint="" if f.ok else f.hint) for f in network.doctor()
    ]


def _proxies() -> list[Finding]:
    return [_daemon("haproxy", "haproxy")]


def _tunnels() -> list[Finding]:
    device = os.path.exists("/dev/net/tun")
    return [_daemon("bird", "bird2"), Finding(ok=device, what="/dev/net/tun", why="" if device else "not there",
                                              hint="" if device else "modprobe tun")]  # fmt: skip


def _daemon(name: str, package: str) -> Finding:
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    return Finding(ok=bool(path), what=name, why=path or "not installed",
                   hint="" if path else f"apt-get install {package}")  # fmt: skip


def _virtual() -> list[Finding]:
    from cloudjar.planes.compute import doctor as compute

    return compute.virtual()


def _machines(home: Home) -> list[Finding]:
    from cloudjar.planes.compute import doctor as compute

    return compute.doctor(home.folder)
