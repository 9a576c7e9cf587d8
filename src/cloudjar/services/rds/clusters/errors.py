"""Answers about clusters that AWS words precisely."""

from __future__ import annotations

from cloudjar.base.errors import AwsError
from cloudjar.services.rds.clusters.records import DbCluster


def state(message: str) -> AwsError:
    """A cluster is in a state in which this cannot be done."""
    return AwsError("InvalidDBClusterStateFault", message)


def expected(cluster: DbCluster, *states: str) -> AwsError:
    """It would have to be in another state."""
    wanted = ",".join(states)
    return state(f"DbCluster {cluster.id} is in {cluster.state} state but expected it to be one of {wanted}.")
