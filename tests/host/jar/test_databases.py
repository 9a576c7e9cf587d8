"""Real databases in a whole jar: who reaches them, what they keep, what becomes of their parameters and snapshots."""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from cloudjar.planes.compute.images import ImageStore
from cloudjar.planes.database import image
from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.account import Account
from tests.host.jar.exported import Exports
from tests.host.jar.packets import Wire
from tests.host.jar.served import REGION, RealJar, real_jar, until
from tests.host.jar.task_list import OWN, TaskList

TYPED = """CREATE TYPE mood AS ENUM ('low', 'high');
CREATE TABLE typed (id bigserial PRIMARY KEY, small smallint, n integer, r real, d double precision, yes boolean,
    price numeric(10, 2), raw bytea, at timestamptz, day date, tags text[], doc jsonb, how mood, said text);
INSERT INTO typed VALUES (1, -3, 7, 0.5, 'NaN', true, 12.30, '\\x00ff', '2024-02-29 12:00:00+02', '2024-02-29',
    '{a,"b c"}', '{"k": [1]}', 'high', E'two\\nlines, "quoted"');
INSERT INTO typed (id) VALUES (2);
CREATE TABLE years (n int, at date) PARTITION BY RANGE (at);
CREATE TABLE y2023 PARTITION OF years FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE y2024 PARTITION OF years FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO years VALUES (1, '2023-05-05'), (2, '2024-05-05');
CREATE UNLOGGED TABLE passing (n int); CREATE TABLE closed (n int); REVOKE ALL ON closed FROM boss"""

pytestmark = [pytest.mark.host, pytest.mark.timeout(600)]

PASSWORD = "correct-horse-9"
# The engine's image has the client too: it is run from there, in somebody's network, trusting the jar's authority.
_PSQL = 'mount --bind "$1" "$2/etc/issue" && exec chroot "$2" psql -X -A -t "$3" -c "$4"'


class Said(NamedTuple):
    """What psql came to."""

    code: int
    out: str
    err: str


class Site:
    """Backend in a public subnet, PostgreSQL in private ones, and a stranger beside the backend."""

    def __init__(self, jar: RealJar) -> None:
        self.jar, self.account, self.rds = jar, Account(jar), jar.client("rds")
        vpc = self.account.vpc()
        self.account.gateway(vpc)
        public = self.account.subnet(vpc, public=True)
        self.backend_group = self.account.group(vpc, "backend", 22)
        self.group = self.account.group(vpc, "database", 5432, peer=self.backend_group)
        stranger_group = self.account.group(vpc, "stranger", 22)
        private = [self._private(vpc, n) for n in (0, 1)]
        self.rds.create_db_subnet_group(
            DBSubnetGroupName="private", DBSubnetGroupDescription="private", SubnetIds=private
        )
        (self.backend,) = self.account.launch(public, self.backend_group)
        (self.stranger,) = self.account.launch(public, stranger_group)
        self.create("shop", DBName="store")
        for machine in (self.backend, self.stranger):
            until(lambda machine=machine: self.jar.compute.look(machine) == "up", f"{machine} to be up", 120)  # type: ignore[misc]  # mypy cannot type a lambda's default

    def _private(self, vpc: str, n: int) -> str:
        asked = {"VpcId": vpc, "CidrBlock": f"10.0.{10 + n}.0/24", "AvailabilityZone": f"{REGION}{'ab'[n]}"}
        return str(self.account.ec2.create_subnet(**asked)["Subnet"]["SubnetId"])

    def create(self, name: str, **more: Any) -> None:
        """A small instance without automated backups, available."""
        asked = {
            "DBInstanceIdentifier": name, "DBInstanceClass": "db.t3.micro", "Engine": "postgres",
            "MasterUsername": "boss", "MasterUserPassword": PASSWORD, "AllocatedStorage": 20,
            "DBSubnetGroupName": "private", "VpcSecurityGroupIds": [self.group], "PubliclyAccessible": False,
            "BackupRetentionPeriod": 0,
        }  # fmt: skip
        self.rds.create_db_instance(**{**asked, **more})
        self.reach(name, "available")

    def show(self, name: str = "shop") -> dict[str, Any]:
        found: dict[str, Any] = self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return found

    def reach(self, name: str, state: str) -> None:
        """The first instance of a host waits for the engine's image to be built."""
        until(lambda: self.show(name)["DBInstanceStatus"] == state, f"{name} to be {state}", 400, 0.1)

    def psql(self, sql: str, *, name: str = "shop", machine: str = "", **more: str) -> Said:
        """What an instance answers the backend (or another machine, or the ``host``) at its endpoint."""
        where = machine or self.backend
        address = self.resolve(name)
        asked = {
            "host": self.show(name)["Endpoint"]["Address"], "hostaddr": address, "user": "boss", "dbname": "store",
            "password": PASSWORD, "sslmode": "verify-full", "sslrootcert": "/etc/issue", "connect_timeout": "5",
            **more,
        }  # fmt: skip
        words = " ".join(f"{key}='{value}'" for key, value in asked.items())
        root = ImageStore().path(f"import-{image.digest('postgres', '15')[:12]}")
        bundle = self.jar.home / "tls" / "ca.pem"
        enter = [] if where == "host" else ["nsenter", f"--net={self.jar.network.guest_path(where)}"]
        done = subprocess.run(
            [*enter, "unshare", "--mount", "sh", "-c", _PSQL, "sh", bundle, root, words, sql],
            capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
        return Said(done.returncode, done.stdout.strip(), done.stderr.strip())

    def resolve(self, name: str) -> str:
        """What the backend is told when it asks for an endpoint's name."""
        endpoint = self.show(name)["Endpoint"]["Address"]
        return self.jar.inside(self.backend, f"getent ahostsv4 {endpoint}").split()[0]

    def answer(self, sql: str, **more: str) -> str:
        """The backend's answer, which must come."""
        said = self.psql(sql, **more)
        assert said.code == 0, said
        return said.out

    def machine(self) -> str:
        (found,) = (name for name in self.jar.compute.machines() if name.startswith("db-"))
        return found


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """One jar with one instance for the tests of this file."""
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar() as jar:
        yield Site(jar)


def test_the_backend_reaches_its_database_and_nobody_else_does(site: Site) -> None:
    assert site.resolve("shop").startswith("10.0.1")
    assert site.answer("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == "t"
    assert site.answer("CREATE TABLE tasks (title text); INSERT INTO tasks VALUES ('kept') RETURNING title") == (
        "CREATE TABLE\nkept\nINSERT 0 1"
    )
    assert "password authentication failed" in site.psql("SELECT 1", password="wrong").err
    assert "no encryption" in site.psql("SELECT 1", sslmode="disable").err
    assert "permission denied" in site.psql("ALTER SYSTEM SET port = 1").err
    said = site.psql("SELECT 1", machine=site.stranger, connect_timeout="3")
    assert said.code == 2
    assert "timeout" in said.err, said
    # From the host a private address leads wherever the host's own network says, never into the VPC.
    assert site.psql("SELECT 1", machine="host", connect_timeout="3").code == 2


def test_the_task_list_moves_its_data_from_a_container_to_the_database(site: Site) -> None:
    public = str(site.account.show(site.backend)["PublicIpAddress"])
    site.account.authorize(site.backend_group, 8000)
    app = TaskList(site.jar, site.backend, public)
    app.contain()
    app.deploy()
    app.start(OWN)
    assert app.tasks() == [(1, "Learn Docker", False)]
    app.ask("POST", "/api/tasks", {"title": "Move to RDS; it's \"managed\""})
    app.ask("PATCH", "/api/tasks/1", {"done": True})
    before = app.tasks()
    assert before == [(1, "Learn Docker", True), (2, "Move to RDS; it's \"managed\"", False)]

    host = site.show()["Endpoint"]["Address"]
    rds = f"postgresql://boss:{PASSWORD}@{host}/store?sslmode=verify-full&sslrootcert=/etc/ca.pem"
    app.stop("tasks")
    app.move(rds)
    app.stop("database")
    app.start(rds)
    assert app.tasks() == before
    assert app.ask("POST", "/api/tasks", {"title": "Sleep well"})["id"] == 3
    assert app.tasks() == [*before, (3, "Sleep well", False)]
    assert site.answer("SELECT string_agg(title, '/' ORDER BY id) FROM task WHERE NOT done") == (
        "Move to RDS; it's \"managed\"/Sleep well"
    )
    app.stop("tasks")


def test_a_port_that_no_rule_opens_times_out(site: Site) -> None:
    """From the host (even where somebody hands the gateway a packet for the private address), and from the backend."""
    address, wire = site.resolve("shop"), Wire(site.jar)
    public = str(site.account.show(site.backend)["PublicIpAddress"])
    with wire.way(f"{address}/32", via=public), pytest.raises(TimeoutError):
        wire.connect(address, 5432, source=site.jar.network.host_address, wait=2)
    with pytest.raises(TimeoutError):
        wire.connect(address, 5432, site.stranger, wait=2)
    wire.connect(address, 5432, site.backend, wait=2).close()
    site.account.revoke(site.group, 5432, peer=site.backend_group)
    until(lambda: wire.knock(address, 5432, site.backend) == "dropped", "the rule to be gone", 20)
    said = site.psql("SELECT 1", connect_timeout="2")
    assert said.code == 2
    assert "timeout" in said.err, said
    site.account.authorize(site.group, 5432, peer=site.backend_group)
    until(lambda: site.psql("SELECT 1").code == 0, "the rule to be back", 20)


def test_what_was_committed_survives_reboots_stops_and_kills(site: Site) -> None:
    site.answer("CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (1)")
    site.jar.inside(site.machine(), 'kill -9 "$(head -n 1 /database/data/postmaster.pid)"')
    until(lambda: site.psql("SELECT 1").code == 0, "a killed engine to be back")
    site.rds.stop_db_instance(DBInstanceIdentifier="shop")
    site.reach("shop", "stopped")
    assert site.jar.compute.look(site.machine()) == "down"
    site.rds.start_db_instance(DBInstanceIdentifier="shop")
    site.reach("shop", "available")
    assert site.answer("SELECT count(*) FROM kept") == "1"
    site.jar.compute.stop(site.machine(), force=True)
    until(lambda: site.psql("SELECT 1").code == 0, "a lost machine to be back", 120)
    assert site.answer("SELECT count(*) FROM kept") == "1"


def test_parameters_reach_the_engine_at_once_or_with_a_reboot(site: Site) -> None:
    rds = site.rds
    assert site.answer("SHOW max_connections") == "112"
    assert site.answer("SHOW shared_buffers") == "256MB"
    rds.create_db_parameter_group(
        DBParameterGroupName="tuned", DBParameterGroupFamily="postgres15", Description="tuned"
    )
    rds.modify_db_instance(DBInstanceIdentifier="shop", DBParameterGroupName="tuned", ApplyImmediately=True)
    wanted = [("work_mem", "8192", "immediate"), ("max_connections", "50", "pending-reboot")]
    rds.modify_db_parameter_group(
        DBParameterGroupName="tuned",
        Parameters=[{"ParameterName": n, "ParameterValue": v, "ApplyMethod": m} for n, v, m in wanted],
    )
    until(lambda: site.answer("SHOW work_mem") == "8MB", "work_mem to be taken")
    assert site.answer("SHOW max_connections") == "112"
    until(
        lambda: site.show()["DBParameterGroups"][0]["ParameterApplyStatus"] == "pending-reboot", "the reboot to be told"
    )
    rds.reboot_db_instance(DBInstanceIdentifier="shop")
    site.reach("shop", "available")
    assert site.answer("SHOW max_connections") == "50"
    assert site.show()["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"


def test_it_becomes_larger_and_gets_another_password_while_it_serves(site: Site) -> None:
    site.rds.modify_db_instance(
        DBInstanceIdentifier="shop", AllocatedStorage=30, MasterUserPassword="another-one-1", ApplyImmediately=True
    )
    site.reach("shop", "available")
    assert "password authentication failed" in site.psql("SELECT 1").err
    assert site.answer("SELECT 1", password="another-one-1") == "1"
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", MasterUserPassword=PASSWORD, ApplyImmediately=True)
    site.reach("shop", "available")
    site.rds.reboot_db_instance(DBInstanceIdentifier="shop")  # some kernels grow a file system only at its next mount
    site.reach("shop", "available")
    assert site.answer("SELECT 1") == "1"
    assert int(site.jar.inside(site.machine(), "df -B1G --output=size /database/ | tail -n 1")) in (29, 30)


def test_a_snapshot_brings_back_what_was_deleted_after_it(site: Site) -> None:
    site.answer("CREATE TABLE orders AS SELECT generate_series(1, 1000) AS n")
    site.rds.create_db_snapshot(DBInstanceIdentifier="shop", DBSnapshotIdentifier="before")
    site.reach("shop", "available")
    site.answer("DROP TABLE orders")
    site.rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    until(lambda: not site.rds.describe_db_instances()["DBInstances"], "the instance to be gone", 120)
    assert [name for name in site.jar.compute.machines() if name.startswith("db-")] == []
    site.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="again", DBSnapshotIdentifier="before", DBSubnetGroupName="private",
        VpcSecurityGroupIds=[site.group], PubliclyAccessible=False, Port=6000,
    )  # fmt: skip
    site.reach("again", "available")
    site.account.authorize(site.group, 6000, peer=site.backend_group)
    until(
        lambda: site.psql("SELECT 1", name="again", port="6000", connect_timeout="3").code == 0, "the restored one"
    )
    assert site.answer("SELECT count(*) FROM orders", name="again", port="6000") == "1000"


def test_a_snapshot_is_exported_as_parquet(site: Site) -> None:
    site.answer(TYPED, name="again", port="6000")
    site.rds.create_db_snapshot(DBInstanceIdentifier="again", DBSnapshotIdentifier="typed")
    site.reach("again", "available")
    exports = Exports(site.jar)
    task = exports.whole("typed", S3Prefix="nightly", ExportOnly=["store.public"])
    assert task["PercentProgress"] == 100
    assert json.loads(task["WarningMessage"])["skippedTables"] == [
        {"tableName": "store.public.closed", "reason": "PERMISSIONS_DO_NOT_EXIST"}
    ]
    whole, rest = exports.rows("nightly/typed/store/public.typed/1/")
    assert math.isnan(whole.pop("d"))
    assert whole == {
        "id": 1, "small": -3, "n": 7, "r": 0.5, "yes": True, "price": "12.30", "raw": b"\x00\xff",
        "at": "2024-02-29 10:00:00+00", "day": "2024-02-29", "tags": '{a,"b c"}', "doc": '{"k": [1]}', "how": "high",
        "said": 'two\nlines, "quoted"',
    }  # fmt: skip
    assert {name for name, value in rest.items() if value is not None} == {"id"}
    assert exports.rows("nightly/typed/store/public.years/1/") == [{"n": 1, "at": "2023-05-05"}]
    assert exports.rows("nightly/typed/store/public.years/2/") == [{"n": 2, "at": "2024-05-05"}]
    assert len(exports.rows("nightly/typed/store/public.orders/")) == 1000
    assert exports.rows("nightly/typed/store/public.passing/") == []
    assert len([name for name in site.jar.compute.machines() if name.startswith("db-")]) == 1
    assert not [name for name in site.jar.network.guests() if "db-x" in name]
