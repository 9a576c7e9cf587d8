"""From the compute plane to the engines inside its machines."""

from __future__ import annotations

from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.database.port import DatabasePort


def databases(compute: ComputePort) -> DatabasePort:
    """Real engines in real machines, simulated ones in simulated."""
    if isinstance(compute, ContainerCompute):
        from cloudjar.planes.database.guests import GuestDatabases

        return GuestDatabases(compute)
    from cloudjar.planes.database.sim import SimDatabases

    return SimDatabases(compute)
