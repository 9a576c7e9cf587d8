"""What a guest may not even ask the kernel: its system calls, as data for runc (pure).

https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#seccomp

Most of what is refused here the kernel would refuse anyway to who is root in a user namespace only; it is refused
twice because each of these has been a way out before, and no guest of ours needs it. Those that answer "not there"
make programs use what they used before there was such a call.
"""

from __future__ import annotations

from typing import Any

_NOT_ALLOWED = (
    "acct add_key bpf clock_settime clock_settime64 create_module delete_module finit_module get_kernel_syms "
    "init_module ioperm iopl kcmp kexec_file_load kexec_load lookup_dcookie nfsservctl open_by_handle_at "
    "perf_event_open query_module quotactl quotactl_fd settimeofday stime swapoff swapon syslog userfaultfd "
    "uselib vm86 vm86old"
)
_NOT_THERE = (
    # Keys of all guests count as one user's: a few machines with Docker would use up what one may have.
    "add_key keyctl request_key "
    # The new way to mount asks in small steps that nobody can judge one by one; the old one goes to the mount keeper.
    "fsopen fsconfig fsmount fspick "
    "io_uring_enter io_uring_register io_uring_setup"
)
_EPERM, _ENOSYS = 1, 38
_NOT_NEW = 32 | 4096 | 8192 | 1 << 17 | 1 << 18 | 1 << 19 | 1 << 20
"""Flags of mount(2) that say that nothing new is mounted: remount, bind, move, and the four propagations."""
_GROWING = (0x40086610, 0x4010586E)
"""The calls by which mounted ext4 and XFS are grown."""

ARCHITECTURES = {
    "x86_64": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    "aarch64": ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
}


def seccomp(machine: str, listener: str) -> dict[str, Any]:
    """The profile for a host of this architecture (`os.uname().machine`); `listener` is the mount keeper's socket."""
    missing = set(_NOT_THERE.split())
    # Without users of its own, a guest's Docker filters devices by a program where control groups are version 2.
    needed = set() if listener else {"bpf"}
    profile: dict[str, Any] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ARCHITECTURES.get(machine, []),
        "syscalls": [
            _refuse([name for name in _NOT_ALLOWED.split() if name not in missing | needed], _EPERM),
            _refuse(sorted(missing), _ENOSYS),
        ],
    }
    if listener:
        profile["listenerPath"] = listener
        profile["syscalls"] += [_ask("mount", 3, _NOT_NEW, 0), *(_ask("ioctl", 1, 0xFFFFFFFF, c) for c in _GROWING)]
    return profile


def _refuse(names: list[str], error: int) -> dict[str, Any]:
    return {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": error}


def _ask(name: str, argument: int, mask: int, value: int) -> dict[str, Any]:
    """Ask the keeper when the argument, as far as `mask` goes, is `value`."""
    when = {"index": argument, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}
    return {"names": [name], "action": "SCMP_ACT_NOTIFY", "args": [when]}
