"""System calls that Python has no function for."""

import ctypes
import errno
import os
import re
import sys
from functools import cache

_AT_FDCWD, _NOREPLACE = -100, 1
_NO_RENAMEAT2 = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)

_library = ctypes.CDLL(None, use_errno=True)
_renameat2 = getattr(_library, "renameat2", None)
if _renameat2 is not None:
    _renameat2.argtypes = (
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_uint,
    )


def rename_to_free(path: bytes, new_path: bytes) -> None:
    """Call renameat2(2); where there is none, or not on this file system, look first."""
    if _renameat2 is not None:
        if _renameat2(_AT_FDCWD, path, _AT_FDCWD, new_path, _NOREPLACE) == 0:
            return
        number = ctypes.get_errno()
        if number not in _NO_RENAMEAT2:
            raise OSError(number, os.strerror(number))
    if os.path.lexists(new_path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    os.rename(path, new_path)


# ---------------------------------------------------------------- without waiting

_OPENAT2 = 437  # on every architecture: calls since Linux 5.0 have one number
_RESOLVE_CACHED = 0x20
_NO_OPENAT2 = (errno.EINVAL, errno.ENOSYS, errno.EPERM)  # an older kernel, or a sandbox


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


# The interpreter's lock is kept: giving it away takes longer than the call, which never waits.
_syscall = ctypes.PyDLL(None, use_errno=True).syscall if sys.platform == "linux" else None
if _syscall is not None:
    _syscall.restype = ctypes.c_long
# Arguments that are made once: to convert them for each call took a tenth of it.
_CALL = ctypes.c_long(_OPENAT2), ctypes.c_int(_AT_FDCWD)
_HOW_SIZE = ctypes.c_size_t(ctypes.sizeof(_OpenHow))


@cache
def _how(flags: int) -> "ctypes._Pointer[_OpenHow]":
    return ctypes.pointer(_OpenHow(flags, 0, _RESOLVE_CACHED))


def open_at_once(path: bytes, flags: int) -> int:
    """Call openat2(2): open a file if nothing has to be read from a disk for that.

    Raises BlockingIOError where something has, and where there is no such call (before Linux 5.12).
    """
    if _syscall is not None:
        fd: int = _syscall(*_CALL, path, _how(flags), _HOW_SIZE)
        if fd >= 0:
            return fd
    number = ctypes.get_errno() if _syscall is not None else errno.ENOSYS
    raise _error(errno.EAGAIN if number in _NO_OPENAT2 else number)


def read_at_once(fd: int, size: int, offset: int) -> bytes:
    """Call preadv2(2): read what is in memory of a file, at most ``size`` octets.

    Raises BlockingIOError where nothing of it is, and OSError where there is no such call, or not on
    this file system.
    """
    if not hasattr(os, "RWF_NOWAIT"):
        raise _error(errno.ENOSYS)
    data = bytearray(size)
    return bytes(memoryview(data)[: os.preadv(fd, [data], offset, os.RWF_NOWAIT)])


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


# ---------------------------------------------------------------- file systems

# ext4, XFS, Btrfs (linux/magic.h).
_LOCAL_FILE_SYSTEMS = frozenset({0xEF53, 0x58465342, 0x9123683E})
# The first Linux whose syncfs reports all that failed (octets it reported since 5.8).
_SYNCFS_REPORTS_SINCE = (5, 17)
# One on which syncfs was seen to fail on a file system that has given up.
_SYNCFS_VERIFIED_SINCE = (6, 18)

_syncfs = getattr(_library, "syncfs", None)
_fstatfs = getattr(_library, "fstatfs", None)


def sync_file_system(fd: int) -> None:
    """Call syncfs(2): wait until all of the file system that ``fd`` is on is on disk.

    Raises OSError, also for what was written since ``fd`` was opened and could not be kept; not always
    on a file system that has given up, see ``sync_if_doubtful``.
    """
    if _syncfs is None or _syncfs(fd) != 0:
        number = ctypes.get_errno() if _syncfs is not None else errno.ENOSYS
        raise OSError(number, os.strerror(number))


def sync_if_doubtful(fd: int) -> None:
    """Call fsync(2) on a folder where ``sync_file_system`` may succeed without doing anything.

    That is so on a file system that has given up, as ext4 does after an error in its journal, on many
    kernels; fsync fails there. Raises OSError.
    """
    if _linux() < _SYNCFS_VERIFIED_SINCE:
        os.fsync(fd)


def _linux() -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])


def is_syncfs_reliable(fd: int) -> bool:
    """Return whether ``sync_file_system`` can be relied on for the file system that ``fd`` is on.

    It can where the file system is known to flush data, names and the disk's own cache, and the kernel
    to report what failed. FUSE and network file systems write, and promise nothing.
    """
    if _syncfs is None or not is_local(fd):
        return False
    return _linux() >= _SYNCFS_REPORTS_SINCE


def is_local(fd: int) -> bool:
    """Return whether the file system that ``fd`` is on is known to be on disks of this machine alone."""
    if sys.platform != "linux" or _fstatfs is None:
        return False
    described = ctypes.create_string_buffer(512)  # struct statfs, which begins with the type
    if _fstatfs(fd, described) != 0:
        return False
    return ctypes.c_long.from_buffer(described).value in _LOCAL_FILE_SYSTEMS
