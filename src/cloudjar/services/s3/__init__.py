"""S3: buckets and objects. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "s3",
    (
        "access.forms",
        "access.locating",
        "buckets.browsers",
        "buckets.cors",
        "buckets.logging",
        "buckets.ops",
        "buckets.ownership",
        "buckets.policies",
        "buckets.settings",
        "buckets.several",
        "lifecycle.life",
        "lifecycle.ops",
        "lifecycle.restores",
        "listing.ops.objects",
        "listing.ops.versions",
        "multipart.ops.life",
        "multipart.ops.lists",
        "multipart.ops.parts",
        "locks.ops",
        "notifications.ops",
        "notifications.outbox",
        "notifications.telling",
        "objects.ops.acls",
        "objects.ops.copy",
        "objects.ops.delete",
        "objects.ops.get",
        "objects.ops.put",
        "objects.ops.tagging",
        "website.config",
        "website.serving",
    ),
)
