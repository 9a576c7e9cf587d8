"""Snapshots exported to S3, and what is then in the bucket."""

from __future__ import annotations

import io
import json
from contextlib import closing
from typing import Any

from pyarrow import parquet

from tests.host.jar.served import REGION, RealJar, until

_ACTIONS = ["s3:PutObject*", "s3:GetObject*", "s3:ListBucket", "s3:DeleteObject*", "s3:GetBucketLocation"]


class Exports:
    """A bucket, a key, and a role that may write there."""

    def __init__(self, jar: RealJar) -> None:
        self._rds, self._s3 = jar.client("rds"), jar.client("s3")
        self._s3.create_bucket(Bucket="exports", CreateBucketConfiguration={"LocationConstraint": REGION})
        trust = {"Principal": {"Service": "export.rds.amazonaws.com"}, "Action": "sts:AssumeRole"}
        may = {"Action": _ACTIONS, "Resource": ["arn:aws:s3:::exports", "arn:aws:s3:::exports/*"]}
        iam = jar.client("iam")
        made = iam.create_role(RoleName="exporter", AssumeRolePolicyDocument=_policy(trust))
        self._role = made["Role"]["Arn"]
        iam.put_role_policy(RoleName="exporter", PolicyName="write", PolicyDocument=_policy(may))
        self._key = jar.client("kms").create_key()["KeyMetadata"]["Arn"]

    def whole(self, snapshot: str, **more: Any) -> dict[str, Any]:
        """Export a snapshot; the task of that name once it is complete."""
        snapshots = self._rds.describe_db_snapshots(DBSnapshotIdentifier=snapshot)["DBSnapshots"]
        self._rds.start_export_task(
            ExportTaskIdentifier=snapshot, SourceArn=snapshots[0]["DBSnapshotArn"], S3BucketName="exports",
            IamRoleArn=self._role, KmsKeyId=self._key, **more,
        )  # fmt: skip

        def ended() -> dict[str, Any] | None:
            task = self._rds.describe_export_tasks(ExportTaskIdentifier=snapshot)["ExportTasks"][0]
            return task if task["Status"] not in ("STARTING", "IN_PROGRESS") else None

        task: dict[str, Any] = until(ended, f"the export of {snapshot} to end", 180, 0.1)
        assert task["Status"] == "COMPLETE", task
        return task

    def rows(self, folder: str) -> list[dict[str, Any]]:
        """What a reader of Parquet finds in a folder."""
        found: list[dict[str, Any]] = []
        for one in self._s3.list_objects_v2(Bucket="exports", Prefix=folder).get("Contents", []):
            if one["Key"].endswith(".gz.parquet"):
                with closing(self._s3.get_object(Bucket="exports", Key=one["Key"])["Body"]) as body:
                    found += parquet.read_table(io.BytesIO(body.read())).to_pylist()
        return found


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
