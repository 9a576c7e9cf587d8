"""Blue/green deployments: what there is of both environments, what may be done when, who is called what after it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cloudjar.base.caller import root
from cloudjar.kit.context import Ctx
from cloudjar.services.rds import least
from cloudjar.services.rds.records import DbInstance
from tests.jar import ACCOUNT, TestJar
from tests.services.rds.site import Site, refused

STATE = "InvalidBlueGreenDeploymentStateFault"


@pytest.fixture
def site(jar: TestJar) -> Site:
    made = Site(jar)
    made.available()
    return made


def begin(site: Site, name: str = "better", source: str = "shop", **more: Any) -> dict[str, Any]:
    """A deployment as it is answered."""
    asked = {"BlueGreenDeploymentName": name, "Source": site.show(source)["DBInstanceArn"], **more}
    made: dict[str, Any] = site.rds.create_blue_green_deployment(**asked)["BlueGreenDeployment"]
    return made


def ready(site: Site, **more: Any) -> dict[str, Any]:
    """A deployment whose environments are there."""
    made = begin(site, **more)
    site.jar.settle()
    return look(site, made)


def look(site: Site, item: dict[str, Any]) -> dict[str, Any]:
    """A deployment as it is now."""
    name = item["BlueGreenDeploymentIdentifier"]
    (found,) = site.rds.describe_blue_green_deployments(BlueGreenDeploymentIdentifier=name)["BlueGreenDeployments"]
    return dict(found)


def switch(site: Site, item: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A deployment after its switchover."""
    name = item["BlueGreenDeploymentIdentifier"]
    site.rds.switchover_blue_green_deployment(BlueGreenDeploymentIdentifier=name, **more)
    site.jar.settle()
    return look(site, item)


def delete(site: Site, item: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A deployment as it goes."""
    name = item["BlueGreenDeploymentIdentifier"]
    gone = site.rds.delete_blue_green_deployment(BlueGreenDeploymentIdentifier=name, **more)
    return dict(gone["BlueGreenDeployment"])


def green(item: dict[str, Any]) -> str:
    return str(item["Target"].rpartition(":")[2])


def tasks(item: dict[str, Any]) -> dict[str, str]:
    return {task["Name"]: task["Status"] for task in item["Tasks"]}


def names(site: Site) -> list[str]:
    return [db["DBInstanceIdentifier"] for db in site.rds.describe_db_instances()["DBInstances"]]


def test_a_green_environment_follows_the_blue_one(site: Site) -> None:
    made = begin(site, TargetDBInstanceClass="db.t3.small", Tags=[{"Key": "why", "Value": "size"}])
    assert made["BlueGreenDeploymentIdentifier"].startswith("bgd-")
    assert (made["Status"], set(tasks(made).values())) == ("PROVISIONING", {"PENDING"})
    site.jar.settle()
    item = look(site, made)
    assert (item["Status"], item["BlueGreenDeploymentName"]) == ("AVAILABLE", "better")
    assert tasks(item) == {
        "CREATING_READ_REPLICA_OF_SOURCE": "COMPLETED", "CONFIGURE_BACKUPS": "COMPLETED",
        "CREATING_TOPOLOGY_OF_SOURCE": "COMPLETED",
    }  # fmt: skip
    blue, shown = site.show(), site.show(green(item))
    assert item["Source"] == blue["DBInstanceArn"]
    assert item["SwitchoverDetails"] == [
        {"SourceMember": item["Source"], "TargetMember": item["Target"], "Status": "AVAILABLE"}
    ]
    assert item["TagList"] == [{"Key": "why", "Value": "size"}]
    assert shown["DBInstanceIdentifier"].startswith("shop-green-")
    assert (shown["DBInstanceStatus"], shown["ReadReplicaSourceDBInstanceIdentifier"]) == ("available", "shop")
    assert (blue["DBInstanceClass"], shown["DBInstanceClass"]) == ("db.t3.micro", "db.t3.small")
    for member in ("AvailabilityZone", "BackupRetentionPeriod", "PreferredBackupWindow", "EngineVersion"):
        assert shown[member] == blue[member]
    assert "switch over the deployment" in site.said("blue-green-deployment")[-1]


def test_the_green_one_has_the_name_after_the_switchover(site: Site) -> None:
    item = ready(site, TargetDBInstanceClass="db.t3.small")
    before, endpoint = site.show(green(item))["DbiResourceId"], site.show()["Endpoint"]["Address"]
    name = item["BlueGreenDeploymentIdentifier"]
    asked = site.rds.switchover_blue_green_deployment(BlueGreenDeploymentIdentifier=name.upper(), SwitchoverTimeout=60)
    assert asked["BlueGreenDeployment"]["Status"] == "SWITCHOVER_IN_PROGRESS"
    site.jar.settle()
    item, shown = look(site, item), site.show()
    assert (item["Status"], item["SwitchoverDetails"][0]["Status"]) == ("SWITCHOVER_COMPLETED", "SWITCHOVER_COMPLETED")
    assert names(site) == ["shop", "shop-old1"]
    assert (item["Source"], item["Target"]) == (site.show("shop-old1")["DBInstanceArn"], shown["DBInstanceArn"])
    assert (shown["DbiResourceId"], shown["DBInstanceClass"]) == (before, "db.t3.small")
    assert (shown["DBInstanceStatus"], shown["Endpoint"]["Address"]) == ("available", endpoint)
    assert "ReadReplicaSourceDBInstanceIdentifier" not in shown
    assert site.show("shop-old1")["Endpoint"]["Address"].startswith("shop-old1.")
    assert site.said("blue-green-deployment")[-1] == "Switchover completed on blue/green deployment."
    found = site.rds.describe_db_snapshots(DBInstanceIdentifier="shop", SnapshotType="automated")["DBSnapshots"]
    assert shown["DbiResourceId"] in {one["DbiResourceId"] for one in found}


def test_who_was_blue_can_be_read_until_the_deployment_is_deleted(steady_jar: TestJar) -> None:
    site = Site(steady_jar)
    site.available()
    item, engines = ready(site), steady_jar.jar.world.ports["databases"].engines
    blue = next(machine for machine in engines if engines[machine].peers.addresses)
    assert not engines[blue].read_only
    switch(site, item)
    assert steady_jar.jar.world.ports["fencing"].closed == [blue]
    assert (engines[blue].closed, engines[blue].read_only) == (False, True)
    (new,) = set(engines) - {blue}
    assert (engines[new].closed, engines[new].read_only) == (False, False)
    delete(site, item)
    steady_jar.settle()
    assert not engines[blue].read_only
    assert names(site) == ["shop", "shop-old1"]
    assert site.rds.describe_blue_green_deployments()["BlueGreenDeployments"] == []


def test_a_smaller_green_one_takes_as_many_connections_as_long_as_it_follows(steady_jar: TestJar) -> None:
    site = Site(steady_jar)
    site.available(DBInstanceClass="db.t3.small")
    item = ready(site, TargetDBInstanceClass="db.t3.micro")
    ctx = Ctx(steady_jar.jar.world, ACCOUNT, "eu-west-3", root(ACCOUNT))
    db = ctx.db[DbInstance].need(green(item))
    ((name, value),) = least.settings(ctx, db, db.running)
    assert (name, int(value)) == ("max_connections", (2 << 30) // 9531392)
    switch(site, item)
    now = ctx.db[DbInstance].need("shop")
    assert least.settings(ctx, now, now.running) == ()


def test_replicas_have_green_ones_and_go_with_the_names(site: Site) -> None:
    site.rds.create_db_instance_read_replica(DBInstanceIdentifier="copy", SourceDBInstanceIdentifier="shop")
    site.jar.settle()
    item = ready(site)
    (second,) = item["SwitchoverDetails"][1:]
    assert second["SourceMember"] == site.show("copy")["DBInstanceArn"]
    follower = second["TargetMember"].rpartition(":")[2]
    assert site.show(follower)["ReadReplicaSourceDBInstanceIdentifier"] == green(item)
    switch(site, item)
    assert names(site) == ["copy", "copy-old1", "shop", "shop-old1"]
    assert site.show("copy")["ReadReplicaSourceDBInstanceIdentifier"] == "shop"
    assert site.show("copy-old1")["ReadReplicaSourceDBInstanceIdentifier"] == "shop-old1"
    assert {site.show(name)["DBInstanceStatus"] for name in names(site)} == {"available"}


def test_a_multi_az_instance_is_followed_by_one(site: Site) -> None:
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", MultiAZ=True, ApplyImmediately=True)
    site.jar.settle()
    switch(site, ready(site))
    assert (site.show()["MultiAZ"], site.show("shop-old1")["MultiAZ"]) == (True, True)
    assert site.show()["DBInstanceStatus"] == "available"


def test_another_major_version_of_mariadb(jar: TestJar) -> None:
    site = Site(jar)
    site.available(Engine="mariadb", EngineVersion="10.11")
    later = next(
        one["EngineVersion"] for one in site.rds.describe_db_engine_versions(Engine="mariadb")["DBEngineVersions"]
        if one["MajorEngineVersion"] == "11.8"
    )  # fmt: skip
    item = ready(site, TargetEngineVersion="11.8")
    assert tasks(item)["DB_ENGINE_VERSION_UPGRADE"] == "COMPLETED"
    switch(site, item)
    shown, old = site.show(), site.show("shop-old1")
    assert (shown["EngineVersion"], old["EngineVersion"][:5]) == (later, "10.11")
    assert shown["DBParameterGroups"][0]["DBParameterGroupName"] == "default.mariadb11.8"
    assert old["DBParameterGroups"][0]["DBParameterGroupName"] == "default.mariadb10.11"


def test_it_is_deleted_with_its_green_environment_or_without(site: Site) -> None:
    item = ready(site)
    gone = delete(site, item, DeleteTarget=True)
    assert (gone["Status"], "DeleteTime" in gone) == ("DELETING", True)
    site.jar.settle()
    assert names(site) == ["shop"]
    with refused("BlueGreenDeploymentNotFoundFault"):
        look(site, item)
    item = ready(site)
    delete(site, item)
    site.jar.settle()
    assert names(site) == ["shop", green(item)]
    assert site.show(green(item))["ReadReplicaSourceDBInstanceIdentifier"] == "shop"
    assert site.said("blue-green-deployment")[-1] == "Blue/green deployment deleted."


def test_what_is_switched_over_keeps_its_green_environment(site: Site) -> None:
    item = switch(site, ready(site))
    with refused(STATE, "SWITCHOVER_COMPLETED"):
        delete(site, item, DeleteTarget=True)
    with refused(STATE, "SWITCHOVER_COMPLETED"):
        switch(site, item)
    site.rds.delete_db_instance(DBInstanceIdentifier="shop-old1", SkipFinalSnapshot=True)
    site.jar.settle()
    assert look(site, item)["Source"].endswith(":db:shop-old1")
    delete(site, item)
    site.jar.settle()
    assert names(site) == ["shop"]
    again = switch(site, ready(site))
    assert again["Source"].endswith(":db:shop-old1")


def test_a_green_environment_that_follows_no_more_is_no_use(site: Site) -> None:
    item = ready(site)
    site.rds.promote_read_replica(DBInstanceIdentifier=green(item))
    site.jar.settle()
    assert look(site, item)["Status"] == "INVALID_CONFIGURATION"
    with refused(STATE, "isn't a replica of shop any more"):
        switch(site, item)


def test_what_cannot_have_a_green_environment(site: Site) -> None:
    begin(site)
    with refused("BlueGreenDeploymentAlreadyExistsFault", "A Blue Green Deployment with the name 'better' already"):
        begin(site)
    site.jar.settle()
    with refused("SourceDatabaseNotSupportedFault", "is in the blue/green deployment better already"):
        begin(site, "other")
    site.available("bare", BackupRetentionPeriod=0)
    with refused("InvalidDBInstanceState", "Automated backups are not enabled"):
        begin(site, "other", "bare")
    site.available("kept", ManageMasterUserPassword=True, MasterUserPassword=None)
    with refused("SourceDatabaseNotSupportedFault", "AWS Secrets Manager"):
        begin(site, "other", "kept")
    site.available("plain")
    arn = site.show("plain")["DBInstanceArn"]
    with refused("DBInstanceNotFound"):
        site.rds.create_blue_green_deployment(BlueGreenDeploymentName="other", Source=arn + "er")
    with refused("InvalidParameterCombination", "Cannot upgrade postgres from"):
        begin(site, "other", "plain", TargetEngineVersion="14")
    with refused("UnsupportedOperation", "logical replication"):
        begin(site, "other", "plain", TargetEngineVersion="17")
    with refused("UnsupportedOperation", "UpgradeTargetStorageConfig"):
        begin(site, "other", "plain", UpgradeTargetStorageConfig=True)
    with refused("InvalidParameterCombination", "is for a source that is a DB cluster"):
        begin(site, "other", "plain", TargetDBClusterParameterGroupName="default.postgres15")


def test_nothing_is_switched_over_while_an_instance_is_busy(site: Site) -> None:
    item = begin(site)
    with refused(STATE, "PROVISIONING"):
        switch(site, item)
    site.jar.settle()
    site.rds.reboot_db_instance(DBInstanceIdentifier="shop")
    with refused(STATE, "DB instance shop is not in available state"):
        switch(site, item)
    site.jar.settle()
    with refused("InvalidParameterValue", "between 30 and 3600"):
        switch(site, item, SwitchoverTimeout=4000)


def machine(site: Site, resource: str) -> str:
    """The only machine of the host, or the other one of the two."""
    (found,) = (name for name in site.jar.host.machines() if name.startswith("db-") and name != resource)
    return found


def test_what_is_not_followed_closely_is_not_switched_over(steady_jar: TestJar) -> None:
    site = Site(steady_jar)
    site.available()
    blue = site.machine()
    item = ready(site)
    follower = machine(site, blue)
    steady_jar.host.stop(follower)
    failed = switch(site, item)
    assert failed["Status"] == "SWITCHOVER_FAILED"
    assert "Replication from shop to shop-green-" in failed["StatusDetails"]
    assert {site.show(name)["DBInstanceStatus"] for name in names(site)} == {"available"}
    assert site.said("blue-green-deployment")[-1].startswith("Switchover canceled on blue/green deployment.")
    site.rds.reboot_db_instance(DBInstanceIdentifier=green(item))
    steady_jar.settle()
    assert switch(site, item)["Status"] == "SWITCHOVER_COMPLETED"


def test_a_switchover_that_takes_too_long_is_given_up(steady_jar: TestJar) -> None:
    site = Site(steady_jar)
    site.available()
    item = ready(site)
    name = item["BlueGreenDeploymentIdentifier"]
    site.rds.switchover_blue_green_deployment(BlueGreenDeploymentIdentifier=name, SwitchoverTimeout=30)
    steady_jar.clock.advance(timedelta(minutes=1))
    steady_jar.settle()
    failed = look(site, item)
    assert (failed["Status"], failed["StatusDetails"]) == (
        "SWITCHOVER_FAILED", "The switchover took longer than 30 seconds."
    )  # fmt: skip
    assert switch(site, item)["Status"] == "SWITCHOVER_COMPLETED"


def test_deployments_are_found_by_filters(site: Site) -> None:
    item = ready(site)
    for name, value in (
        ("blue-green-deployment-identifier", item["BlueGreenDeploymentIdentifier"]),
        ("blue-green-deployment-name", "better"), ("source", item["Source"]), ("target", item["Target"]),
    ):  # fmt: skip
        for values, count in (([value], 1), (["nothing"], 0)):
            asked = [{"Name": name, "Values": values}]
            assert len(site.rds.describe_blue_green_deployments(Filters=asked)["BlueGreenDeployments"]) == count
    with refused("InvalidParameterValue"):
        site.rds.describe_blue_green_deployments(Filters=[{"Name": "colour", "Values": ["blue"]}])
    arn = site.show()["DBInstanceArn"].replace(":db:shop", f":deployment:{item['BlueGreenDeploymentIdentifier']}")
    site.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "a", "Value": "b"}])
    assert look(site, item)["TagList"] == [{"Key": "a", "Value": "b"}]
