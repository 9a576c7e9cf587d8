"""S3 Control: public access, access points, access grants, batch jobs, tags. See README.md for what is real."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "s3control",
    ("access_points", "grants.ops", "grants.vending", "jobs.life", "jobs.ops", "public_access", "tagging"),
)
