"""Performance Insights: what is asked for, and what `pi` tells of what was seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cloudjar.planes.database.activity import Sample, Session, parsed
from cloudjar.services.rds import insights
from cloudjar.services.rds.statements import digest, tokenized
from tests.jar import TestJar
from tests.services.rds.site import Site, refused

_BUSY = Session("app", "10.9.0.7", "web", "store", "client backend", "Lock", "transactionid", "UPDATE t SET n = 7")
_READING = Session("app", "10.9.0.7", "web", "store", "client backend", "", "", "SELECT 'x' FROM t -- all")


def _sampled(jar: TestJar, site: Site, *sessions: tuple[Session, ...]) -> None:
    """The last seconds, one by one."""
    world = jar.jar.world
    now = int(jar.jar.clock.real().timestamp())
    seen = [Sample(now - len(sessions) + n, one) for n, one in enumerate(sessions)]
    insights.port(world).says[site.machine()] = seen  # type: ignore[attr-defined]  # simulated
    (_, tell), *_ = insights.ticks(world).watched.values()  # type: ignore[attr-defined]  # simulated
    assert tell()
    jar.settle()


def _asked(jar: TestJar, resource: str, **more: Any) -> dict[str, Any]:
    now = jar.jar.clock.now()
    return {
        "ServiceType": "RDS", "Identifier": resource, "StartTime": now - timedelta(minutes=5),
        "EndTime": now + timedelta(minutes=1), **more,
    }  # fmt: skip


def test_load_is_told_by_wait_by_statement_and_by_user(steady_jar: TestJar) -> None:
    jar = steady_jar
    site, pi = Site(jar), jar.client("pi")
    shown = site.available(BackupRetentionPeriod=0, EnablePerformanceInsights=True)
    assert (shown["PerformanceInsightsEnabled"], shown["PerformanceInsightsRetentionPeriod"]) == (True, 7)
    assert ":key/" in shown["PerformanceInsightsKMSKeyId"]
    resource = shown["DbiResourceId"]
    _sampled(jar, site, (_BUSY, _READING), (_BUSY,), (), (_BUSY,))
    asked = _asked(jar, resource, PeriodInSeconds=3600)
    by_wait = {"Group": "db.wait_event"}
    said = pi.get_resource_metrics(**asked, MetricQueries=[{"Metric": "db.load.avg", "GroupBy": by_wait}])
    series = {
        one["Key"].get("Dimensions", {}).get("db.wait_event.name", ""): [p["Value"] for p in one["DataPoints"]]
        for one in said["MetricList"]
    }
    assert series == {"": [1.0], "transactionid": [0.75], "CPU": [0.25]}
    assert said["Identifier"] == resource
    keys = pi.describe_dimension_keys(
        **asked, Metric="db.load.avg", GroupBy={"Group": "db.sql_tokenized"}, PartitionBy={"Group": "db.user"}
    )
    assert keys["PartitionKeys"] == [{"Dimensions": {"db.user.name": "app"}}]
    first, second = keys["Keys"]
    assert first["Dimensions"]["db.sql_tokenized.statement"] == "UPDATE t SET n = ?"
    assert (first["Total"], first["Partitions"]) == (0.75, [0.75])
    assert second["Dimensions"]["db.sql_tokenized.statement"] == "SELECT ? FROM t"
    (detail,) = pi.get_dimension_key_details(
        ServiceType="RDS", Identifier=resource, Group="db.sql", GroupIdentifier=digest("UPDATE t SET n = 7"),
        RequestedDimensions=["db.sql.statement"],
    )["Dimensions"]  # fmt: skip
    assert (detail["Value"], detail["Status"]) == ("UPDATE t SET n = 7", "AVAILABLE")
    narrowed = [{"Metric": "db.load.avg", "Filter": {"db.wait_event.name": "CPU"}}]
    (only,) = pi.get_resource_metrics(**asked, MetricQueries=narrowed)["MetricList"]
    assert [p["Value"] for p in only["DataPoints"]] == [0.25]


def test_what_was_seen_is_forgotten_in_time_and_with_the_end(steady_jar: TestJar) -> None:
    jar = steady_jar
    site, pi = Site(jar), jar.client("pi")
    resource = site.available(BackupRetentionPeriod=0, EnablePerformanceInsights=True)["DbiResourceId"]
    _sampled(jar, site, (_BUSY,))
    queries = [{"Metric": "db.load.avg"}]
    long = _asked(jar, resource, MetricQueries=queries, PeriodInSeconds=86_400)
    assert pi.get_resource_metrics(**long)["MetricList"][0]["DataPoints"]
    jar.advance(days=8)
    _sampled(jar, site, ())
    assert pi.get_resource_metrics(**long)["MetricList"][0]["DataPoints"] == []
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", EnablePerformanceInsights=False)
    jar.settle()
    assert insights.ticks(jar.jar.world).watched == {}  # type: ignore[attr-defined]  # simulated
    with refused("NotAuthorizedException", "Performance Insights is not enabled"):
        pi.get_resource_metadata(ServiceType="RDS", Identifier=resource)


def test_questions_that_cannot_be_are_refused(jar: TestJar) -> None:
    site, pi = Site(jar), jar.client("pi")
    for asked, code, said in (
        ({"PerformanceInsightsRetentionPeriod": 7}, "InvalidParameterCombination", "EnablePerformanceInsights"),
        ({"EnablePerformanceInsights": True, "PerformanceInsightsRetentionPeriod": 8}, "InvalidParameterValue", ": 8"),
        ({"EnablePerformanceInsights": True, "PerformanceInsightsRetentionPeriod": 31}, "UnsupportedOperation", "31"),
        ({"EnablePerformanceInsights": True, "PerformanceInsightsKMSKeyId": "none"}, "KMSKeyNotAccessibleFault", ""),
    ):
        with refused(code, said):
            site.create(**asked)
    resource = site.available(BackupRetentionPeriod=0, EnablePerformanceInsights=True)["DbiResourceId"]
    named = {"ServiceType": "RDS", "Identifier": resource}
    assert pi.get_resource_metadata(**named)["Features"] == {"SQL_STATISTICS": {"Status": "DISABLED"}}
    metrics = pi.list_available_resource_metrics(**named, MetricTypes=["db", "os"])["Metrics"]
    assert [one["Metric"] for one in metrics] == ["db.load.avg", "db.sampledload.avg"]
    (load,) = pi.list_available_resource_dimensions(**named, Metrics=["db.load"])["MetricDimensions"]
    assert "db.wait_event" in {group["Group"] for group in load["Groups"]}
    for query, said in (
        ({"Metric": "os.cpu"}, "The metric os.cpu is not valid"),
        ({"Metric": "db.load.avg", "GroupBy": {"Group": "db.moon"}}, "The dimension group db.moon is not valid"),
        ({"Metric": "db.load.avg", "Filter": {"db.moon": "x"}}, "The dimension db.moon is not valid"),
    ):
        with refused("InvalidArgumentException", said):
            pi.get_resource_metrics(**_asked(jar, resource), MetricQueries=[query])
    with refused("InvalidArgumentException", "PeriodInSeconds: 7"):
        pi.get_resource_metrics(**_asked(jar, resource), MetricQueries=[{"Metric": "db.load.avg"}], PeriodInSeconds=7)


def test_statements_lose_their_values_and_lines_become_samples() -> None:
    assert tokenized("SELECT a1, 'it''s', 1.5e3 FROM \"T 2\" /* why */ WHERE x=$1 AND y = $q$z$q$") == (
        'SELECT a1, ?, ? FROM "T 2" WHERE x=$1 AND y = ?'
    )
    said = '12 [["app",null,"web","store","client backend",null,null,"SELECT 1"]]\nnoise\n13 []\n14 {}\n'
    first, second = parsed(said)
    assert (first.at, first.sessions[0].user, first.sessions[0].host) == (12, "app", "")
    assert second == Sample(13, ())
