from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.job import LISTS, Job, program_transport
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.route import ListTarget, ProgramTarget


def test_each_program_has_a_transport_and_all_lists_share_one() -> None:
    program = ProgramTarget("ticket", parse("a@example.org"))
    assert Job("x", 1.0, NULL, program).transport == program_transport("ticket") == "|ticket"
    assert Job("x", 1.0, NULL, ListTarget("n@example.org", ListRole.POST)).transport == LISTS


def test_a_new_job_waits_for_nobody_and_was_not_tried() -> None:
    job = Job("x", 1.0, NULL, ProgramTarget("ticket", parse("a@example.org")))
    assert (job.submitter, job.body, job.is_utf8) == ("", "7BIT", False)
    assert (job.due, job.attempts, job.is_held, job.reason) == (0.0, 0, False, "")
