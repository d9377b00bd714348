"""twisted-mail waiting."""

from tests.control.jobs import add_jobs
from tests.control.terminal import Terminal


def test_mail_that_waits_is_listed(server: Terminal) -> None:
    assert server("waiting", "list") == 0
    assert server.out == "no mail waits\n"
    add_jobs(server)
    assert server("waiting", "list") == 0
    lines = server.out.splitlines()
    assert lines[1].split()[:5] == ["id2-1", "1970-01-01", "|ticket", "<>", "2"]
    assert "held" in lines[2]
    assert server.json("waiting", "list")["waiting"][0]["next"] == "1970-01-01T00:01:39+00:00"
