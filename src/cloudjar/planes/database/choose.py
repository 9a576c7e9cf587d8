"""From the compute plane to the engines inside its machines."""

from __future__ import annotations

from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.database.following import FollowingPort
from cloudjar.planes.database.port import DatabasePort


def following(compute: ComputePort) -> FollowingPort:
    """Likewise, for who follows whom."""
    if isinstance(compute, ContainerCompute):
        from cloudjar.planes.database.following import GuestFollowing

        return GuestFollowing(compute)
    from cloudjar.planes.database.sim_following import SimFollowing

    return SimFollowing(compute)


def databases(compute: ComputePort) -> DatabasePort:
    """Real engines in real machines, simulated ones in simulated."""
    if isinstance(compute, ContainerCompute):
        from cloudjar.planes.database.guests import GuestDatabases

        return GuestDatabases(compute)
    from cloudjar.planes.database.sim import SimDatabases

    return SimDatabases(compute)
