"""AWS Account Management: what an account says of itself. See README.md."""

from cloudjar.kit.operation import Service

SERVICE = Service("account", modules=("records", "access", "life", "ops", "regions"))
