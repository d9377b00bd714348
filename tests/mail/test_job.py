from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.job import LISTS, Job, program_transport
from twisted_mail.mail.mailing_list import ListRole
from twisted_mail.mail.route import ListTarget, ProgramTarget


def test_each_program_has_a_transport_and_all_lists_share_one() -> None:
    program = ProgramTarget("ticket", parse("a@example.org"))
    assert Job("x", 1.0, NULL, program).transport == program_transport("ticket") == "|ticket"
    assert Job("x", 1.0, NULL, ListTarget("n@example.org", ListRole.POST)).transport == LISTS
