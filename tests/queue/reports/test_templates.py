from pathlib import Path

import pytest

from tests.queue.reports.reporting import attempt
from twisted_mail.delivery.onward.reply_classes import classify
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.queue.reports.places import filled
from twisted_mail.queue.reports.templates import (
    FAILED,
    MAX_TEMPLATE,
    SENTENCES,
    ReportTexts,
    load_templates,
)

OURS = load_templates()
GOOD = "Subject: Zurück: {subject}\n\n{recipients}\n"


def mistakes(folder: Path) -> list[str]:
    with pytest.raises(ValueError, match=r".+") as caught:
        load_templates(str(folder))
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder


# ------------------------------------------------------------ the sentences


@pytest.mark.parametrize("kind", ReplyClass)
def test_each_kind_of_failure_has_its_sentences(kind: ReplyClass) -> None:
    cause = OURS.sentences.cause(attempt(Outcome(550, "5.0.0", ""), reply_class=kind))
    assert cause is OURS.sentences[kind.value]
    assert all(text.endswith(".") for text in cause.values())


def test_a_code_says_it_more_exactly() -> None:
    moved = OURS.sentences.cause(attempt(Outcome(550, "5.1.6", "")))
    assert moved["happened"].startswith("The recipient has moved")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", "no such mailbox"),
        ("550 5.7.25 The IP address does not have a PTR record setup", "no proper name in the DNS"),
        ("550 5.7.26 The sender is unauthenticated", "SPF, DKIM or DMARC"),
        ("550 5.1.2 The domain of the recipient cannot be found", "There is no domain"),
        (
            "452 4.2.2 The recipient's inbox is out of storage space",
            "mailbox of the recipient is full",
        ),
        ("554 5.7.1 Relay access denied", "how a mail server is set up"),
    ],
)
def test_replies_that_are_common_become_these_words(reply: str, words: str) -> None:
    code, enhanced, text = reply.split(" ", 2)
    outcome = Outcome(int(code), enhanced, text)
    assert words in OURS.sentences.cause(Attempt(outcome, 0.0, classify(outcome)))["happened"]


def test_of_the_kind_other_the_code_alone_counts() -> None:
    last = attempt(Outcome(550, "5.1.10", ""), reply_class=ReplyClass.OTHER)
    assert "takes no mail at all" in OURS.sentences.cause(last)["happened"]
    last = attempt(Outcome(550, "", ""), reply_class=ReplyClass.OTHER)
    assert OURS.sentences.cause(last) is OURS.sentences["other"]


def test_what_failed_here_was_refused_by_nobody_else() -> None:
    last = attempt(Outcome(554, "5.3.0", "69"), reply_class=ReplyClass.OTHER, is_reply=False)
    assert OURS.sentences.cause(last) is OURS.sentences["other here"]
    last = attempt(Outcome(552, "5.2.2", "full"), reply_class=ReplyClass.FULL, is_reply=False)
    assert OURS.sentences.cause(last) is OURS.sentences["full"]


def test_who_was_never_tried_was_never_reached() -> None:
    assert OURS.sentences.cause(None) is OURS.sentences["network"]


# ------------------------------------------------------------ places


def test_what_stands_in_a_value_is_not_looked_at_again() -> None:
    assert filled("{a} {b} {c} {A}", {"a": "{b}", "b": "x"}) == "{b} x {c} {A}"


# ------------------------------------------------------------ an operator's folder


def test_a_file_takes_the_place_of_ours(tmp_path: Path) -> None:
    texts: ReportTexts = load_templates(str(written(tmp_path, FAILED, GOOD)))
    assert texts.templates[FAILED].subject == "Zurück: {subject}"
    assert texts.templates[FAILED].text == "{recipients}\n"
    others = texts.templates.keys() - {FAILED}
    assert others
    assert all(texts.templates[name] == OURS.templates[name] for name in others)


def test_sentences_are_replaced_one_by_one(tmp_path: Path) -> None:
    toml = '[full]\nadvice = "Ruf an."\n["full 3.1"]\nhappened = "a"\nadvice = "b"\n'
    texts = load_templates(str(written(tmp_path, SENTENCES, toml)))
    assert texts.sentences["full"]["advice"] == "Ruf an."
    assert texts.sentences["full"]["happened"] == OURS.sentences["full"]["happened"]
    assert texts.sentences["full 3.1"]["advice"] == "b"
    assert texts.sentences["size"] == OURS.sentences["size"]


def test_an_empty_folder_alters_nothing(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_text("x")
    assert load_templates(str(tmp_path)) == OURS


def test_all_mistakes_are_told_together(tmp_path: Path) -> None:
    written(tmp_path, "faild.txt", GOOD)
    written(tmp_path, "failed.txt", "No subject\n\n{recipients}")
    written(tmp_path, "delayed.txt", "Subject: x\n\nnobody")
    written(tmp_path, "success.txt", "Subject: {sujet}\n\n{recipients} {who}")
    written(tmp_path, "lost.txt", "x" * (MAX_TEMPLATE + 1))
    written(tmp_path, "sentences.toml", "\0")
    assert mistakes(tmp_path) == [
        "delayed.txt: it has to name the {recipients}",
        "faild.txt: reports have no template of this name",
        "failed.txt: it has to begin with a line Subject: and an empty line",
        f"lost.txt: it is larger than {MAX_TEMPLATE} octets",
        "sentences.toml: it has control characters",
        "success.txt: there is no {sujet}, {who}",
    ]


def test_mistakes_in_sentences_are_told_with_their_places(tmp_path: Path) -> None:
    toml = (
        'top = "x"\n[unknown]\nhappened = "x"\n[full]\nhappend = "x"\nadvice = 1\n'
        '[size]\nadvice = "{siez}"\n["size 3.4"]\nadvice = "x"\n[leads]\nfaild = "x"\n'
    )
    assert mistakes(written(tmp_path, SENTENCES, toml)) == [
        "sentences.toml: [top] is no section of sentences",
        "sentences.toml: [unknown] is no section of sentences",
        "sentences.toml: [full] has no sentence 'happend'",
        "sentences.toml: [full] advice is no text",
        "sentences.toml: [size] advice: there is no {siez}",
        "sentences.toml: [size 3.4] needs both: happened and advice",
        "sentences.toml: [leads] has no sentence 'faild'",
    ]


def test_what_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / FAILED).write_bytes(b"Subject: \xff\n\n{recipients}")
    (tmp_path / SENTENCES).write_text("[")
    first, second = mistakes(tmp_path)
    assert first == "failed.txt: it is not in UTF-8"
    assert second.startswith("sentences.toml: ")
    assert "No such file" in mistakes(tmp_path / "missing")[0]
