"""KMS: keys that never leave, and who may use them."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "kms",
    modules=("access", "bill", "life", "spares", "ops"),
)
