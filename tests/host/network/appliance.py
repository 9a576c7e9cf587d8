"""A router in a guest at the far end of a tunnel: GRE by the product's own program, BGP by BIRD."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path

from cloudjar.planes.compute.process import need_tool
from cloudjar.planes.network import gre, namespaces, programs
from cloudjar.planes.proxy.processes import end

DEVICE = "gre1"


class Appliance:
    """In the network namespace of a guest whose address is `own`. It tells the blocks of `tells` (of both families
    where `inside6` is the tunnel's) and has the first address of each."""

    def __init__(
        self, namespace: str, folder: Path, *, own: str, gateway: str, inside: str, asn: int, gateway_asn: int,
        tells: tuple[str, ...], inside6: str = "",
    ) -> None:
        self.namespace, self.folder = namespace, folder
        self.own, self.gateway, self.asn, self.gateway_asn = own, gateway, asn, gateway_asn
        self.inside = [ip_network(text) for text in (inside, inside6) if text]
        self.tells = tells
        folder.mkdir(parents=True)

    def start(self) -> None:
        """Put up the tunnel and speak."""
        self._ip("tuntap", "add", "dev", DEVICE, "mode", "tun")
        for inside in self.inside:
            self._ip("addr", "add", f"{inside[1]}/{inside.prefixlen}", "dev", DEVICE)
        self._ip("link", "set", DEVICE, "mtu", "8000", "up")
        for block in self.tells:
            self._ip("addr", "add", str(ip_network(block)[1]), "dev", "lo")
        (self.folder / "tunnels").write_text(f"{DEVICE} {self.own} {self.gateway} 0\n")
        self._run(sys.executable, "-I", "-S", gre.__file__, str(self.folder / "tunnels"))
        self.speak()

    def speak(self) -> None:
        """Start the BGP speaker."""
        told, channels = "", ""
        for inside in self.inside:
            family = f"ipv{inside.version}"
            rows = "".join(f"route {b} blackhole; " for b in self.tells if ip_network(b).version == inside.version)
            told += f"protocol static {{ {family}; {rows}}}\n"
            told += f"protocol kernel {{ {family} {{ export where source = RTS_BGP; }}; }}\n"
            channels += (f" {family} {{ import all; export where source = RTS_STATIC;"
                         f" next hop address {inside[1]}; }};")
        block = self.inside[0]
        sessions = "".join(
            f"protocol bgp s{n} {{ local {block[1]} as {self.asn}; neighbor {block[2 + n]} as {self.gateway_asn};"
            f" multihop 2; connect delay time 1; connect retry time 2; error wait time 1, 2;{channels} }}\n"
            for n in (0, 1))
        (self.folder / "bird.conf").write_text(
            f"router id {self.own};\nprotocol device {{}}\nprotocol direct {{ ipv4; ipv6; interface \"{DEVICE}\"; }}\n"
            f"{told}{sessions}")
        self._run("sh", "-c", 'cd "$0" && exec "$@"', str(self.folder), need_tool("bird", "bird2"),
                  "-c", str(self.folder / "bird.conf"), "-s", "ctl", "-P", "pid")

    def silence(self) -> None:
        """End its BGP speaker, as if it had crashed."""
        end(programs.of(self.folder / "bird.conf"))

    def close(self) -> None:
        """End both programs."""
        end(programs.below(self.folder))

    def routes(self) -> str:
        """The kernel's routes that the speaker has learned."""
        done = subprocess.run(["ip", "-n", self.namespace, "route", "show", "proto", "bird"], capture_output=True,
                              text=True, check=True)
        return done.stdout

    def _ip(self, *words: str) -> None:
        subprocess.run(["ip", "-n", self.namespace, *words], check=True, capture_output=True)

    def _run(self, *argv: str) -> None:
        with suppress(FileNotFoundError):
            (self.folder / "ctl").unlink()
        namespaces.inside(self.namespace, lambda: subprocess.run(argv, check=True, capture_output=True, timeout=60))
