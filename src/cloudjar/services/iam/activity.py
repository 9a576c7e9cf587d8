"""What principals did last: the kit's, since the access advisor is not the only one who asks (`kit.activity`)."""

from cloudjar.kit.activity import TRACKED, Access, follow, of

__all__ = ["TRACKED", "Access", "follow", "of"]
