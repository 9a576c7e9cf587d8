"""S3 Control: access points, access grants, batch jobs, Storage Lens and more. See README.md for what is real."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "s3control",
    (
        "access_points",
        "grants.ops",
        "grants.vending",
        "jobs.life",
        "jobs.ops",
        "lens.life",
        "lens.ops",
        "public_access",
        "tagging",
    ),
)
