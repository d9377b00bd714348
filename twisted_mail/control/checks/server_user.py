"""The user that the server runs as: who owns the state folder, if root looks at it."""

import os
import pwd
from pathlib import Path

from twisted_mail.net.process.server_user import ServerUser


def server_user_of(state: Path) -> ServerUser:
    """Return the owner of a state folder for root, who may do everything; for others, themselves.

    Where there is no folder yet, nobody is known but who asks.
    """
    try:
        found = os.stat(state)
    except OSError:
        return ServerUser()
    if os.geteuid() != 0 or found.st_uid == 0:
        return ServerUser()
    return ServerUser((found.st_uid, found.st_gid))


def current_name() -> str:
    """Return the name of the user with whose rights this process acts."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"
