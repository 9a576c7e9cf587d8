"""Recommendations follow from what instances are."""

from __future__ import annotations

from tests.jar import TestJar
from tests.services.rds.site import Site, refused


def _types(site: Site, **more: object) -> set[str]:
    found = site.rds.describe_db_recommendations(**more)["DBRecommendations"]
    return {one["TypeId"].partition("::")[2] for one in found}


def test_what_could_be_better_is_told_until_it_is_better(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=0, AutoMinorVersionUpgrade=False, EngineVersion="16.13")
    assert _types(site) == {
        "backup_retention_off", "multi_az_instance", "auto_minor_version_upgrade", "old_minor_version",
        "enhanced_monitoring_off", "performance_insights_off", "storage_autoscaling_off", "encryption_off",
    }  # fmt: skip
    site.rds.modify_db_instance(
        DBInstanceIdentifier="shop", AutoMinorVersionUpgrade=True, MaxAllocatedStorage=100, BackupRetentionPeriod=1,
        EnablePerformanceInsights=True, ApplyImmediately=True,
    )  # fmt: skip
    jar.settle()
    assert _types(site) == {"multi_az_instance", "old_minor_version", "enhanced_monitoring_off", "encryption_off"}
    high = [{"Name": "severity", "Values": ["high"]}]
    (one,) = site.rds.describe_db_recommendations(Filters=high)["DBRecommendations"]
    assert one["ResourceArn"].endswith(":db:shop")
    assert one["Status"] == "active"
    named = {"RecommendationId": one["RecommendationId"]}
    said = site.rds.modify_db_recommendation(**named, Status="dismissed")["DBRecommendation"]
    assert said["Status"] == "dismissed"
    active = [{"Name": "status", "Values": ["active"]}]
    assert "encryption_off" not in _types(site, Filters=active)
    site.rds.modify_db_recommendation(**named, Status="active")
    assert "encryption_off" in _types(site, Filters=active)
    with refused("InvalidParameterValue", "Invalid status: done"):
        site.rds.modify_db_recommendation(**named, Status="done")
    with refused("InvalidParameterValue", "Invalid recommendation ID"):
        site.rds.modify_db_recommendation(RecommendationId="none")
