"""Aurora on the real host: the data are the cluster's, whoever of its members is lost, deleted or made anew."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.fleet import Fleet
from tests.host.jar.pair import PASSWORD, RUIN, Writer
from tests.host.jar.served import real_jar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]
ENGINE = "aurora-postgresql"


class Sea(Fleet):
    """A cluster ``shop`` whose members come and go one by one."""

    def create(self, name: str = "shop", **more: Any) -> None:
        """The cluster without members; the backend is up by then."""
        asked = {
            "DBClusterIdentifier": name, "Engine": ENGINE, "EngineVersion": "15", "MasterUsername": "boss",
            "MasterUserPassword": PASSWORD, "DBSubnetGroupName": "three", "VpcSecurityGroupIds": [self.group],
            "DatabaseName": "store",
        }  # fmt: skip
        self.rds.create_db_cluster(**{**asked, **more})
        until(lambda: self.cluster(name)["Status"] == "available", f"{name} to be available", 60, 0.2)
        until(lambda: self.jar.compute.look(self.backend) == "up", "the backend to be up", 120)

    def join(self, *names: str, cluster: str = "shop") -> None:
        """New members, available."""
        for name in names:
            self.rds.create_db_instance(
                DBInstanceIdentifier=name, DBClusterIdentifier=cluster, DBInstanceClass="db.t3.medium", Engine=ENGINE,
                PubliclyAccessible=False,
            )  # fmt: skip
        for name in names:
            self.reach(name, "available")

    def leave(self, *names: str) -> None:
        """Members are deleted, and gone."""
        for name in names:
            self.rds.delete_db_instance(DBInstanceIdentifier=name)
        for name in names:
            until(lambda name=name: name not in self.members(), f"{name} to be gone", 180, 0.2)  # type: ignore[misc]  # mypy cannot type a lambda's default

    def members(self) -> list[str]:
        """Of all clusters."""
        return [one["DBInstanceIdentifier"] for one in self.rds.describe_db_instances()["DBInstances"]]

    def safe(self) -> None:
        """The one reader is waited for, and could take over."""
        until(lambda: self.guards() == [1], "the reader to be waited for", 180, 0.2)


@pytest.fixture(scope="module")
def sea() -> Iterator[Sea]:
    """One jar with one cluster of a writer and a reader for the tests of this file."""
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar() as jar:
        made = Sea(jar)
        made.create()
        made.join("shop-a", "shop-b")
        yield made


def test_a_reader_sees_what_is_written_and_writes_nothing(sea: Sea) -> None:
    sea.answer("CREATE TABLE seen (n int); INSERT INTO seen VALUES (1)")
    until(lambda: sea.said("SELECT n FROM seen", "shop-readers") == (0, "1"), "the row to be at the reader", 60)
    assert "read-only transaction" in sea.said("INSERT INTO seen VALUES (2)", "shop-readers")[1]
    assert sea.answer("SELECT inet_server_addr()", "shop-b") == sea.answer("SELECT inet_server_addr()", "shop-readers")


def test_nothing_is_lost_when_the_writer_is_replaced_though_the_server_dies(sea: Sea) -> None:
    with Writer(sea) as writer:
        for n in range(2):
            sea.safe()
            before = sea.writer()
            sea.rds.failover_db_cluster(DBClusterIdentifier="shop")
            if n % 2:
                threading.Event().wait(0.4)
                sea.jar.kill()
                sea.jar.start()
            sea.moved(before, f"failover {n}")
            writer.more(10)
        sea.safe()
        before = sea.writer()
        sea.jar.inside(sea.primary(), RUIN)
        sea.moved(before, "its engine is ruined")
        writer.more(20)
    assert writer.missing() == set()


def test_data_outlive_every_member(sea: Sea) -> None:
    sea.safe()
    with Writer(sea) as writer:
        before = sea.writer()
        sea.leave(before)  # the reader takes over first
        sea.moved(before, "it is deleted")
        writer.more(20)
    assert writer.missing() == set()
    sea.leave(sea.writer())
    assert sea.machines() == []
    sea.rds.create_db_cluster_snapshot(DBClusterIdentifier="shop", DBClusterSnapshotIdentifier="empty")
    until(lambda: sea.cluster()["Status"] == "available", "the snapshot to be taken", 120, 0.2)
    sea.join("shop-c")
    assert writer.missing() == set()
    sea.join("shop-d")
    assert sea.answer("SELECT count(*) FROM ledger", "shop-d") == sea.answer("SELECT count(*) FROM ledger")


def test_a_cluster_of_a_snapshot_has_what_it_held(sea: Sea) -> None:
    sea.rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="copy", SnapshotIdentifier="empty", Engine=ENGINE, DBSubnetGroupName="three",
        VpcSecurityGroupIds=[sea.group],
    )  # fmt: skip
    sea.join("copy-a", cluster="copy")
    assert sea.answer("SELECT n FROM seen", "copy-a") == "1"
    sea.leave("copy-a")
    sea.rds.delete_db_cluster(DBClusterIdentifier="copy", SkipFinalSnapshot=True)
    until(lambda: len(sea.rds.describe_db_clusters()["DBClusters"]) == 1, "the copy to be gone", 60, 0.2)
