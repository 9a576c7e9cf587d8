"""Clusters with storage of their own, and how tests speak of them."""

from __future__ import annotations

from typing import Any

from cloudjar.planes.database.figures import Figures
from tests.services.rds.cluster_site import ClusterSite
from tests.services.rds.site import PASSWORD

ENGINE = "aurora-postgresql"
SEA = {"DBClusterIdentifier": "sea"}


class AuroraSite(ClusterSite):
    """A cluster ``sea``, and members by name."""

    def cluster(self, name: str = "sea") -> dict[str, Any]:
        """A cluster as it is now."""
        return super().cluster(name)

    def writer(self, name: str = "sea") -> str:
        """Its only writer."""
        return super().writer(name)

    def roles(self, name: str = "sea") -> dict[str, bool]:
        """The members, and whether each is the writer."""
        return super().roles(name)

    def make(self, name: str = "sea", **more: Any) -> dict[str, Any]:
        """A new cluster as it is answered; a member that is None is left out."""
        asked = {
            "DBClusterIdentifier": name, "Engine": ENGINE, "MasterUsername": "boss", "MasterUserPassword": PASSWORD,
            "DBSubnetGroupName": "three", **more,
        }  # fmt: skip
        made = self.rds.create_db_cluster(**{member: value for member, value in asked.items() if value is not None})
        found: dict[str, Any] = made["DBCluster"]
        return found

    def join(self, name: str, **more: Any) -> dict[str, Any]:
        """A new member as it is answered."""
        asked = {
            "DBInstanceIdentifier": name, "DBInstanceClass": "db.t3.medium", "Engine": ENGINE,
            "DBClusterIdentifier": "sea", **more,
        }  # fmt: skip
        found: dict[str, Any] = self.rds.create_db_instance(**asked)["DBInstance"]
        return found

    def sea(self, *names: str, **more: Any) -> dict[str, Any]:
        """A cluster with these members, all available; the first is the writer."""
        self.make(**more)
        for name in names:
            self.join(name)
        self.jar.settle()
        assert [self.show(name)["DBInstanceStatus"] for name in names] == ["available"] * len(names)
        return self.cluster()

    def leave(self, *names: str) -> None:
        """Members are deleted, and gone."""
        for name in names:
            self.rds.delete_db_instance(DBInstanceIdentifier=name)
        self.jar.settle()

    def volume_of(self, name: str) -> str:
        """A member's volume."""
        return self._member(name).volume

    def volumes(self) -> set[str]:
        """What the host has of databases."""
        return {name for name in self.jar.host.host.volumes if name.startswith("dbvol-")}

    def write(self, name: str, what: str) -> None:
        """Data on a member's volume."""
        self.jar.host.host.volumes[self.volume_of(name)].blocks["0"] = what

    def read(self, name: str) -> str | None:
        """What is there."""
        return self.jar.host.host.volumes[self.volume_of(name)].blocks.get("0")

    def filled(self, name: str, free: float) -> None:
        """So many GiB of a member's volume are free; a minute passes. Only in a life that remembers."""
        machine = self.machine_of(name)
        self.jar.jar.world.ports["database figures"].says[machine] = Figures(free=free * (1 << 30))
        self.jar.host.drive(machine, cpus=0.1)
        self.jar.settle()
