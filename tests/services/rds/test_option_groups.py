"""Option groups: what is in them, who has them, and what the engine is told."""

from __future__ import annotations

from tests.jar import TestJar
from tests.services.rds.site import Site, refused
from tests.services.rds.test_versions import MARIADB

AUDIT = "MARIADB_AUDIT_PLUGIN"


def _group(site: Site, name: str = "watched", engine: str = "mariadb", major: str = "10.11") -> None:
    site.rds.create_option_group(
        OptionGroupName=name, EngineName=engine, MajorEngineVersion=major, OptionGroupDescription="watched",
        Tags=[{"Key": "team", "Value": "shop"}],
    )  # fmt: skip


def test_a_group_is_made_copied_shown_and_deleted(jar: TestJar) -> None:
    site = Site(jar)
    _group(site)
    with refused("OptionGroupAlreadyExistsFault", "watched"):
        _group(site)
    with refused("InvalidParameterCombination", "Cannot find major version 9.6 for mariadb"):
        _group(site, "other", major="9.6")
    site.rds.modify_option_group(OptionGroupName="watched", OptionsToInclude=[{"OptionName": AUDIT}])
    made = site.rds.copy_option_group(
        SourceOptionGroupIdentifier="watched", TargetOptionGroupIdentifier="Second",
        TargetOptionGroupDescription="a copy",
    )["OptionGroup"]  # fmt: skip
    assert (made["OptionGroupName"], [one["OptionName"] for one in made["Options"]]) == ("second", [AUDIT])
    assert made["SourceAccountId"] == "000000000000"
    arn = made["OptionGroupArn"]
    site.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "a", "Value": "b"}])
    assert site.rds.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "a", "Value": "b"}]
    shown = site.rds.describe_option_groups(EngineName="mariadb")["OptionGroupsList"]
    assert [one["OptionGroupName"] for one in shown] == ["second", "watched"]
    site.rds.delete_option_group(OptionGroupName="second")
    with refused("OptionGroupNotFoundFault", "Specified OptionGroupName: second not found."):
        site.rds.describe_option_groups(OptionGroupName="second")
    with refused("InvalidOptionGroupStateFault", "default"):
        site.rds.delete_option_group(OptionGroupName="default:mariadb-10-11")
    assert site.rds.describe_option_group_options(EngineName="postgres")["OptionGroupOptions"] == []
    (option,) = site.rds.describe_option_group_options(
        EngineName="mariadb", MajorEngineVersion="10.11"
    )["OptionGroupOptions"]  # fmt: skip
    assert option["Name"] == AUDIT


def test_an_instance_has_what_its_group_says_now_or_after_the_window(jar: TestJar) -> None:
    site = Site(jar)
    _group(site)
    with refused("OptionGroupNotFoundFault", "Specified OptionGroupName: none not found."):
        site.create(**MARIADB, OptionGroupName="none")
    with refused("InvalidParameterCombination", "different engine"):
        site.create(OptionGroupName="watched")
    shown = site.available(**MARIADB, OptionGroupName="watched", PreferredMaintenanceWindow="mon:03:00-mon:04:00")
    assert shown["OptionGroupMemberships"] == [{"OptionGroupName": "watched", "Status": "in-sync"}]
    settings = [{"Name": "SERVER_AUDIT_EVENTS", "Value": "CONNECT"}]
    site.rds.modify_option_group(
        OptionGroupName="watched", ApplyImmediately=True,
        OptionsToInclude=[{"OptionName": AUDIT, "OptionSettings": settings}],
    )  # fmt: skip
    assert site.show()["OptionGroupMemberships"][0]["Status"] in ("applying", "in-sync")
    jar.settle()
    assert site.show()["OptionGroupMemberships"][0]["Status"] == "in-sync"
    if not jar.reborn:
        assert dict(site.engine().audit)["server_audit_events"] == "CONNECT"
    with refused("InvalidOptionGroupStateFault", "in use"):
        site.rds.delete_option_group(OptionGroupName="watched")
    site.rds.modify_option_group(OptionGroupName="watched", OptionsToRemove=[AUDIT])
    assert site.show()["OptionGroupMemberships"][0]["Status"] == "pending-maintenance-apply"
    jar.advance(days=7)
    jar.settle()
    assert site.show()["OptionGroupMemberships"][0]["Status"] == "in-sync"
    if not jar.reborn:
        assert site.engine().audit == ()
    site.rds.modify_db_instance(
        DBInstanceIdentifier="shop", OptionGroupName="default:mariadb-10-11", ApplyImmediately=True
    )
    jar.settle()
    assert site.show()["OptionGroupMemberships"] == [
        {"OptionGroupName": "default:mariadb-10-11", "Status": "in-sync"}
    ]
    site.rds.delete_option_group(OptionGroupName="watched")


def test_settings_that_an_option_has_not_are_refused(jar: TestJar) -> None:
    site = Site(jar)
    _group(site)
    for name, settings, said in (
        ("MEMCACHED", [], "Invalid option name: MEMCACHED"),
        (AUDIT, [{"Name": "NONE", "Value": "1"}], "Invalid option setting: NONE"),
        (AUDIT, [{"Name": "SERVER_AUDIT_FILE_ROTATIONS", "Value": "101"}], "SERVER_AUDIT_FILE_ROTATIONS"),
        (AUDIT, [{"Name": "SERVER_AUDIT_EVENTS", "Value": "CONNECT,SLEEP"}], "SERVER_AUDIT_EVENTS"),
    ):
        with refused("InvalidParameterValue", said):
            site.rds.modify_option_group(
                OptionGroupName="watched", OptionsToInclude=[{"OptionName": name, "OptionSettings": settings}]
            )
    with refused("InvalidParameterCombination", "OptionsToInclude"):
        site.rds.modify_option_group(OptionGroupName="watched")
    with refused("InvalidParameterValue", "is not in option group"):
        site.rds.modify_option_group(OptionGroupName="watched", OptionsToRemove=[AUDIT])
    with refused("InvalidOptionGroupStateFault", "Cannot modify a default option group"):
        site.rds.modify_option_group(OptionGroupName="default:mariadb-10-11", OptionsToRemove=[AUDIT])


def test_a_snapshot_has_the_group_of_its_instance_and_may_get_another_version(jar: TestJar) -> None:
    site = Site(jar)
    _group(site, engine="postgres", major="16")
    site.available(BackupRetentionPeriod=0, EngineVersion="16.11", OptionGroupName="watched")
    site.rds.create_db_snapshot(DBInstanceIdentifier="shop", DBSnapshotIdentifier="before")
    jar.settle()
    changed = site.rds.modify_db_snapshot(DBSnapshotIdentifier="before", EngineVersion="16.14")["DBSnapshot"]
    assert (changed["EngineVersion"], changed["OptionGroupName"]) == ("16.14", "watched")
    with refused("InvalidParameterCombination", "Cannot upgrade postgres from 16.14 to 16.11"):
        site.rds.modify_db_snapshot(DBSnapshotIdentifier="before", EngineVersion="16.11")
    with refused("UnsupportedOperation", "another major version"):
        site.rds.modify_db_snapshot(DBSnapshotIdentifier="before", EngineVersion="17.9")
    site.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="again", DBSnapshotIdentifier="before", DBSubnetGroupName="private"
    )
    jar.settle()
    shown = site.show("again")
    assert (shown["EngineVersion"], shown["OptionGroupMemberships"][0]["OptionGroupName"]) == ("16.14", "watched")
