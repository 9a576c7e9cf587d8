"""S3 Control: public access, access points, batch jobs, tags. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service("s3control", ("access_points", "jobs.life", "jobs.ops", "public_access", "tagging"))
