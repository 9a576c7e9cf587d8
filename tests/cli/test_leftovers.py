"""What still costs, and the command that ends it: of records whose usage alone does not tell what they are."""

from __future__ import annotations

from cloudjar.cli.leftovers import Used, removal
from cloudjar.gateway import bills
from tests.jar import TestJar
from tests.services.rds.cluster_site import ClusterSite


def test_a_cluster_is_ended_as_one(jar: TestJar) -> None:
    ClusterSite(jar).available_cluster()
    lines = bills.ahead(jar.jar.world, {"seconds": "86400"})["lines"]
    found = {removal(Used(*(line[name] for name in Used._fields))) for line in lines if line["service"] == "AmazonRDS"}
    assert found == {
        "aws rds delete-db-cluster --db-cluster-identifier fleet --skip-final-snapshot --region eu-west-3"
    }
