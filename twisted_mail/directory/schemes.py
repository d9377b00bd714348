"""The password schemes of other mail systems: ``{SCHEME}hash`` as Dovecot writes it.

Each scheme has a form, by which a mistake is found without computing anything, and a check.
Hashes without braces are known by their beginning (``$argon2id$``, ``$2y$``, ``$6$``, ``$y$``).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

from argon2 import Type, exceptions
from argon2.low_level import verify_secret

from twisted_mail.directory import libcrypt

MAX_HASH = 1024  # characters
_BRACED = re.compile(r"\{([A-Za-z0-9.-]{1,32})\}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{1,600}={0,2}")
_HEX = re.compile(r"[0-9A-Fa-f]{2,128}")


class Uncheckable(ValueError):
    """A stored password that cannot be checked here, and why, for the administrator."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """How the hashes of one scheme look, and how a password is checked against one.

    ``needs`` returns what is missing on this machine, or an empty text.
    """

    form: re.Pattern[str]
    check: Callable[[str, bytes], bool]
    needs: Callable[[], str] = lambda: ""


def split(stored: str) -> tuple[str, str]:
    """Return the scheme's name, upper case, and the hash. Raises Uncheckable."""
    if len(stored) > MAX_HASH:
        raise Uncheckable("the hash is too long")
    braced = _BRACED.match(stored)
    rest = stored[braced.end() :] if braced else stored
    if braced and braced[1].upper() not in ("CRYPT", "MD5"):
        return braced[1].upper(), rest
    for beginning, name in _PREFIXES:
        if rest.startswith(beginning):
            return name, rest
    if braced is None:
        raise Uncheckable("there is no {SCHEME} in front of the hash")
    return braced[1].upper(), rest


def find(name: str) -> Scheme:
    """Return the scheme of a name, which may end with ``.HEX`` or ``.B64``. Raises Uncheckable."""
    plain = name.removesuffix(".HEX").removesuffix(".B64").removesuffix(".BASE64")
    scheme = SCHEMES.get(plain)
    if scheme is None or (plain != name and plain not in _DIGESTS):
        raise Uncheckable(f"the password scheme {{{name}}} is not known")
    return scheme


def check_form(stored: str) -> None:
    """Raise Uncheckable when no password could ever be checked against this."""
    name, rest = split(stored)
    scheme = find(name)
    if not scheme.form.fullmatch(rest):
        raise Uncheckable(f"this is not what a hash of {{{name}}} looks like")
    if missing := scheme.needs():
        raise Uncheckable(f"{{{name}}} cannot be checked here: {missing}")
    if isinstance(scheme.check, _Digest):
        scheme.check(rest, b"")  # cheap, and finds digests of the wrong size


def matches(stored: str, password: bytes) -> bool:
    """Return whether a password, which has no NUL, matches. Raises Uncheckable."""
    name, rest = split(stored)
    scheme = find(name)
    if not scheme.form.fullmatch(rest):
        raise Uncheckable(f"this is not what a hash of {{{name}}} looks like")
    return scheme.check(rest, password)


# ---------------------------------------------------------------- argon2


def _argon2(kind: Type) -> Callable[[str, bytes], bool]:
    def check(rest: str, password: bytes) -> bool:
        try:
            return verify_secret(rest.encode("ascii"), password, kind)
        except exceptions.VerifyMismatchError:
            return False
        except (exceptions.Argon2Error, ValueError) as error:  # out of memory, or broken Base64
            raise Uncheckable(f"argon2 says: {error}") from error

    return check


def _argon2_form(kind: str) -> re.Pattern[str]:
    # Memory up to 9,999,999 KiB, passes and lanes up to 999: more would be a trap for the server.
    cost = r"m=[0-9]{1,7},t=[0-9]{1,3},p=[0-9]{1,3}"
    return re.compile(rf"\${kind}\$v=19\${cost}\$[A-Za-z0-9+/]{{11,86}}\$[A-Za-z0-9+/]{{6,172}}")


# ---------------------------------------------------------------- crypt(3), bcrypt, passlib


def _crypt(extra: Callable[[str, bytes], bool] | None) -> Callable[[str, bytes], bool]:
    def check(rest: str, password: bytes) -> bool:
        result = libcrypt.crypt(password, rest)
        if result is not None:
            return hmac.compare_digest(result.encode(), rest.encode())
        if extra is None:
            raise Uncheckable(_NO_LIBRARY)
        try:
            return extra(rest, password)
        except ImportError:
            raise Uncheckable(_NO_EXTRA) from None

    return check


def _crypt_needs(sample: str, extra: Callable[[str, bytes], bool] | None) -> Callable[[], str]:
    def needs() -> str:
        if libcrypt.supports(sample):
            return ""
        if extra is None:
            return _NO_LIBRARY
        try:
            extra(sample, b"sample")
        except ImportError:
            return _NO_EXTRA
        except ValueError:
            pass  # the sample is no whole hash; that it was looked at is enough
        return ""

    return needs


_NO_LIBRARY = "the system's crypt(3) does not know this method"
_NO_EXTRA = "install the extra: pip install 'twisted-mail[legacy-passwords]'"


def _bcrypt(rest: str, password: bytes) -> bool:
    import bcrypt

    # bcrypt never looked beyond 72 octets; release 5 refuses what others pass over.
    return bcrypt.checkpw(password[:72], rest.encode("ascii"))


def _passlib(rest: str, password: bytes) -> bool:
    from passlib.hash import md5_crypt, sha256_crypt, sha512_crypt

    scheme = {"$6$": sha512_crypt, "$5$": sha256_crypt, "$1$": md5_crypt}[rest[:3]]
    return bool(scheme.verify(password, rest))


def _crypt_scheme(
    form: str, sample: str, extra: Callable[[str, bytes], bool] | None = None
) -> Scheme:
    return Scheme(re.compile(form), _crypt(extra), _crypt_needs(sample, extra))


# ---------------------------------------------------------------- digests


@dataclass(frozen=True, slots=True)
class _Digest:
    """A bare digest, salted when octets follow it (RFC 2307 §5.3 and its descendants)."""

    algorithm: str
    is_salted: bool

    def __call__(self, rest: str, password: bytes) -> bool:
        size = hashlib.new(self.algorithm, usedforsecurity=False).digest_size
        octets = _decode(rest, size)
        digest, salt = octets[:size], octets[size:]
        if len(digest) < size or bool(salt) != self.is_salted:
            raise Uncheckable("the digest is too short or too long")
        made = hashlib.new(self.algorithm, password + salt, usedforsecurity=False).digest()
        return hmac.compare_digest(made, digest)


def _decode(text: str, size: int) -> bytes:
    """Decode hexadecimal where it can only be that, else Base64, by Dovecot's rule."""
    try:
        if _HEX.fullmatch(text) and len(text) >= 2 * size:
            return bytes.fromhex(text)
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError as error:
        raise Uncheckable("the digest is neither Base64 nor hexadecimal") from error


def _digest_scheme(algorithm: str, is_salted: bool = False) -> Scheme:
    form = re.compile(f"{_BASE64.pattern}|{_HEX.pattern}")
    return Scheme(form, _Digest(algorithm, is_salted))


def _pbkdf2(rest: str, password: bytes) -> bool:
    _, _, salt, rounds, digest = rest.split("$")
    made = hashlib.pbkdf2_hmac("sha1", password, salt.encode(), int(rounds), len(digest) // 2)
    return hmac.compare_digest(made, bytes.fromhex(digest))


def _plain(rest: str, password: bytes) -> bool:
    return hmac.compare_digest(rest.encode(), password)


# ---------------------------------------------------------------- the table

_SHA512_CRYPT = r"\$6\$(?:rounds=[0-9]{1,8}\$)?[^$:\s]{0,16}\$[./A-Za-z0-9]{86}"
_SHA256_CRYPT = r"\$5\$(?:rounds=[0-9]{1,8}\$)?[^$:\s]{0,16}\$[./A-Za-z0-9]{43}"
_MD5_CRYPT = r"\$1\$[^$:\s]{0,8}\$[./A-Za-z0-9]{22}"
_BCRYPT = r"\$2[aby]\$(?:0[4-9]|1[0-9])\$[./A-Za-z0-9]{53}"
_SALT = "abcdefgh"

_DIGESTS = {
    "SHA": _digest_scheme("sha1"),
    "SHA1": _digest_scheme("sha1"),
    "SHA256": _digest_scheme("sha256"),
    "SHA512": _digest_scheme("sha512"),
    "SSHA": _digest_scheme("sha1", is_salted=True),
    "SSHA256": _digest_scheme("sha256", is_salted=True),
    "SSHA512": _digest_scheme("sha512", is_salted=True),
    "PLAIN-MD5": _digest_scheme("md5"),
    "LDAP-MD5": _digest_scheme("md5"),
    "SMD5": _digest_scheme("md5", is_salted=True),
}

SCHEMES = {
    "ARGON2ID": Scheme(_argon2_form("argon2id"), _argon2(Type.ID)),
    "ARGON2I": Scheme(_argon2_form("argon2i"), _argon2(Type.I)),
    "BLF-CRYPT": _crypt_scheme(_BCRYPT, f"$2y$04${'a' * 21}e{'a' * 31}", _bcrypt),
    "SHA512-CRYPT": _crypt_scheme(_SHA512_CRYPT, f"$6$rounds=1000${_SALT}$", _passlib),
    "SHA256-CRYPT": _crypt_scheme(_SHA256_CRYPT, f"$5$rounds=1000${_SALT}$", _passlib),
    "MD5-CRYPT": _crypt_scheme(_MD5_CRYPT, f"$1${_SALT}$", _passlib),
    # Whatever else the C library knows: yescrypt, scrypt, and DES for those who still have it.
    "CRYPT": _crypt_scheme(r"[!-9;-~]{13,384}", "$y$j75$abcdefgh$"),
    "PBKDF2": Scheme(re.compile(r"\$1\$[^$\s]{1,64}\$[1-9][0-9]{0,6}\$(?:[0-9a-f]{40})"), _pbkdf2),
    "PLAIN": Scheme(re.compile(r"[^\0\r\n]{1,512}"), _plain),
    "CLEARTEXT": Scheme(re.compile(r"[^\0\r\n]{1,512}"), _plain),
    **_DIGESTS,
}

_PREFIXES = (
    ("$argon2id$", "ARGON2ID"),
    ("$argon2i$", "ARGON2I"),
    ("$2", "BLF-CRYPT"),
    ("$6$", "SHA512-CRYPT"),
    ("$5$", "SHA256-CRYPT"),
    ("$1$", "MD5-CRYPT"),
    ("$y$", "CRYPT"),
    ("$gy$", "CRYPT"),
    ("$7$", "CRYPT"),
)
