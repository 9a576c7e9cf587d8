"""What is said of Aurora without any cluster: versions and what runs in their place, prices, words (pure)."""

from __future__ import annotations

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.services.rds.aurora import wording
from cloudjar.spec import databases, prices

ENGINE = "aurora-postgresql"


@pytest.mark.parametrize(
    ("version", "release"),
    [("15.10", "15"), ("15.14", "15"), ("15.15", "15.15"), ("16.6", "16.14"), ("16.11", "16.11"), ("17.4", "17")],
)
def test_postgresql_of_the_same_major_runs(version: str, release: str) -> None:
    assert databases.release(ENGINE, version) == release
    assert databases.kind(ENGINE) == "postgres"
    assert databases.major_of(ENGINE, version) == databases.major_of("postgres", release)


def test_a_family_has_what_postgresqls_has() -> None:
    for major in ("15", "16", "17"):
        own, theirs = databases.parameters(ENGINE + major), databases.parameters(f"postgres{major}")
        other = {name for name in theirs if own[name] != theirs[name]}
        assert other == (set() if major == "17" else {"rds.force_ssl"})
    assert databases.parameters(f"{ENGINE}15")["rds.force_ssl"].value == "0"


def test_every_class_has_a_price_where_prices_are_known() -> None:
    found = databases.classes(ENGINE)
    assert {"db.t3.medium", "db.t4g.medium", "db.r5.large", "db.r6g.large"} <= set(found)
    for region in ("us-east-1", "eu-west-3"):
        for name in found:
            assert prices.is_priced("AmazonRDS", f"InstanceUsage:{name}", region, databases.operation(ENGINE))


def test_what_is_the_clusters_is_set_there() -> None:
    with pytest.raises(AwsError, match="Set backup retention for the DB Cluster"):
        wording.refuse_clusters_own({"BackupRetentionPeriod": 3}, made=True)
    with pytest.raises(AwsError, match="Modify backup retention for the DB Cluster using the ModifyDbCluster API"):
        wording.refuse_clusters_own({"BackupRetentionPeriod": 3}, made=False)
    wording.refuse_clusters_own({"EngineVersion": "15.14"}, made=True)
    wording.refuse_storage({"AllocatedStorage": 1, "StorageType": "aurora"}, ENGINE)
    assert wording.without_cluster({"AllocatedStorage": 20}, ENGINE).message.endswith("storage type aurora: 20")
