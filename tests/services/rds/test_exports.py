"""Snapshots exported to S3. What real engines' tables become is in tests/host/jar/test_databases.py."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from pyarrow import parquet

from cloudjar.base.errors import PlaneError
from cloudjar.planes.database.reading import Column, Table
from tests.jar import ACCOUNT, TestJar
from tests.services.rds.site import Site, refused

SNAPSHOT = f"arn:aws:rds:eu-west-3:{ACCOUNT}:snapshot:before"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/exporter"
ACTIONS = ["s3:PutObject*", "s3:GetObject*", "s3:ListBucket", "s3:DeleteObject*", "s3:GetBucketLocation"]


def _column(name: str, form: str, kind: str) -> Column:
    return Column(name=name, type=kind, form=form)


def _table(schema: str, name: str, *columns: Column, **more: Any) -> Table:
    whole = (_column("id", "int64", "bigint"), _column("title", "string", "text"), *columns)
    given = {"parts": (f"{schema}.{name}",), "size": 3 << 30, **more}
    return Table(database="store", schema=schema, name=name, columns=whole, **given)


class Held:
    """What engines have in their tables, by part."""

    def __init__(self) -> None:
        self.found = [
            _table("public", "tasks"),
            _table("public", "empty"),
            _table("public", "by year", parts=("y2023", "y2024")),
            _table("public", "strange", _column("a b", "string", "text")),
            _table("private", "secret", readable=False),
            _table("private", "told"),
        ]
        self.rows_of = {
            "public.tasks": b'"1","Learn Docker"\n"2",""\n"3",\n',
            "y2023": b'"1","old"\n',
            "y2024": b'"2","new"\n',
            "private.told": b'"7","said"\n',
        }
        self.failing = 0

    def lacks(self) -> str:
        return ""

    def seclude(self, _: str) -> None:
        return None

    def dissolve(self, _: str) -> None:
        return None

    def tables(self, _: str, kind: str, __: int, master: str) -> list[Table]:
        assert (kind, master) == ("postgres", "boss")
        return self.found

    @contextmanager
    def rows(self, machine: str, _: str, __: int, ___: Table, part: str) -> Iterator[io.BufferedReader]:
        if self.failing:
            self.failing -= 1
            raise PlaneError(f"{machine} does not answer")
        yield io.BufferedReader(io.BytesIO(self.rows_of.get(part, b"")))


class Exports:
    """A snapshot, a bucket, a key, and a role that may write."""

    def __init__(self, jar: TestJar, *, trusts: str = "export.rds.amazonaws.com", actions: Any = ACTIONS) -> None:
        self.jar, self.site, self.s3 = jar, Site(jar), jar.client("s3")
        self.rds = self.site.rds
        self.site.available(BackupRetentionPeriod=0)
        self.rds.create_db_snapshot(DBInstanceIdentifier="shop", DBSnapshotIdentifier="before")
        jar.settle()
        self.s3.create_bucket(Bucket="exports", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
        trust = {"Effect": "Allow", "Principal": {"Service": trusts}, "Action": "sts:AssumeRole"}
        may = {"Effect": "Allow", "Action": actions, "Resource": ["arn:aws:s3:::exports", "arn:aws:s3:::exports/*"]}
        iam = jar.client("iam")
        iam.create_role(RoleName="exporter", AssumeRolePolicyDocument=_policy(trust))
        iam.put_role_policy(RoleName="exporter", PolicyName="write", PolicyDocument=_policy(may))
        self.key = jar.client("kms").create_key()["KeyMetadata"]["Arn"]

    def start(self, name: str = "one", **more: Any) -> dict[str, Any]:
        asked = {"ExportTaskIdentifier": name, "SourceArn": SNAPSHOT, "S3BucketName": "exports", "IamRoleArn": ROLE,
                 "KmsKeyId": self.key, **more}  # fmt: skip
        made: dict[str, Any] = self.rds.start_export_task(**asked)
        return made

    def ended(self, name: str = "one") -> dict[str, Any]:
        """A task, once it is at rest."""
        self.jar.settle()
        found: dict[str, Any] = self.rds.describe_export_tasks(ExportTaskIdentifier=name)["ExportTasks"][0]
        return found

    def names(self, prefix: str) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket="exports", Prefix=prefix).get("Contents", [])
        return [one["Key"].removeprefix(prefix) for one in listed]

    def text(self, key: str) -> bytes:
        with closing(self.s3.get_object(Bucket="exports", Key=key)["Body"]) as body:
            return bytes(body.read())

    def rows(self, folder: str) -> list[dict[str, Any]]:
        """What a reader of Parquet finds in a folder."""
        found: list[dict[str, Any]] = []
        for name in self.names(folder):
            if name.endswith(".gz.parquet"):
                found += parquet.read_table(io.BytesIO(self.text(folder + name))).to_pylist()
        return found


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_everything_in_a_snapshot_is_in_the_bucket_as_parquet(steady_jar: TestJar) -> None:
    exports = Exports(steady_jar)
    steady_jar.jar.world.ports["database tables"] = Held()
    begun = exports.start(S3Prefix="nightly/")
    assert (begun["Status"], begun["PercentProgress"], begun["TotalExtractedDataInGB"]) == ("STARTING", 0, 0)
    assert (begun["SourceType"], begun["KmsKeyId"], begun["S3Prefix"]) == ("SNAPSHOT", exports.key, "nightly/")
    done = exports.ended()
    assert (done["Status"], done["PercentProgress"], done["TotalExtractedDataInGB"]) == ("COMPLETE", 100, 12)
    assert done["TaskEndTime"] >= done["TaskStartTime"]
    assert json.loads(done["WarningMessage"]) == {
        "skippedTables": [
            {"tableName": "store.public.strange", "reason": "UNSUPPORTED_CHARACTERS"},
            {"tableName": "store.private.secret", "reason": "PERMISSIONS_DO_NOT_EXIST"},
        ],
        "skippedObjectives": [], "general": [],
    }  # fmt: skip
    base = "nightly/one/store/"
    assert exports.rows(f"{base}public.tasks/1/") == [
        {"id": 1, "title": "Learn Docker"}, {"id": 2, "title": ""}, {"id": 3, "title": None},
    ]  # fmt: skip
    assert exports.names(f"{base}public.empty/") == ["1/_SUCCESS"]
    assert exports.rows(f"{base}public.by_year/1/") == [{"id": 1, "title": "old"}]
    assert exports.rows(f"{base}public.by_year/2/") == [{"id": 2, "title": "new"}]
    assert exports.names(f"{base}public.strange") == exports.names(f"{base}private.secret") == []
    file = next(name for name in exports.names(f"{base}public.tasks/1/part-00000-"))
    head = exports.s3.head_object(Bucket="exports", Key=f"{base}public.tasks/1/part-00000-{file}")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", exports.key)
    assert [name for name in steady_jar.host.machines() if name.startswith("db-x")] == []
    assert exports.site.said("db-snapshot")[-1] == "The snapshot export task completed."
    assert steady_jar.client("kms").list_grants(KeyId=exports.key)["Grants"] == []


def test_two_files_tell_of_the_export_and_of_its_tables(steady_jar: TestJar) -> None:
    exports = Exports(steady_jar)
    steady_jar.jar.world.ports["database tables"] = Held()
    exports.start(ExportOnly=["store.public.tasks", "store.none"])
    done = exports.ended()
    assert done["ExportOnly"] == ["store.public.tasks", "store.none"]
    skipped = json.loads(done["WarningMessage"])["skippedObjectives"]
    assert skipped == [{"objective": "store.none", "reason": "NOT_FOUND"}]
    whole = json.loads(exports.text("one/export_info_one.json"))
    assert whole["status"] == "COMPLETE"
    assert (whole["percentProgress"], whole["totalExportedDataInGB"]) == (100, 3.0)
    assert (whole["sourceArn"], whole["exportedFilesPath"], whole["iamRoleArn"]) == (SNAPSHOT, "one", ROLE)
    (table,) = json.loads(exports.text("one/export_tables_info_one_from_1_to_1.json"))["perTableStatus"]
    assert (table["target"], table["status"], table["sizeGB"]) == ("store.public.tasks", "COMPLETE", 3.0)
    assert table["tableStatistics"]["partitioningInfo"] == {"numberOfPartitions": 1, "numberOfCompletedPartitions": 1}
    assert [
        (one["columnName"], one["originalType"], one["expectedExportedType"])
        for one in table["schemaMetadata"]["originalTypeMappings"]
    ] == [("id", "bigint", "int64"), ("title", "text", "binary (UTF8)")]


@pytest.mark.parametrize(
    ("only", "folders"),
    [
        (["store.private"], {"private.told"}),
        (["store.public.empty", "store.public.tasks"], {"public.empty", "public.tasks"}),
        (["store"], {"private.told", "public.by_year", "public.empty", "public.tasks"}),
    ],
)
def test_a_part_of_a_snapshot_is_exported(steady_jar: TestJar, only: list[str], folders: set[str]) -> None:
    exports = Exports(steady_jar)
    steady_jar.jar.world.ports["database tables"] = Held()
    exports.start(ExportOnly=only)
    assert exports.ended()["Status"] == "COMPLETE"
    assert {name.partition("/")[0] for name in exports.names("one/store/")} == folders


def test_a_table_whose_rows_are_none_is_left_out(steady_jar: TestJar) -> None:
    exports = Exports(steady_jar)
    held = steady_jar.jar.world.ports["database tables"] = Held()
    held.rows_of["private.told"] = b'"no number","said"\n'
    exports.start(ExportOnly=["store.private.told", "store.public.tasks"])
    done = exports.ended()
    assert done["Status"] == "COMPLETE"
    skipped = json.loads(done["WarningMessage"])["skippedTables"]
    assert skipped == [{"tableName": "store.private.told", "reason": "FAILED_TO_EXTRACT"}]
    assert len(exports.rows("one/store/public.tasks/1/")) == 3


def test_a_host_that_fails_once_is_asked_again_and_one_that_fails_on_ends_it(steady_jar: TestJar) -> None:
    exports = Exports(steady_jar)
    held = steady_jar.jar.world.ports["database tables"] = Held()
    held.failing = 1
    exports.start()
    assert exports.ended()["Status"] == "IN_PROGRESS"
    steady_jar.advance(minutes=1)
    assert exports.ended()["Status"] == "COMPLETE"
    held.failing = 1000
    exports.start("two")
    steady_jar.advance(minutes=5)
    failed = exports.ended("two")
    assert (failed["Status"], failed["FailureCause"]) == ("FAILED", "An unknown internal error occurred.")
    assert [name for name in steady_jar.host.machines() if name.startswith("db-x")] == []


def test_simulated_machines_have_nothing_to_export(jar: TestJar) -> None:
    exports = Exports(jar)
    exports.start()
    failed = exports.ended()
    assert (failed["Status"], failed["PercentProgress"]) == ("FAILED", 0)
    assert failed["FailureCause"] == "Simulated machines have no engine whose tables could be read."
    assert exports.site.said("db-snapshot")[-1] == "The snapshot export task failed."
    assert jar.client("kms").list_grants(KeyId=exports.key)["Grants"] == []
    shown = exports.rds.describe_export_tasks(Filters=[{"Name": "status", "Values": ["failed"]}])["ExportTasks"]
    assert [task["ExportTaskIdentifier"] for task in shown] == ["one"]
    assert exports.rds.describe_export_tasks(SourceArn=f"{SNAPSHOT}x")["ExportTasks"] == []


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ({"trusts": "rds.amazonaws.com"}, f"can't assume the IAM role {ROLE}."),
        ({"actions": ["s3:PutObject*"]}, "isn't authorized to call s3:GetBucketLocation on the S3 bucket exports."),
        ({"actions": ["s3:GetBucketLocation"]}, "isn't authorized to call s3:ListBucket on the S3 bucket exports."),
        ({"actions": ["s3:GetBucketLocation", "s3:ListBucket"]}, "Error code: AccessDenied"),
    ],
)
def test_what_the_role_may_not_do_fails_the_task(steady_jar: TestJar, how: dict[str, Any], cause: str) -> None:
    exports = Exports(steady_jar, **how)
    exports.start()
    failed = exports.ended()
    assert failed["Status"] == "FAILED"
    assert cause in failed["FailureCause"]


def test_a_bucket_of_elsewhere_and_a_key_that_is_off_fail_the_task(steady_jar: TestJar) -> None:
    exports = Exports(steady_jar)
    steady_jar.client("s3", region="us-east-1").create_bucket(Bucket="elsewhere")
    exports.start(S3BucketName="elsewhere")
    said = "The S3 bucket elsewhere isn't located in the current AWS Region."
    assert exports.ended()["FailureCause"].startswith(said)
    exports.start("two")
    steady_jar.client("kms").disable_key(KeyId=exports.key)
    assert "Error code: KMS." in exports.ended("two")["FailureCause"]


def test_it_is_cancelled_while_it_runs_and_not_afterwards(jar: TestJar) -> None:
    exports = Exports(jar)
    exports.start()
    assert exports.rds.cancel_export_task(ExportTaskIdentifier="one")["Status"] == "CANCELING"
    with refused("InvalidExportTaskStateFault"):
        exports.rds.cancel_export_task(ExportTaskIdentifier="one")
    assert exports.ended()["Status"] == "CANCELED"
    assert exports.site.said("db-snapshot")[-1] == "The snapshot export task was canceled."
    with refused("ExportTaskNotFound"):
        exports.rds.cancel_export_task(ExportTaskIdentifier="none")


def test_what_cannot_be_exported_is_refused(jar: TestJar) -> None:
    exports = Exports(jar)
    for wrong, code in (
        ({"SourceArn": f"{SNAPSHOT}x"}, "DBSnapshotNotFound"),
        ({"SourceArn": "arn:aws:rds:eu-west-3:000000000000:db:shop"}, "InvalidParameterValue"),
        ({"S3BucketName": "nowhere"}, "InvalidS3BucketFault"),
        ({"S3Prefix": "a:b"}, "InvalidParameterValue"),
        ({"IamRoleArn": f"{ROLE}x"}, "IamRoleNotFound"),
        ({"KmsKeyId": "alias/none"}, "KMSKeyNotAccessibleFault"),
        ({"KmsKeyId": "alias/aws/rds"}, "KMSKeyNotAccessibleFault"),
        ({"ExportOnly": ["store.public.a b"]}, "InvalidExportOnly"),
        ({"ExportOnly": ["a.b.c.d"]}, "InvalidExportOnly"),
        ({"ExportTaskIdentifier": "-x"}, "InvalidParameterValue"),
    ):
        with refused(code):
            exports.start(**wrong)
    exports.start()
    with refused("ExportTaskAlreadyExists", "already exists"):
        exports.start()
    with refused("ExportTaskAlreadyExists", "already running"):
        exports.start("two")
