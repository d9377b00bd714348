"""System calls that Python has no function for."""

import ctypes
import errno
import os

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
