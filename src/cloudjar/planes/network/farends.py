"""What stands at the far end of a link and forwards or answers for AWS: NAT gateways, hubs, endpoints; Linux only.

Everything here runs in a thread that has entered the namespace at that end.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

from cloudjar.planes.compute.process import run
from cloudjar.planes.network import meters, nat64, nft, programs, sixfour
from cloudjar.planes.network.netlink import Netlink
from cloudjar.planes.network.plan import FABRIC6, MAIN_TABLE, VPC_VIA, Link, Tunnel
from cloudjar.planes.network.port import NatTraffic
from cloudjar.planes.network.ruleset import NftChain, Ruleset, render
from cloudjar.planes.network.site import either, mac

TABLE = "cloudjar"
_ROUTER = (
    ("net/ipv4/ip_forward", "1"),
    ("net/ipv4/conf/all/rp_filter", "0"),
    ("net/ipv4/conf/default/rp_filter", "0"),
    ("net/ipv4/conf/all/accept_redirects", "0"),
    ("net/ipv4/conf/default/accept_redirects", "0"),
    ("net/ipv4/conf/all/send_redirects", "0"),
    ("net/ipv4/conf/default/send_redirects", "0"),
)
_ROUTER6 = (
    ("net/ipv6/conf/all/forwarding", "1"),
    ("net/ipv6/conf/default/addr_gen_mode", "1"),
    ("net/ipv6/conf/default/accept_ra", "0"),
    ("net/ipv6/conf/default/accept_dad", "0"),
)
_IDLE = "350"
"""Seconds after which a NAT gateway forgets an idle connection."""
_LOCAL_TABLE = 100
_LOCAL_PREFERENCE = 100
_LAST = 4_000_000_000


def router() -> None:
    """Make this namespace forward; must come before its links."""
    with suppress(FileNotFoundError):
        for key, value in (*_ROUTER, *_ROUTER6):
            Path("/proc/sys", key).write_text(value)
    with Netlink() as kernel:
        loopback = kernel.link("lo")
        if loopback and not loopback.up:
            kernel.set_link(loopback.index, up=True)


def translation(own: tuple[str, ...], born: str = "now") -> str:
    """A NAT gateway's packet filter: what comes from behind leaves as one of `own`, what nobody asked for ends; pure.
    """
    return meters.counting(TABLE, born, ("out", "back"), (
        # Connections are told, and forgotten, as IPv4 alone.
        NftChain("six", ("meta nfproto ipv6 notrack",), "type filter hook prerouting priority raw; policy accept;"),
        NftChain("inward", ("drop",), "type filter hook input priority filter; policy drop;"),
        NftChain("through", (
            "ct state invalid drop",
            f'iifname "{sixfour.DEVICE}" meta nfproto ipv6 accept',
            f'oifname "{sixfour.DEVICE}" ip6 daddr {sixfour.PREFIX} accept',
            f'oifname "{sixfour.DEVICE}" ct direction original drop',
            "meta nfproto != ipv4 drop",
            "ct direction original counter name out accept",
            "ct direction reply counter name back accept",
        ), "type filter hook forward priority filter; policy drop;"),
        NftChain("leaving", (_turns(own),), "type nat hook postrouting priority srcnat; policy accept;"),
    ))


def _turns(own: tuple[str, ...]) -> str:
    """New connections get the addresses in turn."""
    if len(own) == 1:
        return f"snat ip to {own[0]}"
    return f"snat ip to numgen inc mod {len(own)} map {{ {', '.join(f'{i} : {a}' for i, a in enumerate(own))} }}"


def retranslate(own: tuple[str, ...]) -> None:
    """Give a NAT gateway, whose namespace this is, other addresses for new connections; open ones and counters stay."""
    nft.transaction(f"flush chain inet {TABLE} leaving\nadd rule inet {TABLE} leaving {_turns(own)}\n")


def translate(link: Link) -> None:
    """Make this namespace a NAT gateway."""
    router()
    for key in ("rp_filter", "accept_redirects", "send_redirects"):  # the link came before `router`
        Path("/proc/sys/net/ipv4/conf", link.device, key).write_text("0")
    nft.transaction(translation(link.translates, meters.birth()))
    for key in ("tcp_timeout_established", "udp_timeout_stream"):
        Path("/proc/sys/net/netfilter", f"nf_conntrack_{key}").write_text(_IDLE)


def translate6(link: Link) -> None:
    """Make this namespace, a NAT gateway's, translate IPv6 too, or no more. The program ends with its device."""
    with Netlink() as kernel:
        if not link.sixfour:
            kernel.delete_link(sixfour.DEVICE)
            return
        if kernel.link(sixfour.DEVICE) is None:
            run([*programs.confined("nat64"), sys.executable, "-I", "-S", nat64.__file__, sixfour.DEVICE, link.device,
                 str(sixfour.MTU)], what=f"the translation of {link.guest}", timeout=30)
        device, outer = kernel.link(sixfour.DEVICE), kernel.link(link.device)
        if device is None or outer is None:
            raise OSError(f"{link.guest} lost its devices while it was being made")
        for name in (sixfour.DEVICE, link.device):
            for key, value in (("disable_ipv6", "0"), ("accept_ra", "0")):
                Path("/proc/sys/net/ipv6/conf", name, key).write_text(value)
        Path("/proc/sys/net/ipv4/conf", sixfour.DEVICE, "rp_filter").write_text("0")
        kernel.set_link(device.index, up=True)
        # What it says itself (a packet was too big) needs an address to come from.
        kernel.add_address(device.index, f"{sixfour.spelled(link.translates[0])}/128")
        kernel.set_route(MAIN_TABLE, str(sixfour.PREFIX), device=device.index)
        kernel.set_route(MAIN_TABLE, sixfour.HELD, device=device.index)
        kernel.set_neighbour(outer.index, FABRIC6, mac("fabric", link.interface))
        kernel.set_route(MAIN_TABLE, "::/0", device=outer.index, via=FABRIC6, metric=1)


def translated() -> NatTraffic:
    """What this namespace, a NAT gateway's, has carried."""
    done = subprocess.run([nft.program(), "-j", "list", "counters", "table", "inet", TABLE], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        return NatTraffic()
    found = {c["counter"]["name"]: c["counter"] for c in json.loads(done.stdout)["nftables"] if "counter" in c}
    out, back = found["out"], found["back"]
    return NatTraffic(packets_out=out["packets"], bytes_out=out["bytes"], packets_in=back["packets"],
                      bytes_in=back["bytes"],
                      connections=int(Path("/proc/sys/net/netfilter/nf_conntrack_count").read_text()))


def furnish_far_end(tunnel: Tunnel) -> None:
    """Put a tunnel's far end up: the VPC is found through it, and what is an endpoint answers for every address."""
    with Netlink() as kernel:
        device = kernel.link(tunnel.device)
        if device is None:
            raise OSError(f"{tunnel.hub} lost its {tunnel.device} while it was being made")
        kernel.set_link(device.index, up=True, alias=tunnel.way)
        for via in VPC_VIA.values():
            with _six(via):
                kernel.set_neighbour(device.index, via, tunnel.mac)
        if tunnel.kind == "endpoint":
            _answer_everything(kernel, tunnel)
        elif tunnel.kind == "peering":
            for cidr in tunnel.cidrs:
                kernel.set_route(MAIN_TABLE, cidr, device=device.index, via=VPC_VIA[either(cidr).version])


def _answer_everything(kernel: Netlink, tunnel: Tunnel) -> None:
    """A gateway endpoint has no address of its own: all that is routed to it is its to answer."""
    loopback, device = kernel.link("lo"), kernel.link(tunnel.device)
    if loopback is None or device is None:
        raise OSError(f"{tunnel.hub} lost its {tunnel.device} while it was being made")
    kernel.set_link(loopback.index, up=True)
    for where in ("all", tunnel.device):  # the way back is another table's
        Path("/proc/sys/net/ipv4/conf", where, "rp_filter").write_text("0")
    nft.transaction(render(Ruleset(TABLE, (), (
        NftChain("answering", (f'iifname "{tunnel.device}" meta mark set {_LOCAL_TABLE}',),
                 "type filter hook prerouting priority mangle; policy accept;"),))))
    kernel.add_rule(_LOCAL_PREFERENCE, _LOCAL_TABLE, mark=_LOCAL_TABLE)
    kernel.set_local(_LOCAL_TABLE, "0.0.0.0/0", loopback.index)
    kernel.set_route(MAIN_TABLE, "0.0.0.0/0", device=device.index, via=VPC_VIA[4])


def blackholes(kernel: Netlink) -> None:
    """What this namespace has no route for ends without a word."""
    for target in ("0.0.0.0/0", "::/0"):
        with _six(target):
            kernel.set_route(MAIN_TABLE, target, metric=_LAST)


def _six(address: str) -> AbstractContextManager[None]:
    """A kernel without IPv6 refuses its addresses: nobody can miss them there."""
    return suppress(OSError) if ":" in address else nullcontext()
