"""S3 Control: accounts' public access, access points, tags. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service("s3control", ("access_points", "public_access", "tagging"))
