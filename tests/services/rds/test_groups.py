"""Subnet groups, parameter groups, and what may be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.rds.site import Site, refused

ARN = "arn:aws:rds:eu-west-3:000000000000"


def test_a_subnet_group_covers_two_zones(jar: TestJar) -> None:
    site = Site(jar)
    (group,) = site.rds.describe_db_subnet_groups()["DBSubnetGroups"]
    assert (group["DBSubnetGroupName"], group["VpcId"]) == ("private", site.vpc)
    assert [s["SubnetAvailabilityZone"]["Name"] for s in group["Subnets"]] == ["eu-west-3a", "eu-west-3b"]
    assert group["DBSubnetGroupArn"] == f"{ARN}:subgrp:private"
    asked = {"DBSubnetGroupName": "one", "DBSubnetGroupDescription": "x"}
    with refused("DBSubnetGroupDoesNotCoverEnoughAZs", "Add subnets to cover at least 2 AZs."):
        site.rds.create_db_subnet_group(**asked, SubnetIds=site.subnets[:1])
    with refused("InvalidSubnet", "Some input subnets in :[subnet-0123456789abcdef0] are invalid."):
        site.rds.create_db_subnet_group(**asked, SubnetIds=[site.subnets[0], "subnet-0123456789abcdef0"])
    with refused("DBSubnetGroupAlreadyExists", "The DB subnet group 'private' already exists."):
        site.rds.create_db_subnet_group(**{**asked, "DBSubnetGroupName": "PRIVATE"}, SubnetIds=site.subnets)
    with refused("InvalidParameterValue", "DBSubnetGroupName"):
        site.rds.create_db_subnet_group(**{**asked, "DBSubnetGroupName": "default"}, SubnetIds=site.subnets)


def test_a_subnet_that_an_instance_is_in_stays_in_the_group(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=0)
    made = site.ec2.create_subnet(VpcId=site.vpc, CidrBlock="10.9.9.0/24", AvailabilityZone="eu-west-3c")
    other = made["Subnet"]["SubnetId"]
    with refused("SubnetAlreadyInUse", site.subnets[0]):
        site.rds.modify_db_subnet_group(DBSubnetGroupName="private", SubnetIds=[site.subnets[1], other])
    changed = site.rds.modify_db_subnet_group(DBSubnetGroupName="private", SubnetIds=[site.subnets[0], other])
    assert {s["SubnetIdentifier"] for s in changed["DBSubnetGroup"]["Subnets"]} == {site.subnets[0], other}


def _group(site: Site, **values: str) -> None:
    site.rds.create_db_parameter_group(
        DBParameterGroupName="tuned", DBParameterGroupFamily="postgres15", Description="tuned"
    )
    if values:
        _set(site, "pending-reboot", **values)


def _set(site: Site, method: str, **values: str) -> None:
    given = [{"ParameterName": n, "ParameterValue": v, "ApplyMethod": method} for n, v in values.items()]
    site.rds.modify_db_parameter_group(DBParameterGroupName="tuned", Parameters=given)


def _parameters(site: Site, **more: Any) -> dict[str, dict[str, Any]]:
    pages = site.rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName="tuned", **more)
    return {one["ParameterName"]: one for page in pages for one in page["Parameters"]}


def test_dynamic_parameters_are_taken_at_once_and_static_ones_with_a_reboot(jar: TestJar) -> None:
    site = Site(jar)
    _group(site)
    site.available(BackupRetentionPeriod=0, DBParameterGroupName="tuned")
    _set(site, "immediate", work_mem="8192")
    _set(site, "pending-reboot", max_connections="LEAST({DBInstanceClassMemory/9531392},50)")
    jar.settle()
    assert site.show()["DBParameterGroups"][0]["ParameterApplyStatus"] == "pending-reboot"
    if not jar.reborn:
        told = dict(site.engine().settings)
        assert (told["work_mem"], told["max_connections"]) == ("8192", "112")
    site.rds.reboot_db_instance(DBInstanceIdentifier="shop")
    jar.settle()
    assert site.show()["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"
    if not jar.reborn:
        assert dict(site.engine().settings)["max_connections"] == "50"
    site.rds.reset_db_parameter_group(DBParameterGroupName="tuned", ResetAllParameters=True)
    assert _parameters(site, Source="user") == {}
    said = site.said("db-parameter-group")
    assert "Updated parameter work_mem to 8192 with apply method immediate" in said


def test_parameters_say_what_they_are(jar: TestJar) -> None:
    site = Site(jar)
    _group(site, work_mem="8192")
    found = _parameters(site)
    assert len(found) > 300
    assert found["work_mem"] == {
        "ParameterName": "work_mem", "ParameterValue": "8192", "Source": "user", "ApplyType": "dynamic",
        "DataType": "integer", "AllowedValues": "64-2147483647", "IsModifiable": True, "ApplyMethod": "pending-reboot",
        "Description": "(kB) Sets the maximum memory to be used for query workspaces.",
    }  # fmt: skip
    assert found["shared_buffers"]["ParameterValue"] == "{DBInstanceClassMemory/32768}"
    assert (found["shared_buffers"]["Source"], found["shared_buffers"]["ApplyType"]) == ("system", "static")
    assert found["rds.force_ssl"]["ParameterValue"] == "1"
    assert set(_parameters(site, Source="user")) == {"work_mem"}


@pytest.mark.parametrize(
    ("name", "value", "method", "code", "said"),
    [
        ("no_such", "1", "immediate", "InvalidParameterValue", "Could not find parameter with name: no_such"),
        ("work_mem", "12", "immediate", "InvalidParameterValue", "allowed values are: 64-2147483647"),
        ("work_mem", "much", "immediate", "InvalidParameterValue", "Invalid parameter value: much"),
        ("work_mem", "{DBInstanceClassMemory/}", "immediate", "InvalidParameterValue", "Invalid parameter value"),
        ("log_statement", "some", "immediate", "InvalidParameterValue", "none,ddl,mod,all"),
        ("shared_preload_libraries", "evil", "pending-reboot", "InvalidParameterValue", "Invalid parameter value"),
        ("application_name", "a\nfsync = off", "immediate", "InvalidParameterValue", "Invalid parameter value"),
        ("archive_command", "rm", "pending-reboot", "InvalidParameterValue", "cannot be modified"),
        ("max_connections", "50", "immediate", "InvalidParameterCombination",
         "cannot use immediate apply method for static parameter"),
    ],
)  # fmt: skip
def test_values_that_cannot_be_are_refused(
    jar: TestJar, name: str, value: str, method: str, code: str, said: str
) -> None:
    site = Site(jar)
    _group(site)
    with refused(code, said):
        _set(site, method, **{name: value})


def test_groups_that_are_used_or_the_products_own_stay(jar: TestJar) -> None:
    site = Site(jar)
    _group(site)
    with refused("DBParameterGroupAlreadyExists", "Parameter group tuned already exists"):
        _group(site)
    with refused("InvalidParameterValue", "not a valid parameter group family"):
        site.rds.create_db_parameter_group(
            DBParameterGroupName="x", DBParameterGroupFamily="oracle-ee-19", Description="x"
        )
    site.available(BackupRetentionPeriod=0, DBParameterGroupName="tuned")
    with refused("InvalidDBParameterGroupState", "tuned, so the group cannot be deleted"):
        site.rds.delete_db_parameter_group(DBParameterGroupName="tuned")
    with refused("InvalidDBParameterGroupState", "Default DB parameter groups cannot be deleted"):
        site.rds.delete_db_parameter_group(DBParameterGroupName="default.postgres15")
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", DBParameterGroupName="default.postgres15")
    jar.settle()
    site.rds.delete_db_parameter_group(DBParameterGroupName="tuned")
    names = [g["DBParameterGroupName"] for g in site.rds.describe_db_parameter_groups()["DBParameterGroups"]]
    assert names == ["default.postgres15"]


def test_what_may_be_asked_for_is_told(jar: TestJar) -> None:
    rds = jar.client("rds")
    (version,) = rds.describe_db_engine_versions(Engine="postgres", DefaultOnly=True)["DBEngineVersions"]
    assert (version["MajorEngineVersion"], version["DBParameterGroupFamily"]) == ("15", "postgres15")
    assert rds.describe_db_engine_versions(Engine="oracle-ee")["DBEngineVersions"] == []
    options = [
        (one["DBInstanceClass"], one["StorageType"])
        for page in rds.get_paginator("describe_orderable_db_instance_options").paginate(Engine="postgres")
        for one in page["OrderableDBInstanceOptions"]
    ]
    assert ("db.t3.micro", "gp3") in options
    assert not any(kind.startswith("db.t2.") for kind, _ in options)
    with refused("InvalidParameterValue", "Invalid DB engine"):
        rds.describe_orderable_db_instance_options(Engine="sybase")


def test_everything_has_tags(jar: TestJar) -> None:
    site = Site(jar)
    _group(site)
    site.available(BackupRetentionPeriod=0)
    for name in ("db:shop", "subgrp:private", "pg:tuned"):
        arn = f"{ARN}:{name}"
        site.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b"}])
        site.rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["b", "c"])
        assert site.rds.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "a", "Value": "1"}]
    with refused("DBInstanceNotFound", "DBInstance gone not found."):
        site.rds.list_tags_for_resource(ResourceName=f"{ARN}:db:gone")
    with refused("InvalidParameterValue", "Invalid resource name"):
        site.rds.list_tags_for_resource(ResourceName="shop")
    with refused("InvalidParameterValue", "aws:"):
        site.rds.add_tags_to_resource(ResourceName=f"{ARN}:db:shop", Tags=[{"Key": "aws:x", "Value": "1"}])


def test_a_copy_of_a_parameter_group_goes_its_own_way(jar: TestJar) -> None:
    site = Site(jar)
    _group(site, work_mem="8192")
    asked = {"TargetDBParameterGroupIdentifier": "Copied", "TargetDBParameterGroupDescription": "copy"}
    made = site.rds.copy_db_parameter_group(SourceDBParameterGroupIdentifier=f"{ARN}:pg:tuned", **asked)
    assert made["DBParameterGroup"]["DBParameterGroupArn"] == f"{ARN}:pg:copied"
    assert made["DBParameterGroup"]["DBParameterGroupFamily"] == "postgres15"
    _set(site, "immediate", work_mem="64")
    (kept,) = site.rds.describe_db_parameters(DBParameterGroupName="copied", Source="user")["Parameters"]
    assert (kept["ParameterName"], kept["ParameterValue"]) == ("work_mem", "8192")
    with refused("DBParameterGroupAlreadyExists"):
        site.rds.copy_db_parameter_group(SourceDBParameterGroupIdentifier="tuned", **asked)
    asked["TargetDBParameterGroupIdentifier"] = "other"
    with refused("DBParameterGroupNotFound"):
        site.rds.copy_db_parameter_group(SourceDBParameterGroupIdentifier="gone", **asked)
    with refused("InvalidParameterValue", "Cannot copy a default"):
        site.rds.copy_db_parameter_group(SourceDBParameterGroupIdentifier="default.postgres15", **asked)
