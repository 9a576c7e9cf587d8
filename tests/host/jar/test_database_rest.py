"""The rest of a database's life on a real host: what its system does, who is at work, other certificates and names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cloudjar.base.clock import SystemClock
from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.engines import Site
from tests.host.jar.served import real_jar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "monitoring.rds.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
_MAY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """One jar for the tests of this file."""
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar() as jar:
        yield Site(jar)


def _monitor(site: Site) -> str:
    iam = site.jar.client("iam")
    arn = iam.create_role(RoleName="watcher", AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="watcher", PolicyName="write", PolicyDocument=json.dumps(_MAY))
    return str(arn)


def _documents(site: Site, stream: str) -> list[dict[str, Any]]:
    """The newest, as many as come at once."""
    logs = site.jar.client("logs")
    try:
        found = logs.get_log_events(logGroupName="RDSOSMetrics", logStreamName=stream)
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [json.loads(event["message"]) for event in found["events"]]


def _load(site: Site, resource: str) -> dict[str, float]:
    """How many sessions were at work, by statement."""
    now = SystemClock().real()
    found = site.jar.client("pi").describe_dimension_keys(
        ServiceType="RDS", Identifier=resource, Metric="db.load.avg", GroupBy={"Group": "db.sql_tokenized"},
        StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1), PeriodInSeconds=60,
    )  # fmt: skip
    return {one["Dimensions"]["db.sql_tokenized.statement"]: one["Total"] for one in found["Keys"]}


def test_what_a_system_does_and_who_is_at_work_is_seen(site: Site) -> None:
    site.create(
        "shop", "postgres", MonitoringInterval=1, MonitoringRoleArn=_monitor(site), EnablePerformanceInsights=True
    )
    resource = site.show("shop")["DbiResourceId"]
    site.jar.inside(site.machine("shop"), "test -e /run/insights/wanted || sleep 1")
    busy = "SELECT count(*) FROM generate_series(1, 3000000) a"
    until(lambda: site.psql("shop", busy).code == 0 and _documents(site, resource), "documents", 120, 0.1)

    def at_work() -> dict[str, Any] | None:
        assert site.psql("shop", busy).code == 0
        found = (one for one in _documents(site, resource) if one["cpuUtilization"]["total"] > 0 and one["fileSys"])
        return next(found, None)

    last = until(at_work, "a system at work", 120, 0.5)
    assert (last["engine"], last["instanceID"], last["numVCPUs"]) == ("POSTGRES", "shop", 2)
    assert last["memory"]["total"] == 1 << 20
    assert any(one["name"] == "postgres" for one in last["processList"])
    assert 0 < last["fileSys"][0]["usedPercent"] < 50

    def seen() -> bool:
        assert site.psql("shop", "SELECT pg_sleep(3) /* waiting */").code == 0
        return "SELECT pg_sleep(?)" in _load(site, resource)

    until(seen, "the load of a statement", 180, 0.1)


def test_it_has_another_key_another_name_and_more_room(site: Site) -> None:
    assert site.psql("shop", "CREATE TABLE kept AS SELECT 7 AS n").code == 0
    assert site.show("shop")["CACertificateIdentifier"] == "rds-ca-rsa2048-g1"
    site.modify("shop", CACertificateIdentifier="rds-ca-ecc384-g1")
    assert site.psql("shop", "SELECT n FROM kept") == (0, "7")
    machine = site.machine("shop")
    assert "BEGIN" in site.jar.inside(machine, "head -n 1 /database/conf/server.key")
    before = site.show("shop")
    site.modify("shop", MaxAllocatedStorage=100)
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", NewDBInstanceIdentifier="store", ApplyImmediately=True)
    until(lambda: _there(site, "store"), "the new name", 120, 0.2)
    assert site.show("store")["Endpoint"]["Address"] != before["Endpoint"]["Address"]
    until(lambda: site.psql("store", "SELECT n FROM kept") == (0, "7"), "the renamed one to answer", 60, 0.5)
    room = site.show("store")["AllocatedStorage"]
    site.jar.inside(machine, "fallocate -l 18G /database/filling")
    until(lambda: _told(site, "is low at"), "what is nearly full to be told", 180, 1)
    site.jar.advance(360)
    until(lambda: site.show("store")["AllocatedStorage"] > room, "more room", 180, 1)
    site.reach("store", "available")
    site.jar.inside(machine, "rm /database/filling")
    assert site.psql("store", "SELECT n FROM kept") == (0, "7")


def _there(site: Site, name: str) -> bool:
    found = site.rds.describe_db_instances()["DBInstances"]
    return (name, "available") in {(db["DBInstanceIdentifier"], db["DBInstanceStatus"]) for db in found}


def _told(site: Site, words: str) -> bool:
    events = site.rds.describe_events(SourceType="db-instance", Duration=1000)["Events"]
    return any(words in event["Message"] for event in events)


def test_mariadb_writes_down_who_asked_what_while_its_option_says_so(site: Site) -> None:
    rds = site.rds
    rds.create_option_group(
        OptionGroupName="watched", EngineName="mariadb", MajorEngineVersion="10.11", OptionGroupDescription="watched"
    )
    rds.modify_option_group(OptionGroupName="watched", OptionsToInclude=[{"OptionName": "MARIADB_AUDIT_PLUGIN"}])
    site.create("maria", "mariadb", OptionGroupName="watched")
    assert site.mysql("maria", "SELECT 'seen by nobody else'").code == 0
    machine = site.machine("maria")
    until(
        lambda: "seen by nobody else" in site.jar.inside(machine, "cat /database/log/audit/server_audit.log"),
        "the statement to be written down",
    )
    written = site.jar.inside(machine, "cat /database/log/audit/server_audit.log")
    assert ",boss," in written
    assert written.count(",boss,") >= 2  # who came, and what he asked
    rds.modify_option_group(
        OptionGroupName="watched", OptionsToRemove=["MARIADB_AUDIT_PLUGIN"], ApplyImmediately=True
    )
    site.reach("maria", "available")
    asked = "SELECT COUNT(*) FROM information_schema.plugins WHERE plugin_name = 'SERVER_AUDIT'"
    assert site.mysql("maria", asked) == (0, "0")
