"""The texts of reports: ours, and those that an operator has put in their places."""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twisted_mail.queue.reports.places import unknown_places
from twisted_mail.queue.reports.sentences import Sentences, sentence_mistakes

FAILED, DELAYED, SUCCESS, LOST = "failed.txt", "delayed.txt", "success.txt", "lost.txt"
SENTENCES = "sentences.toml"
MAX_TEMPLATE = 64 * 1024  # octets of a file
PLACES = (
    "recipients",
    "sender",
    "subject",
    "arrived",
    "id",
    "returned",
    "hostname",
    "postmaster",
)
_FIXED = ("leads", "later", "said")  # sections of sentences that are no kinds of failure
_NAMES = (FAILED, DELAYED, SUCCESS, LOST)
_CONTROL = re.compile(r"[^\n\t\x20-\x7e\xa0-\U0010ffff]")
_OURS = os.path.join(os.path.dirname(__file__), "templates")


@dataclass(frozen=True, slots=True)
class ReportTemplate:
    """The subject and the text of a report, with places."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class ReportTexts:
    """All texts: a template for each sort of report, by its file's name, and the sentences."""

    templates: Mapping[str, ReportTemplate]
    sentences: Sentences


def load_templates(folder: str = "") -> ReportTexts:
    """Return the texts, with those that are in an operator's folder in place of ours. Blocks.

    Raises ValueError with a line for each mistake.
    """
    loader = _TemplateLoader()
    texts = loader.ours()
    if folder:
        texts = loader.replaced(texts, folder)
    if loader.mistakes:
        raise ValueError("\n".join(loader.mistakes))
    return texts


class _TemplateLoader:
    """Reads folders of templates, and collects mistakes."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []

    def ours(self) -> ReportTexts:
        """Return the texts of the package."""
        templates = {name: _template(_read(os.path.join(_OURS, name))) for name in _NAMES}
        return ReportTexts(
            templates, Sentences(tomllib.loads(_read(os.path.join(_OURS, SENTENCES))))
        )

    def replaced(self, texts: ReportTexts, folder: str) -> ReportTexts:
        """Return the texts with those of a folder in their places."""
        templates = dict(texts.templates)
        sentences = texts.sentences
        try:
            names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
        except OSError as error:
            self.mistakes.append(f"{folder}: {error.strerror}")
            return texts
        for name in names:
            path = os.path.join(folder, name)
            if name in templates:
                templates[name] = self._tried(_checked_template, path) or templates[name]
            elif name == SENTENCES:
                changes = self._tried(tomllib.loads, path) or {}
                sentences = self._changed(sentences, path, changes)
            else:
                self.mistakes.append(f"{path}: reports have no template of this name")
        return ReportTexts(templates, sentences)

    def _tried(self, parse: Callable[[str], Any], path: str) -> Any:
        try:
            return parse(_read(path))
        except OSError as error:
            self.mistakes.append(f"{path}: {error.strerror}")
        except ValueError as error:
            self.mistakes.append(f"{path}: {error}")
        return None

    def _changed(self, sentences: Sentences, path: str, changes: Mapping[str, Any]) -> Sentences:
        fixed = {name: sentences[name] for name in _FIXED}
        found = [f"{path}: {one}" for one in sentence_mistakes(changes, fixed)]
        self.mistakes += found
        return sentences if found else sentences.with_changes(changes)


def _read(path: str) -> str:
    """Return a file's text. Raises OSError and ValueError."""
    with open(path, "rb") as file:
        data = file.read(MAX_TEMPLATE + 1)
    if len(data) > MAX_TEMPLATE:
        raise ValueError(f"it is larger than {MAX_TEMPLATE} octets")
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise ValueError("it is not in UTF-8") from None
    if _CONTROL.search(text):
        raise ValueError("it has control characters")
    return text


def _template(text: str) -> ReportTemplate:
    head, _, body = text.partition("\n\n")
    name, _, subject = head.partition(":")
    if name.lower() != "subject" or "\n" in head or not subject.strip():
        raise ValueError("it has to begin with a line Subject: and an empty line")
    return ReportTemplate(subject.strip(), body)


def _checked_template(text: str) -> ReportTemplate:
    template = _template(text)
    unknown = unknown_places(text, PLACES)
    if unknown:
        raise ValueError(f"there is no {', '.join(f'{{{one}}}' for one in unknown)}")
    if "{recipients}" not in template.text:
        raise ValueError("it has to name the {recipients}")
    return template
