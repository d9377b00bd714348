"""crypt(3) of the system's C library, which checks most hashes that other mail systems wrote.

It runs outside the interpreter's lock, unlike a hash written in Python. Where the library is
missing (macOS, Windows) or does not know a method, ``crypt`` returns None.
"""

import ctypes
from collections.abc import Callable
from functools import cache

# ``struct crypt_data``: 131,232 octets in glibc, 32,768 in libxcrypt, less in musl. Zeroed is ready.
_WORKSPACE = 256 * 1024
_LIBRARIES = ("libcrypt.so.1", "libcrypt.so.2", None)  # None: what the process has loaded (musl)

Crypt = Callable[[bytes, bytes, "ctypes.Array[ctypes.c_char]"], bytes | None]


@cache
def _function() -> Crypt | None:
    for library in _LIBRARIES:
        try:
            function = ctypes.CDLL(library).crypt_r
        except (OSError, AttributeError, TypeError):
            continue
        function.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p)
        function.restype = ctypes.c_char_p
        return function
    return None


def crypt(password: bytes, setting: str) -> str | None:
    """Return the hash of a password under the method and salt of ``setting``, a hash itself.

    Returns None when the method is unknown here. The password holds no NUL.
    """
    function = _function()
    if function is None or not setting.isascii():
        return None
    result = function(password, setting.encode("ascii"), ctypes.create_string_buffer(_WORKSPACE))
    # A method that is not known gives NULL, or a text that is no hash: "*0" (crypt(3), libxcrypt).
    if result is None or result.startswith(b"*"):
        return None
    return result.decode("ascii", "replace")


@cache
def supports(sample: str) -> bool:
    """Return whether the library can hash with the method of ``sample``, a setting that is cheap."""
    return crypt(b"sample", sample) is not None
