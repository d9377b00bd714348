import signal
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
