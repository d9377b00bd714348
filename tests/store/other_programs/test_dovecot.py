"""Dovecot served the maildir before, or serves it at the same time."""

import pytest

from tests.contracts.ground import draft, entry, mail
from tests.store.shared_maildir import SharedMaildir, texts, uids
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.store.index import blocks
from twisted_mail.testing.doubles import finish


def served_by_dovecot(shared: SharedMaildir) -> None:
    shared.drop("cur/10.a,S=32:2,Sab", mail("a"))
    shared.drop("new/11.b", mail("b"))
    shared.drop("new/12.c", mail("c"))
    uidlist = "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n"
    uidlist += "25006 :10.a,S=32:2,S\n25017 W99 :11.b\n25018 :gone\n"
    (shared.maildir / "dovecot-uidlist").write_text(uidlist)
    (shared.maildir / "dovecot-keywords").write_text("0 $Junk\n1 NonJunk\n")
    (shared.maildir / "subscriptions").write_text("V\t2\n\nLists\tpython\nSent\n")
    shared.drop(".Lists.python/new/1.x", mail("x"))


def test_uids_of_dovecot_are_kept(shared: SharedMaildir) -> None:
    served_by_dovecot(shared)
    inbox = shared.open()
    assert inbox.uidvalidity == 1275660208
    assert uids(inbox) == [25006, 25017, 25022]
    assert texts(inbox) == [mail("a"), mail("b"), mail("c")]


def test_keywords_of_dovecot_are_kept(shared: SharedMaildir) -> None:
    served_by_dovecot(shared)
    inbox = shared.open()
    assert entry(inbox, 25006).flags == {"\\Seen", "$Junk", "NonJunk"}
    assert {*inbox.keywords} == {"$Junk", "NonJunk"}


def test_subscriptions_of_dovecot_are_kept(shared: SharedMaildir) -> None:
    served_by_dovecot(shared)
    infos = {info.name: info for info in finish(shared.account.mailboxes())}
    assert infos["Lists/python"].is_subscribed
    assert not infos["Lists"].is_selectable


def test_dovecot_finds_what_it_knows(shared: SharedMaildir) -> None:
    served_by_dovecot(shared)
    inbox = shared.open()
    finish(inbox.mark([25017], "add", normal(["later", "$JUNK"])))
    finish(shared.account.subscribe("Lists/python", False))
    assert (shared.maildir / "dovecot-keywords").read_text() == "0 $Junk\n1 NonJunk\n2 later\n"
    assert shared.files("cur") == ["10.a,S=32:2,Sab", "11.b:2,ac"]
    lines = (shared.maildir / "dovecot-uidlist").read_text().splitlines()
    assert lines[0] == "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1"
    assert lines[-1] == "25022 :12.c"
    assert "Lists" not in (shared.maildir / "subscriptions").read_text()


def test_uids_that_dovecot_gave_meanwhile_are_taken_over(shared: SharedMaildir) -> None:
    served_by_dovecot(shared)
    inbox = shared.open()
    shared.drop("new/13.d", mail("d"))
    with open(shared.maildir / "dovecot-uidlist", "a") as file:
        file.write("25040 :13.d\n")
    finish(inbox.refresh())
    assert uids(inbox)[-1] == 25040
    finish(shared.account.append("INBOX", [draft(mail("e"))]))
    assert uids(inbox)[-1] == 25041


def test_keywords_that_dovecot_made_meanwhile_are_seen(shared: SharedMaildir) -> None:
    served_by_dovecot(shared)
    shared.drop("cur/20.z:2,c", mail("z"))
    inbox = shared.open()
    assert entry(inbox, uids(inbox)[-1]).flags == frozenset()
    (shared.maildir / "dovecot-keywords").write_text("0 $Junk\n1 NonJunk\n2 Fresh\n")
    finish(inbox.refresh())
    assert "Fresh" in [*inbox.keywords]
    assert [flags for flags in inbox.columns.flags if "Fresh" in flags] != []


def test_keywords_without_letters_are_seen_where_dovecot_numbers_thousands_anew(
    shared: SharedMaildir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "LEAST", 3)
    words = {f"word{number:02}" for number in range(30)}
    finish(shared.account.append("INBOX", [draft(mail("a"), *words)]))
    for name in "bcd":
        shared.drop(f"cur/{name}.host:2,")
    shared.open().close()
    shared.close()
    path = shared.maildir / "dovecot-uidlist"
    head, *lines = path.read_text().splitlines()
    anew = [f"{uid} {line.partition(' ')[2]}" for uid, line in enumerate(lines, 11)]
    path.write_text("\n".join([head.replace(" N1 ", " N15 "), *anew, ""]))
    shared.restart()
    shared.drop("cur/e.host:2,")
    inbox = shared.open()
    assert uids(inbox)[:4] == [11, 12, 13, 14]
    assert entry(inbox, 11).flags == words
