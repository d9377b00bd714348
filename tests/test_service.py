import runpy
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from twisted.python.usage import UsageError

from twisted_mail import service
from twisted_mail.service import Options


def test_a_hang_up_while_the_configuration_is_read_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: dict[int, Callable[..., object]] = {}
    monkeypatch.setattr(service.signal, "signal", installed.__setitem__)
    options = Options()
    assert not options.is_hung_up
    with pytest.raises(UsageError):
        options.parseOptions(["--config", str(tmp_path / "none.toml")])
    installed[signal.SIGHUP](signal.SIGHUP, None)
    assert options.is_hung_up


PLUGIN = Path(__file__).parents[1] / "twisted" / "plugins" / "mailserver.py"


@pytest.mark.parametrize(
    ("command", "handler", "installed"),
    [
        ("mailserver", signal.SIG_DFL, [(signal.SIGHUP, signal.SIG_IGN)]),
        ("mailserver", print, []),
        ("web", signal.SIG_DFL, []),
    ],
)
def test_a_hang_up_before_the_server_is_loaded_does_not_end_it(
    command: str, handler: object, installed: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[object] = []
    monkeypatch.setattr(sys, "argv", ["twistd", "--nodaemon", command])
    monkeypatch.setattr(signal, "getsignal", lambda number: handler)
    monkeypatch.setattr(signal, "signal", lambda *change: found.append(change))
    runpy.run_path(str(PLUGIN))
    assert found == installed


def test_mistakes_in_the_texts_of_reports_are_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.signal, "signal", lambda *change: None)
    (tmp_path / "failed.txt").write_text("x")
    (tmp_path / "mail.toml").write_text(
        'hostname = "mail.example.org"\nstate = "state"\n[reports]\ntemplates = "."\n'
        '[[listener]]\nservice = "smtp"\nendpoint = "tcp:25"\n'
    )
    with pytest.raises(UsageError, match=r"failed\.txt: it has to begin with a line Subject:"):
        Options().parseOptions(["--config", str(tmp_path / "mail.toml")])
