"""From a driver's name to the driver."""

from __future__ import annotations

from pathlib import Path

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.port import ComputePort


def compute(driver: str, tag: str, state_dir: Path) -> ComputePort:
    """The driver called ``sim``, ``container`` or ``vm``; `vm` is not built and says so with `PlaneError`."""
    if driver == "sim":
        from cloudjar.planes.compute.sim import SimCompute

        return SimCompute()
    if driver == "container":
        from cloudjar.planes.compute.container import ContainerCompute

        return ContainerCompute(tag, state_dir)
    if driver == "vm":
        raise PlaneError("the vm driver is not built yet. Try: the container driver, or sim on a host without root")
    raise PlaneError(f"there is no compute driver {driver!r}: sim, container")
