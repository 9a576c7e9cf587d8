"""A VPC with room for clusters, and how tests speak of them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from cloudjar.base.caller import service
from cloudjar.kit import names
from cloudjar.kit.context import Ctx
from cloudjar.kit.faults import breaker
from cloudjar.services.rds import life
from cloudjar.services.rds.records import DbInstance
from tests.jar import ACCOUNT, TestJar
from tests.services.rds.site import PASSWORD, Site


class ClusterSite(Site):
    """A third zone, and a subnet group of all three."""

    def __init__(self, jar: TestJar) -> None:
        super().__init__(jar)
        self.subnets.append(self._subnet(2, "c"))
        self.rds.create_db_subnet_group(
            DBSubnetGroupName="three", DBSubnetGroupDescription="three zones", SubnetIds=self.subnets
        )

    def create_cluster(self, name: str = "fleet", **more: Any) -> dict[str, Any]:
        """A new Multi-AZ cluster as it is answered; a member that is None is left out."""
        asked = {
            "DBClusterIdentifier": name,
            "Engine": "postgres",
            "DBClusterInstanceClass": "db.m6gd.large",
            "AllocatedStorage": 100,
            "Iops": 1000,
            "MasterUsername": "boss",
            "MasterUserPassword": PASSWORD,
            "DBSubnetGroupName": "three",
            **more,
        }
        made = self.rds.create_db_cluster(**{member: value for member, value in asked.items() if value is not None})
        found: dict[str, Any] = made["DBCluster"]
        return found

    def available_cluster(self, name: str = "fleet", **more: Any) -> dict[str, Any]:
        """A new cluster that is available."""
        self.create_cluster(name, **more)
        self.jar.settle()
        shown = self.cluster(name)
        assert shown["Status"] == "available"
        return shown

    def cluster(self, name: str = "fleet") -> dict[str, Any]:
        """A cluster as it is now."""
        found: dict[str, Any] = self.rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
        return found

    def roles(self, name: str = "fleet") -> dict[str, bool]:
        """The members, and whether each is the writer."""
        shown = self.cluster(name)["DBClusterMembers"]
        return {one["DBInstanceIdentifier"]: one["IsClusterWriter"] for one in shown}

    def writer(self, name: str = "fleet") -> str:
        """Its only writer."""
        (found,) = (one for one, writes in self.roles(name).items() if writes)
        return found

    def machines(self) -> dict[str, str]:
        """What the host has, by machine."""
        return {name: seen for name, seen in self.jar.host.machines().items() if name.startswith("db-")}

    def _member(self, name: str) -> DbInstance:
        every = Ctx(self.jar.jar.world, "", "", service("cloudjar.internal", "")).db.everywhere(DbInstance)
        return next(one for one in every if one.id == name)

    def machine_of(self, name: str) -> str:
        """A member's machine."""
        return self._member(name).machine

    def address(self, name: str) -> str:
        """A member's private address."""
        named = [{"Name": "network-interface-id", "Values": [self._member(name).interface_id]}]
        (found,) = self.ec2.describe_network_interfaces(Filters=named)["NetworkInterfaces"]
        return str(found["PrivateIpAddress"])

    def rates(self) -> dict[str, Decimal]:
        """What of RDS is metered now, in units per hour."""
        now = self.jar.clock.now()
        spans = self.jar.jar.usage.spans(now - timedelta(days=3650), now + timedelta(seconds=1), ACCOUNT)
        mine = [one for one in spans if one.end is None and one.meter.service == "AmazonRDS"]
        return {one.meter.usage_type: one.meter.rate for one in mine}

    def resolve(self, name: str) -> tuple[str, ...]:
        """What a name means inside the VPC."""
        return names.addresses(self.jar.jar.world, self.vpc, name) or ()

    def dark(self, zone: str) -> str:
        """A zone without power; the fault's id."""
        world = self.jar.jar.world
        return str(breaker(world).begin(world, "zone", zone, 0)["id"])

    def lose(self, name: str) -> None:
        """A member's machine is gone, and the host says so."""
        machine = self.machine_of(name)
        self.jar.host.stop(machine, force=True)
        life.went_down(self.jar.jar.world, machine)
        self.jar.settle()
