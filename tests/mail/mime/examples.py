"""Messages with parts, and their sections."""

from twisted_mail.mail.mime.sections import PartSection, locate
from twisted_mail.mail.mime.structure import scan


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def multipart(boundary: str = "b", subtype: str = "mixed") -> str:
    return f"Content-Type: multipart/{subtype}; boundary={boundary}\n\n"


# The example of RFC 3501 §6.4.5.
COMPLEX = crlf(
    "Subject: outer\n" + multipart("a") + "preamble\n"
    "--a\n\nfirst text\n"
    "--a\nContent-Type: application/octet-stream\n\noctets\n"
    "--a\nContent-Type: message/rfc822\n\n"
    "Subject: three\n" + multipart("b") + "--b\n\n3.1 text\n"
    "--b\nContent-Type: application/octet-stream\n\n3.2 octets\n--b--\n"
    "--a\n" + multipart("c") + "--c\nContent-Type: image/gif\n\ngif\n"
    "--c\nContent-Type: message/rfc822\n\n"
    "Subject: four-two\n" + multipart("d") + "--d\n\n4.2.1 text\n"
    "--d\n" + multipart("e", "alternative") + "--e\n\n4.2.2.1 plain\n"
    "--e\nContent-Type: text/richtext\n\n4.2.2.2 rich\n--e--\n--d--\n--c--\n"
    "--a--\nepilogue\n"
)


def text(
    path: tuple[int, ...], kind: PartSection = PartSection.ALL, data: bytes = COMPLEX
) -> bytes | None:
    offsets = locate(scan(data), path, kind)
    return None if offsets is None else data[slice(*offsets)]
