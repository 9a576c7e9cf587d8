"""STS: temporary credentials. It stores nothing: a session is what its sealed token says."""

from cloudjar.kit.operation import Service

SERVICE = Service("sts", modules=("ops", "web_identity", "saml"))
