"""The texts of reports, as twisted-mail check sees them."""

from pathlib import Path

from twisted_mail.config import Config
from twisted_mail.control.checks.reports import report_notes
from twisted_mail.queue.reports.settings import ReportSettings


def notes(folder: Path, templates: str) -> list[tuple[str, str]]:
    settings = ReportSettings(templates=templates)
    config = Config(folder / "mail.toml", "mail.example.org", folder, reports=settings)
    return [(one.level, one.text) for one in report_notes(config)]


def test_our_own_texts_are_not_worth_a_word(tmp_path: Path) -> None:
    assert notes(tmp_path, "") == []


def test_texts_of_the_operator_are_found_next_to_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "failed.txt").write_text("Subject: x\n\n{recipients}\n")
    ((level, text),) = notes(tmp_path, "texts")
    assert (level, text) == ("fine", f"the texts in {tmp_path}/texts have no mistakes")


def test_each_mistake_in_them_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "failed.txt").write_text("Subject: x\n\n{who}\n")
    (tmp_path / "other.txt").write_text("")
    assert notes(tmp_path, ".") == [
        ("fault", f"{tmp_path}/failed.txt: there is no {{who}}"),
        ("fault", f"{tmp_path}/other.txt: reports have no template of this name"),
    ]
