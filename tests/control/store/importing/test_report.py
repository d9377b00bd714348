from twisted_mail.control.output import FAILED, FINE
from twisted_mail.control.store.importing.report import MailboxSummary, result
from twisted_mail.control.store.skipped import SkippedItems


def summaries() -> list[MailboxSummary]:
    return [
        MailboxSummary("INBOX", found=3, already=1, imported=2, octets=1_500_000, has_uids=True),
        MailboxSummary("Sent", found=1, imported=1, octets=500_000),
    ]


def test_each_mailbox_has_a_line_and_all_together_the_last() -> None:
    report = result("alice@example.org", summaries(), SkippedItems(), is_dry_run=False)
    assert report.lines == [
        "INBOX: 2 messages imported, 1 were here already, UIDs kept",
        "Sent: 1 message imported",
        "3 messages, 2.0 MB, imported",
    ]
    assert report.code == FINE


def test_a_dry_run_says_what_would_be_done() -> None:
    report = result("alice@example.org", summaries(), SkippedItems(), is_dry_run=True)
    assert report.lines[1] == "Sent: 1 message would be imported"
    assert report.data["dry_run"]


def test_what_was_skipped_makes_the_command_fail() -> None:
    skipped = SkippedItems()
    skipped.add("INBOX 7", "too large")
    report = result("alice@example.org", summaries(), skipped, is_dry_run=False)
    assert report.code == FAILED
    assert any("too large" in line for line in report.lines)
