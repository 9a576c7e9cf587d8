"""Which planes a jar has, by its settings: the host's, or simulated ones."""

from __future__ import annotations

from pathlib import Path

from cloudjar.base.settings import Settings
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.proxy.port import ProxyPort


def planes_of(settings: Settings) -> str:
    """``linux`` or ``sim``, with ``auto`` resolved."""
    if settings.planes != "auto":
        return settings.planes
    from cloudjar.planes.host import can_drive

    return "linux" if can_drive() else "sim"


def authority_of(settings: Settings) -> Path:
    """The certificate of the installation's authority, which guests believe; there once the jar listens."""
    return settings.home / "tls" / "ca.pem"


def compute(settings: Settings) -> ComputePort:
    """Where instances run."""
    if planes_of(settings) == "sim":
        from cloudjar.planes.compute.sim import SimCompute

        return SimCompute()
    from cloudjar.planes.compute.mixed import MixedCompute

    state, authority = settings.home / "compute", authority_of(settings)
    return MixedCompute(settings.tag, state, default=settings.compute, authority=authority)


def proxy(settings: Settings) -> ProxyPort:
    """What load balancers' nodes are."""
    if planes_of(settings) == "sim":
        from cloudjar.planes.proxy.sim import SimProxy

        return SimProxy()
    from cloudjar.planes.proxy.haproxy import HaproxyNodes

    return HaproxyNodes(settings.home / "proxy")
