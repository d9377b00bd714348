from pathlib import Path

import pytest

from twisted_mail.config import ConfigError, load
from twisted_mail.queue.program import Program

BASE = (
    'hostname = "mail.example.org"\n'
    '[[listener]]\nservice = "smtp"\nendpoint = "tcp:25"\ntls = "none"\n'
)
TICKET = '[[program]]\nname = "ticket"\ncommand = ["/bin/ticket", "-q"]\n'


def read(folder: Path, text: str) -> tuple[Program, ...]:
    (folder / "mail.toml").write_text(BASE + text)
    return load(folder / "mail.toml").programs


def mistake(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as error:
        read(folder, text)
    (one,) = error.value.mistakes
    return str(one).removeprefix(f"{folder}/mail.toml:")


def test_programs_are_read_in_order(tmp_path: Path) -> None:
    assert read(tmp_path, "") == ()
    other = TICKET.replace("ticket", "other")
    assert read(tmp_path, TICKET + other + "seconds = 5\n") == (
        Program("ticket", ("/bin/ticket", "-q")),
        Program("other", ("/bin/other", "-q"), seconds=5),
    )


def test_drop_ins_add_programs(tmp_path: Path) -> None:
    (tmp_path / "mail.toml.d").mkdir()
    (tmp_path / "mail.toml.d" / "x.toml").write_text(TICKET.replace("ticket", "other"))
    assert [one.name for one in read(tmp_path, TICKET)] == ["ticket", "other"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TICKET + TICKET, "another program is called 'ticket'"),
        (TICKET.replace('"/bin/ticket", ', ""), "must begin with the whole path"),
        (TICKET + "shell = true\n", "shell"),
        ('[program]\nname = "x"\n', "begin each with [[program]]"),
        ('[addresses]\nseparators = "x"\n', "separators"),
        ('[lists]\nbase_url = "http://x"\n', "https"),
        ("[queue]\nretries = [0]\n", "retries must be one second or more"),
        ("[waiting]\nfirst_retry = 60\n", "this section is [queue] now"),
        ('[reports]\npostmaster = "me"\n', "an address needs an @"),
    ],
)
def test_mistakes_are_reported_with_their_place(tmp_path: Path, text: str, said: str) -> None:
    assert said in mistake(tmp_path, text)
