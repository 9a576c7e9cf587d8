"""Blue/green deployments of real databases: whoever writes while they are switched over finds everything again."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest

from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.engines import PASSWORD, Site
from tests.host.jar.pair import Pair, Writer
from tests.host.jar.served import RealJar, real_jar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

_WRITE = """
import json, socket, ssl, sys
import pymysql
asked = json.loads(sys.argv[1])
address, number, bundle = asked.pop("address"), asked.pop("number"), asked.pop("bundle")
line = socket.create_connection((address, 3306), timeout=3)
trusted = ssl.create_default_context(cafile=bundle)
talk = pymysql.connect(**asked, ssl=trusted, defer_connect=True, autocommit=True, read_timeout=5)
talk.connect(line)
while True:
    with talk.cursor() as cursor:
        cursor.execute("INSERT INTO ledger VALUES (%s)", (number,))
    print(number, flush=True)
    number += 1
"""


@pytest.fixture
def jar() -> Iterator[RealJar]:
    """A jar of each test's own."""
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar() as made:
        yield made


def deploy(rds: Any, name: str, source: str, **more: Any) -> str:
    """A deployment whose environments are there."""
    asked = {"BlueGreenDeploymentName": name, "Source": source, **more}
    made = str(rds.create_blue_green_deployment(**asked)["BlueGreenDeployment"]["BlueGreenDeploymentIdentifier"])
    reach(rds, made, "AVAILABLE")
    return made


def look(rds: Any, name: str) -> dict[str, Any]:
    (found,) = rds.describe_blue_green_deployments(BlueGreenDeploymentIdentifier=name)["BlueGreenDeployments"]
    return dict(found)


def reach(rds: Any, name: str, state: str) -> dict[str, Any]:
    """Wait for a state; one from which it does not come tells why."""

    def there() -> dict[str, Any] | None:
        found = look(rds, name)
        assert found["Status"] not in {"INVALID_CONFIGURATION", "SWITCHOVER_FAILED"} - {state}, found
        return found if found["Status"] == state else None

    return dict(until(there, f"{name} to be {state}", 600, 0.1))


def begin(rds: Any, name: str) -> None:
    rds.switchover_blue_green_deployment(BlueGreenDeploymentIdentifier=name)


def test_every_acknowledged_row_is_in_the_green_postgres(jar: RealJar) -> None:
    pair = Pair(jar)
    pair.create(BackupRetentionPeriod=1)
    pair.reach("shop", "available")
    pair.answer("CREATE TABLE seen (n int); INSERT INTO seen VALUES (1)")
    name = deploy(pair.rds, "larger", pair.show()["DBInstanceArn"], TargetDBInstanceClass="db.t3.small")
    green = look(pair.rds, name)["Target"].rpartition(":")[2]
    assert pair.answer("SELECT n FROM seen", green) == "1"
    assert "read-only transaction" in pair.said("INSERT INTO seen VALUES (2)", green)[1]
    before = pair.resolve()
    with Writer(pair) as writer:
        began = monotonic()
        begin(pair.rds, name)
        reach(pair.rds, name, "SWITCHOVER_COMPLETED")
        writer.more(50)
        gap = writer.gap(began)
    assert writer.missing() == set()
    assert gap < 15, gap
    assert pair.resolve() != before
    assert (pair.resolve("shop-old1"), pair.show()["DBInstanceClass"]) == (before, "db.t3.small")
    assert pair.answer("SELECT n FROM seen", "shop-old1") == "1"
    assert "read-only transaction" in pair.said("INSERT INTO seen VALUES (2)", "shop-old1")[1]
    pair.rds.delete_blue_green_deployment(BlueGreenDeploymentIdentifier=name)
    until(lambda: not pair.rds.describe_blue_green_deployments()["BlueGreenDeployments"], "the deployment to be gone")
    assert pair.answer("INSERT INTO seen VALUES (2) RETURNING n", "shop-old1") == "2"
    assert pair.answer("SELECT count(*) FROM seen") == "1"
    pair.reach("shop", "available")
    again = deploy(pair.rds, "again", pair.show()["DBInstanceArn"], TargetDBInstanceClass="db.t3.micro")
    with Writer(pair) as writer:
        begin(pair.rds, again)
        threading.Event().wait(0.7)  # somewhere in what it takes
        pair.jar.kill()
        pair.jar.start()
        reach(pair.rds, again, "SWITCHOVER_COMPLETED")
        writer.more(50)
    assert writer.missing() == set()
    assert (pair.show("shop-old2")["DBInstanceStatus"], pair.show()["DBInstanceClass"]) == ("available", "db.t3.micro")


def test_a_later_minor_version_of_postgres_has_what_the_earlier_one_had(jar: RealJar) -> None:
    site = Site(jar)
    site.create("tales", "postgres", EngineVersion="15.15", BackupRetentionPeriod=1)
    assert site.psql("tales", "CREATE TABLE seen AS SELECT generate_series(1, 1000) AS n").code == 0
    name = deploy(site.rds, "minor", site.show("tales")["DBInstanceArn"], TargetEngineVersion="15.17")
    green = look(site.rds, name)["Target"].rpartition(":")[2]
    asked = "SELECT count(*), current_setting('server_version') FROM seen"
    assert site.psql(green, asked).out == "1000|15.17"
    assert site.psql("tales", "INSERT INTO seen VALUES (0)").code == 0
    begin(site.rds, name)
    reach(site.rds, name, "SWITCHOVER_COMPLETED")
    assert site.psql("tales", asked).out == "1001|15.17"
    assert site.psql("tales-old1", asked).out == "1001|15.15"
    assert site.psql("tales", "INSERT INTO seen VALUES (-1)").code == 0
    until(lambda: site.show("tales").get("LatestRestorableTime"), "a backup of the new one", 120, 0.1)


class Rows:
    """Writes one number after another into a MariaDB, whatever happens, and remembers which were acknowledged."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.acknowledged: list[tuple[int, float]] = []
        self._ending = threading.Event()
        self._endpoint = site.show("books")["Endpoint"]["Address"]
        self._thread = threading.Thread(target=self._run)
        assert site.mysql("books", "CREATE TABLE ledger (n BIGINT PRIMARY KEY)").code == 0

    def __enter__(self) -> Rows:
        self._thread.start()
        self.more(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def more(self, count: int) -> None:
        goal = len(self.acknowledged) + count
        until(lambda: len(self.acknowledged) >= goal, "the writer to go on", 90)

    def _run(self) -> None:
        number = 0
        while not self._ending.is_set():
            number += 1000  # what was sent and not acknowledged may be there
            try:
                self._written(number)
            except Exception:  # noqa: BLE001 - nobody answers: the writer only tries again
                self._ending.wait(0.05)

    def _written(self, number: int) -> None:
        asked = {
            "host": self._endpoint, "address": self.site.resolve("books"), "user": "boss", "password": PASSWORD,
            "database": "store", "number": number, "bundle": str(self.site.jar.home / "tls" / "ca.pem"),
        }  # fmt: skip
        enter = ["nsenter", f"--net={self.site.jar.network.guest_path(self.site.backend)}"]
        argv = [*enter, sys.executable, "-c", _WRITE, json.dumps(asked)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as client:
            assert client.stdout is not None
            try:
                for line in client.stdout:
                    self.acknowledged.append((int(line), monotonic()))
                    if self._ending.is_set():
                        return
            finally:
                client.kill()


def test_every_acknowledged_row_is_in_the_mariadb_of_a_later_major_version(jar: RealJar) -> None:
    site = Site(jar)
    site.create("books", "mariadb", EngineVersion="10.11", BackupRetentionPeriod=1)
    name = deploy(site.rds, "later", site.show("books")["DBInstanceArn"], TargetEngineVersion="11.8")
    item = look(site.rds, name)
    assert {task["Status"] for task in item["Tasks"]} == {"COMPLETED"}
    green = item["Target"].rpartition(":")[2]
    assert site.mysql(green, "SELECT VERSION()").out.startswith("11.8")
    with Rows(site) as rows:
        assert "read-only" in site.mysql(green, "INSERT INTO ledger VALUES (-1)").out
        begin(site.rds, name)
        reach(site.rds, name, "SWITCHOVER_COMPLETED")
        rows.more(50)
    there = {int(line) for line in site.mysql("books", "SELECT n FROM ledger").out.split()}
    assert {number for number, _ in rows.acknowledged} - there == set()
    assert site.mysql("books", "SELECT VERSION()").out.startswith("11.8")
    assert site.mysql("books-old1", "SELECT VERSION()").out.startswith("10.11")
    assert "read-only" in site.mysql("books-old1", "INSERT INTO ledger VALUES (-2)").out
