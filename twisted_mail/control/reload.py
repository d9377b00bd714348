"""``twisted-mail reload``: let the running server read its configuration again."""

import argparse
import json
import socket
from collections.abc import Callable, Mapping
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.output import FAILED, FINE, CommandError, CommandResult

ANSWER_SECONDS = 60.0  # until the server has to have answered
_MAX_ANSWER = 4 * 1024 * 1024  # octets


def reload(_: argparse.Namespace, config: Config) -> CommandResult:
    """Reload, and return what changed, or why nothing did."""
    answer = ask(config, "reload")
    mistakes = [str(text) for text in answer.get("mistakes", ())]
    restarts = [str(text) for text in answer.get("needs_restart", ())]
    done = [str(text) for text in answer.get("done", ())]
    lines = [*mistakes, *done, *(f"warning: {text}" for text in answer.get("warnings", ()))]
    lines += [f"needs a restart: {text}" for text in restarts]
    if mistakes:
        lines.append("nothing was changed")
    elif not lines:
        lines.append("nothing changes")
    return CommandResult(dict(answer), lines, FAILED if mistakes else FINE)


def ask(config: Config, request: str) -> Mapping[str, Any]:
    """Return the running server's answer to a request. Raises CommandError."""
    path = config.control_socket
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(str(path))
            connection.sendall(f"{request}\n".encode())
            octets = _read(connection)
        answer: Mapping[str, Any] = json.loads(octets)
    except (FileNotFoundError, ConnectionRefusedError):
        raise CommandError(
            f"no server runs with {config.path} (nobody listens at {path})"
        ) from None
    except (OSError, ValueError) as error:
        raise CommandError(f"{path}: no answer from the server: {error}") from None
    if "error" in answer:
        raise CommandError(str(answer["error"]))
    return answer


def _read(connection: socket.socket) -> bytes:
    found = b""
    while (piece := connection.recv(65536)) and len(found) < _MAX_ANSWER:
        found += piece
    return found


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command ``reload``."""
    command("reload", reload, "let the running server read its configuration again")
