"""A database that was made for one afternoon and forgotten: who tells, what it costs, and how it ends."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.cli.terminal import Terminal

PASSWORD = "correct-horse-9"


def test_a_forgotten_database_is_found_and_stopped(terminal: Terminal) -> None:
    terminal.good("up")
    rds, ec2 = terminal.client("rds"), terminal.client("ec2")
    rds.create_db_instance(
        DBInstanceIdentifier="afternoon", DBInstanceClass="db.t3.micro", Engine="postgres", MasterUsername="boss",
        MasterUserPassword=PASSWORD, AllocatedStorage=20, BackupRetentionPeriod=0, PubliclyAccessible=False,
    )  # fmt: skip
    rds.get_waiter("db_instance_available").wait(
        DBInstanceIdentifier="afternoon", WaiterConfig={"Delay": 1, "MaxAttempts": 120})  # fmt: skip
    terminal.good("clock", "advance", "9d")

    ahead = {one["usage_type"]: one for one in terminal.json("bill", "--if-left-running", "30d")["items"]}
    assert Decimal(ahead["InstanceUsage:db.t3.micro"]["quantity"]) == pytest.approx(720, abs=Decimal("0.1"))
    left = {one["resource"]: one for one in terminal.json("leftovers")["leftovers"]}
    assert left["afternoon"]["command"].startswith(
        "aws rds delete-db-instance --db-instance-identifier afternoon --skip-final-snapshot")  # fmt: skip
    cost = Decimal("0.021") * 720 + 20 * Decimal("0.133")
    assert Decimal(left["afternoon"]["cost"]) == pytest.approx(cost, abs=Decimal("0.3"))

    checks = {one["check"]: one for one in terminal.json("advisor")["checks"]}
    (finding,) = checks["Ti39halfu8"]["findings"]
    assert finding["resource"] == "afternoon"
    assert finding["monthly"] > 15
    assert finding["id"] in terminal.good("advisor")
    assert f"{finding['id']} is mended" in terminal.good("advisor", "--fix", finding["id"], "--yes")
    for _ in range(60):
        state = rds.describe_db_instances(DBInstanceIdentifier="afternoon")["DBInstances"][0]["DBInstanceStatus"]
        if state == "stopped":
            break
        terminal.good("clock", "advance", "1m")
    assert state == "stopped"
    spent = {one["usage_type"]: one for one in terminal.json("bill", "--if-left-running", "2d")["items"]}
    assert "InstanceUsage:db.t3.micro" not in spent  # storage alone costs on
    assert "RDS:GP2-Storage" in spent or "RDS:GP3-Storage" in spent
    rds.start_db_instance(DBInstanceIdentifier="afternoon")
    assert ec2.describe_instances()["Reservations"] == []  # a database is nobody's instance
