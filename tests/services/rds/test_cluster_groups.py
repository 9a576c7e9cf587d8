"""Parameter groups of clusters, and their members' engines."""

from __future__ import annotations

import pytest

from tests.jar import TestJar
from tests.services.rds.cluster_site import ClusterSite
from tests.services.rds.site import refused

OWN = {"DBClusterParameterGroupName": "own"}


@pytest.fixture
def site(jar: TestJar) -> ClusterSite:
    found = ClusterSite(jar)
    found.rds.create_db_cluster_parameter_group(**OWN, DBParameterGroupFamily="postgres15", Description="ours")
    return found


def change(site: ClusterSite, name: str, value: str, how: str) -> None:
    """One parameter of the group."""
    given = {"ParameterName": name, "ParameterValue": value, "ApplyMethod": how}
    site.rds.modify_db_cluster_parameter_group(**OWN, Parameters=[given])


def user_values(site: ClusterSite, name: str = "own") -> dict[str, str]:
    """What a group says otherwise than its family."""
    pages = site.rds.get_paginator("describe_db_cluster_parameters").paginate(
        DBClusterParameterGroupName=name, Source="user"
    )
    return {one["ParameterName"]: one["ParameterValue"] for page in pages for one in page["Parameters"]}


def statuses(site: ClusterSite) -> set[str]:
    return {one["DBClusterParameterGroupStatus"] for one in site.cluster()["DBClusterMembers"]}


def test_a_group_is_made_changed_copied_reset_and_deleted(site: ClusterSite) -> None:
    change(site, "work_mem", "8192", "immediate")
    assert user_values(site) == {"work_mem": "8192"}
    site.rds.copy_db_cluster_parameter_group(
        SourceDBClusterParameterGroupIdentifier="own", TargetDBClusterParameterGroupIdentifier="copy",
        TargetDBClusterParameterGroupDescription="theirs",
    )  # fmt: skip
    site.rds.reset_db_cluster_parameter_group(**OWN, ResetAllParameters=True)
    assert (user_values(site), user_values(site, "copy")) == ({}, {"work_mem": "8192"})
    with refused("InvalidParameterValue", "Could not find parameter with name: nothing"):
        change(site, "nothing", "1", "immediate")
    with refused("DBParameterGroupAlreadyExists", "Parameter group own already exists"):
        site.rds.create_db_cluster_parameter_group(**OWN, DBParameterGroupFamily="postgres15", Description="again")
    with refused("InvalidParameterValue", "is not a valid parameter group family"):
        site.rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName="x", DBParameterGroupFamily="mariadb10.11", Description="x"
        )
    site.rds.delete_db_cluster_parameter_group(**OWN)
    with refused("DBParameterGroupNotFound", "DBClusterParameterGroup not found: own"):
        site.rds.describe_db_cluster_parameter_groups(**OWN)


def test_members_take_what_is_dynamic_and_wait_with_the_rest(site: ClusterSite) -> None:
    assert site.available_cluster(**OWN)["DBClusterParameterGroup"] == "own"
    change(site, "work_mem", "8192", "immediate")
    site.jar.settle()
    assert statuses(site) == {"in-sync"}
    change(site, "max_connections", "200", "pending-reboot")
    site.jar.settle()
    assert statuses(site) == {"pending-reboot"}
    site.rds.reboot_db_cluster(DBClusterIdentifier="fleet")
    site.jar.settle()
    assert (statuses(site), site.cluster()["Status"]) == ({"in-sync"}, "available")
    with refused("InvalidDBParameterGroupState", "are still members of this parameter group own"):
        site.rds.delete_db_cluster_parameter_group(**OWN)
    site.rds.modify_db_cluster(
        DBClusterIdentifier="fleet", DBClusterParameterGroupName="default.postgres15", ApplyImmediately=True
    )
    assert site.cluster()["DBClusterParameterGroup"] == "default.postgres15"
    site.rds.delete_db_cluster_parameter_group(**OWN)


def test_a_group_must_be_there_and_of_the_family(site: ClusterSite) -> None:
    with refused("DBClusterParameterGroupNotFound", "not found: nobody"):
        site.create_cluster(DBClusterParameterGroupName="nobody")
    with refused("InvalidParameterCombination", "can't be used for this cluster"):
        site.create_cluster(**OWN, EngineVersion="17")
    with refused("InvalidDBParameterGroupState", "Cannot modify a default parameter group"):
        site.rds.reset_db_cluster_parameter_group(
            DBClusterParameterGroupName="default.postgres15", ResetAllParameters=True
        )
