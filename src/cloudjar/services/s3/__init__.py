"""S3: buckets and objects. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "s3",
    ("buckets.ops",),
)
