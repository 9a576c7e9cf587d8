"""A VPC with room for databases of any engine, a machine from which they are asked, and clients as customers have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, NamedTuple

from cloudjar.planes.compute.images import ImageStore
from cloudjar.planes.database import image
from tests.host.jar.account import Account
from tests.host.jar.served import REGION, RealJar, until

PASSWORD = "correct-horse-9"
# The engine's image has the client too: it is run from there, in somebody's network, trusting the jar's authority.
_PSQL = 'mount --bind "$1" "$2/etc/issue" && exec chroot "$2" psql -X -A -t "$3" -c "$4"'
_MYSQL = """
import json, socket, ssl, sys
import pymysql
asked = json.loads(sys.argv[1])
address, sql, bundle = asked.pop("address"), asked.pop("sql"), asked.pop("bundle")
trusted = ssl.create_default_context(cafile=bundle) if bundle else None
try:
    line = socket.create_connection((address, asked["port"]), timeout=5)
    talk = pymysql.connect(**asked, ssl=trusted, ssl_disabled=trusted is None, defer_connect=True, autocommit=True)
    talk.connect(line)
    with talk.cursor() as cursor:
        cursor.execute(sql)
        rows = cursor.fetchall()
    talk.close()
except (OSError, pymysql.err.Error) as failed:
    print(failed)
    raise SystemExit(1)
print("\\n".join("|".join(str(cell) for cell in row) for row in rows))
"""


class Said(NamedTuple):
    """What a client came to."""

    code: int
    out: str


class Site:
    """A backend in a public subnet, databases in private ones."""

    def __init__(self, jar: RealJar) -> None:
        self.jar, self.account, self.rds = jar, Account(jar), jar.client("rds")
        vpc = self.account.vpc()
        self.account.gateway(vpc)
        public = self.account.subnet(vpc, public=True)
        self.group = self.account.group(vpc, "database", 3306, 5432)
        private = [self._private(vpc, n) for n in (0, 1)]
        self.rds.create_db_subnet_group(
            DBSubnetGroupName="private", DBSubnetGroupDescription="private", SubnetIds=private
        )
        self.backend = self.account.run(public, self.account.group(vpc, "backend")).id
        until(lambda: self.jar.compute.look(self.backend) == "up", "the backend to be up", 120)

    def _private(self, vpc: str, n: int) -> str:
        asked = {"VpcId": vpc, "CidrBlock": f"10.0.{10 + n}.0/24", "AvailabilityZone": f"{REGION}{'ab'[n]}"}
        return str(self.account.ec2.create_subnet(**asked)["Subnet"]["SubnetId"])

    def create(self, name: str, engine: str, **more: Any) -> None:
        """A small instance without automated backups, available."""
        asked = {
            "DBInstanceIdentifier": name, "DBInstanceClass": "db.t3.micro", "Engine": engine,
            "MasterUsername": "boss", "MasterUserPassword": PASSWORD, "AllocatedStorage": 20,
            "DBSubnetGroupName": "private", "VpcSecurityGroupIds": [self.group], "PubliclyAccessible": False,
            "BackupRetentionPeriod": 0, "DBName": "store", "AutoMinorVersionUpgrade": False,
        }  # fmt: skip
        self.rds.create_db_instance(**{**asked, **more})
        self.reach(name, "available")

    def show(self, name: str) -> dict[str, Any]:
        """An instance as it is now."""
        found: dict[str, Any] = self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return found

    def reach(self, name: str, state: str) -> None:
        """The first instance of a host waits for the engine's image to be built."""
        until(lambda: self.show(name)["DBInstanceStatus"] == state, f"{name} to be {state}", 240, 0.1)

    def modify(self, name: str, **more: Any) -> None:
        """Change an instance now, and wait until that is done."""
        self.rds.modify_db_instance(DBInstanceIdentifier=name, ApplyImmediately=True, **more)
        self.reach(name, "available")

    def delete(self, name: str) -> None:
        """Have an instance gone."""
        self.rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)

        def gone() -> bool:
            return name not in [db["DBInstanceIdentifier"] for db in self.rds.describe_db_instances()["DBInstances"]]

        until(gone, f"{name} to be gone", 120)

    def machine(self, name: str) -> str:
        """The machine that says it is an instance."""
        found = (m for m in self.jar.compute.machines() if m.startswith("db-"))
        return next(m for m in found if self.jar.inside(m, "cat /etc/hostname").strip() == name)

    def mysql(self, name: str, sql: str, *, tls: bool = True, **more: Any) -> Said:
        """What MariaDB answers the backend."""
        endpoint = self.show(name)["Endpoint"]
        asked = {
            "host": endpoint["Address"], "address": self.resolve(name), "port": endpoint["Port"], "user": "boss",
            "password": PASSWORD, "database": "store", "sql": sql,
            "bundle": str(self.jar.home / "tls" / "ca.pem") if tls else "", **more,
        }  # fmt: skip
        return self._enter([sys.executable, "-c", _MYSQL, json.dumps(asked)])

    def psql(self, name: str, sql: str, **more: str) -> Said:
        """What PostgreSQL answers the backend."""
        endpoint = self.show(name)["Endpoint"]
        asked = {
            "host": endpoint["Address"], "hostaddr": self.resolve(name), "port": endpoint["Port"], "user": "boss",
            "dbname": "store", "password": PASSWORD, "sslmode": "verify-full", "sslrootcert": "/etc/issue",
            "connect_timeout": "5", **more,
        }  # fmt: skip
        words = " ".join(f"{key}='{value}'" for key, value in asked.items())
        store = ImageStore()
        root = str(store.path(image.prepared(store, "postgres", "15")))
        bundle = str(self.jar.home / "tls" / "ca.pem")
        return self._enter(["unshare", "--mount", "sh", "-c", _PSQL, "sh", bundle, root, words, sql])

    def _enter(self, argv: list[str]) -> Said:
        done = subprocess.run(
            ["nsenter", f"--net={self.jar.network.guest_path(self.backend)}", *argv],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
        return Said(done.returncode, done.stdout.strip())

    def resolve(self, name: str) -> str:
        """What the backend is told when it asks for an endpoint's name."""
        endpoint = self.show(name)["Endpoint"]["Address"]
        return self.jar.inside(self.backend, f"getent ahostsv4 {endpoint}").split()[0]
