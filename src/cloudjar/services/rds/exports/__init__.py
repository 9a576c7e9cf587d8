"""Exports of snapshots to S3, as Parquet."""
