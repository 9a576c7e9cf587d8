"""Whether a virtual machine has a disk in use: its kernel keeps its own counsel, so what is on the disk must tell.

While ext4 is mounted for writing, its superblock says that its journal would have to be recovered; a disk that
begins with nothing at all holds nothing that could be mounted. Whatever else is there may be mounted.
https://docs.kernel.org/filesystems/ext4/globals.html#super-block
"""

from __future__ import annotations

from pathlib import Path

_HEAD = 1 << 20
_SUPERBLOCK = 1024
_MAGIC = (_SUPERBLOCK + 0x38, b"\x53\xef")
_HAS_JOURNAL = (_SUPERBLOCK + 0x5C, 0x4)
_NEEDS_RECOVERY = (_SUPERBLOCK + 0x60, 0x4)


def may_be_mounted(file: Path) -> bool:
    """Whether the guest that has this disk may have a file system on it mounted."""
    with file.open("rb") as disk:
        return head_may_be_mounted(disk.read(_HEAD))


def head_may_be_mounted(head: bytes) -> bool:
    """The same of a disk's first MiB (pure)."""
    if not head.strip(b"\0"):
        return False
    at, magic = _MAGIC
    if head[at : at + len(magic)] != magic or head[:_SUPERBLOCK].strip(b"\0"):
        return True
    return not _has(head, _HAS_JOURNAL) or _has(head, _NEEDS_RECOVERY)


def _has(head: bytes, flag: tuple[int, int]) -> bool:
    at, bit = flag
    return bool(int.from_bytes(head[at : at + 4], "little") & bit)
