"""A Multi-AZ DB cluster with a backend, and who writes to it whatever happens."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from cloudjar.services.rds.clusters.records import DbCluster
from tests.host.jar.pair import PASSWORD, Pair
from tests.host.jar.served import RealJar, until


class Fleet(Pair):
    """The site of `Pair`, with a group of all three subnets; the database's name is the cluster's."""

    def __init__(self, jar: RealJar) -> None:
        super().__init__(jar)
        self.rds.create_db_subnet_group(
            DBSubnetGroupName="three", DBSubnetGroupDescription="three", SubnetIds=self.subnets
        )

    def create(self, name: str = "shop", **more: Any) -> None:
        """A small cluster, available; the backend is up by then."""
        asked = {
            "DBClusterIdentifier": name, "DBClusterInstanceClass": "db.c6gd.medium", "Engine": "postgres",
            "EngineVersion": "15", "MasterUsername": "boss", "MasterUserPassword": PASSWORD, "AllocatedStorage": 20,
            "StorageType": "gp3", "DBSubnetGroupName": "three", "VpcSecurityGroupIds": [self.group],
            "PubliclyAccessible": False, "DatabaseName": "store",
        }  # fmt: skip
        self.rds.create_db_cluster(**{**asked, **more})
        until(lambda: self.cluster(name)["Status"] == "available", f"{name} to be available", 400, 0.2)
        until(lambda: self.jar.compute.look(self.backend) == "up", "the backend to be up", 120)

    def cluster(self, name: str = "shop") -> dict[str, Any]:
        found: dict[str, Any] = self.rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
        return found

    def writer(self, name: str = "shop") -> str:
        """The identifier of the only writer."""
        (found,) = (m["DBInstanceIdentifier"] for m in self.cluster(name)["DBClusterMembers"] if m["IsClusterWriter"])
        return str(found)

    def endpoint(self, name: str = "shop") -> str:
        """``shop`` is the cluster, ``shop-readers`` its readers' name, all others are instances."""
        if not self._domain:
            self._domain = self.cluster()["Endpoint"].partition(".cluster-")[2]
        if name == "shop":
            return f"shop.cluster-{self._domain}"
        return f"shop.cluster-ro-{self._domain}" if name == "shop-readers" else f"{name}.{self._domain}"

    def failover(self, target: str = "") -> None:
        """By force, as soon as that can be; the writer is another one then."""
        before, named = self.writer(), {"TargetDBInstanceIdentifier": target} if target else {}

        def done() -> bool:
            if self.writer() == target or (not target and self.writer() != before):
                return True
            try:
                self.rds.failover_db_cluster(DBClusterIdentifier="shop", **named)
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("InvalidDBClusterStateFault", "InvalidDBInstanceState"):
                    raise
            return False

        until(done, "another writer", 180, 0.5)

    def guarded(self) -> None:
        """Both readers are waited for, and either could take over."""
        until(lambda: self.guards() == [2], "both readers to be waited for", 180, 0.2)

    def guards(self) -> list[int]:
        """How many readers are waited for of each cluster, and could take over, as the store has it: AWS tells nobody.
        -1 where these are not the same."""
        with closing(sqlite3.connect(f"file:{self.jar.home / 'cloudjar.db'}?mode=ro", uri=True)) as store:
            rows = [bytes(row[0]) for row in store.execute('SELECT data FROM "rds/cluster"')]
        found = [msgspec.msgpack.decode(row, type=DbCluster) for row in rows]
        return [len(one.safe) if one.safe == one.waits else -1 for one in found]

    def moved(self, before: str, why: str) -> None:
        """Another one is the writer, and the cluster says that it is whole."""
        until(lambda: self.writer() != before, f"another writer ({why})", 120, 0.1)
        until(lambda: self.cluster()["Status"] == "available", "the cluster to be available", 180, 0.2)
