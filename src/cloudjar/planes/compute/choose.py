"""From a driver's name to the driver."""

from __future__ import annotations

from pathlib import Path

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.port import ComputePort


def compute(driver: str, tag: str, state_dir: Path) -> ComputePort:
    """The driver called ``sim``; by ``container`` and ``vm`` both, with that one for machines that name none."""
    if driver == "sim":
        from cloudjar.planes.compute.sim import SimCompute

        return SimCompute()
    if driver in ("container", "vm"):
        from cloudjar.planes.compute.mixed import MixedCompute

        return MixedCompute(tag, state_dir, default=driver)
    raise PlaneError(f"there is no compute driver {driver!r}: sim, container, vm")
