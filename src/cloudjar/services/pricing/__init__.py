"""The Price List API: the product's own table of prices in AWS's form. See README.md."""

from cloudjar.kit.operation import Service

SERVICE = Service("pricing", modules=("ops", "files"))
