"""S3 Access Grants: who may read or write below which prefix, by credentials that are given out for it."""
