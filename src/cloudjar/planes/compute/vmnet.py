"""A virtual machine on its ENIs: a tap for each, tied to it packet by packet, and the words that wire the guest.

The namespace's own interfaces keep the addresses they were given; what arrives is handed to the guest before the
namespace sees it. The guest has the same hardware address and addresses, so nobody outside can tell.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from cloudjar.planes.compute.process import need_tool, run

TAP = "cjtap"
_ENI = re.compile(r"eth(\d+)")


class Nic(msgspec.Struct, frozen=True, kw_only=True):
    """One ENI as the guest has it: its name, hardware address, and the tap behind it."""

    name: str
    mac: str
    tap: str


def nics(links: list[dict[str, Any]]) -> list[Nic]:
    """The ENIs of a namespace, in their order, from what ``ip -j addr`` says (pure)."""
    found = sorted((int(match[1]), link) for link in links if (match := _ENI.fullmatch(link["ifname"])))
    return [Nic(name=link["ifname"], mac=link["address"], tap=f"{TAP}{number}") for number, link in found]


def wiring(links: list[dict[str, Any]], routes: list[dict[str, Any]]) -> str:
    """A batch for the guest's own ``ip``: the same addresses and routes as the namespace has (pure)."""
    lines = ["link set lo up"]
    mine = [link for link in links if _ENI.fullmatch(link["ifname"])]
    for link in mine:
        lines.append(f"link set {link['ifname']} mtu {link['mtu']} up")
        addresses = [one for one in link["addr_info"] if one["scope"] == "global"]
        lines += [f"addr add {one['local']}/{one['prefixlen']} dev {link['ifname']}" for one in addresses]
    names = {link["ifname"] for link in mine}
    told = [route for route in routes if route.get("protocol") != "kernel" and route.get("dev") in names]
    for route in sorted(told, key=lambda one: "gateway" in one):
        via = f" via {route['gateway']}" if "gateway" in route else ""
        family = "-6 " if ":" in route.get("gateway", route["dst"]) else ""
        metric = f" metric {route['metric']}" if "metric" in route else ""
        onlink = " onlink" if "onlink" in route.get("flags", []) else ""
        lines.append(f"{family}route add {route['dst']}{via} dev {route['dev']}{metric}{onlink}")
    return "\n".join(lines) + "\n"


def tie(namespace: str) -> tuple[list[Nic], str]:
    """Make the taps of a namespace and tie them to its ENIs: the NICs, and the guest's wiring."""
    untie(namespace)
    links, routes = _asked(namespace, "addr"), _asked(namespace, "route") + _asked(namespace, "-6", "route")
    found = nics(links)
    for nic in found:
        _ip(namespace, "tuntap", "add", nic.tap, "mode", "tap", "vnet_hdr")
        _ip(namespace, "link", "set", nic.tap, "mtu", str(_mtu(links, nic)), "up")
        for here, there in ((nic.name, nic.tap), (nic.tap, nic.name)):
            _tc(namespace, "qdisc", "add", "dev", here, "clsact")
            everything = ("ingress", "protocol", "all", "u32", "match", "u32", "0", "0")
            _tc(namespace, "filter", "add", "dev", here, *everything, "action", *_redirect(there))
    return found, wiring(links, routes)


def untie(namespace: str) -> None:
    """Take the taps away and give the ENIs back to the namespace; nothing when there are none, or no namespace."""
    if not Path("/run/netns", namespace).exists():
        return
    links = _asked(namespace, "link")
    for link in links:
        if link["ifname"].startswith(TAP):
            _ip(namespace, "link", "del", link["ifname"])
            eni = f"eth{link['ifname'].removeprefix(TAP)}"
            if any(one["ifname"] == eni for one in links):
                _tc(namespace, "qdisc", "del", "dev", eni, "clsact", ok=(0, 1, 2))


def _redirect(there: str) -> tuple[str, ...]:
    return ("mirred", "egress", "redirect", "dev", there)


def _mtu(links: list[dict[str, Any]], nic: Nic) -> int:
    return next(int(link["mtu"]) for link in links if link["ifname"] == nic.name)


def _asked(namespace: str, *what: str) -> list[dict[str, Any]]:
    said = run([need_tool("ip", "iproute2"), "-n", namespace, "-j", *what], what="looking at a network").stdout
    found: list[dict[str, Any]] = msgspec.json.decode(said or b"[]")
    return found


def _ip(namespace: str, *words: str) -> None:
    run([need_tool("ip", "iproute2"), "-n", namespace, *words], what="tying a network")


def _tc(namespace: str, *words: str, ok: tuple[int, ...] = (0,)) -> None:
    run([need_tool("tc", "iproute2"), "-n", namespace, *words], what="tying a network", ok=ok)
