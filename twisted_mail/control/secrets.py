"""Passwords for the control command: asked for without echo, read from a pipe, or made up."""

import argparse
import getpass
import secrets
import sys

from twisted_mail.control.output import WRONG_USE, CommandError
from twisted_mail.directory.passwords import MAX_PASSWORD

# Without characters that look alike: 31 to the power of 20 is 99 bits.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def generate_password() -> str:
    """Return a new password of four groups that can be read out on the telephone."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))
    return "-".join(groups)


def password_from(options: argparse.Namespace) -> str:
    """Return the password, from where the options say. Raises CommandError.

    Without a password an account gets one that nobody ever sees.
    """
    if options.generate or getattr(options, "no_password", False):
        return generate_password()
    if options.password_stdin:
        return read_password()
    if not sys.stdin.isatty():
        raise CommandError(
            "there is no terminal to ask for the password: use --password-stdin or --generate",
            WRONG_USE,
        )
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise CommandError("the two passwords differ")
    return password


def read_password() -> str:
    """Return the first line of standard input."""
    line = sys.stdin.buffer.readline(MAX_PASSWORD + 2)
    try:
        return line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise CommandError("the password is not UTF-8 text") from None
