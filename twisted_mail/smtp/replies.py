"""What the server says: replies as bytes (RFC 5321 §4.2, enhanced codes RFC 2034 and RFC 3463)."""

from collections.abc import Sequence

from twisted_mail.mail.outcome import Outcome

MAX_TEXT = 450  # octets: a reply line has at most 512 (RFC 5321 §4.5.3.1.5)


def encode(outcome: Outcome) -> bytes:
    """Return the reply for an outcome."""
    enhanced = f"{outcome.enhanced} " if outcome.enhanced else ""
    line = f"{outcome.code} {enhanced}{_one_line(outcome.text)}\r\n"
    return line.encode("ascii", "replace")


def encode_lines(code: int, enhanced: str, texts: Sequence[str], encoding: str = "ascii") -> bytes:
    """Return a reply of one or more lines; an empty ``enhanced`` leaves that code out.

    UTF-8 is for those who said that they can read it (RFC 6531 §3.7.4.2).
    """
    start = f" {enhanced} " if enhanced else " "
    lines = [f"{code}{start}{_one_line(text)}\r\n" for text in texts]
    lines[:-1] = [line.replace(" ", "-", 1) for line in lines[:-1]]
    return "".join(lines).encode(encoding, "replace")


def _one_line(text: str) -> str:
    """Return a text that cannot end the line or fill more than one."""
    text = text[:MAX_TEXT]
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else " " for one in text)


def _reply(code: int, enhanced: str, text: str) -> bytes:
    return encode(Outcome(code, enhanced, text))


_QUEUED = "Ok: queued as %s"

OK = _reply(250, "2.0.0", "Ok")
ACCEPTED = _reply(250, "2.0.0", _QUEUED)  # with the id of the message
SENDER_OK = _reply(250, "2.1.0", "Sender ok")
RECIPIENT_OK = _reply(250, "2.1.5", "Recipient ok")
SEND_DATA = b"354 End data with <CR><LF>.<CR><LF>\r\n"
LOGGED_IN = _reply(235, "2.7.0", "Authentication successful")
READY_FOR_TLS = _reply(220, "2.0.0", "Ready to start TLS")
NOT_VERIFIED = _reply(252, "2.5.2", "Not verified here; send mail and see")
NEEDS_UTF8 = _reply(252, "2.6.8", "The answer is in UTF-8; ask with SMTPUTF8")

IDLE_TOO_LONG = _reply(421, "4.4.2", "Too long without a command; closing")
OVERLOADED = _reply(421, "4.3.2", "Too much to do now; try again later")
STOPPING = _reply(421, "4.3.2", "The service is stopping; try again soon")
TOO_MANY_ERRORS = _reply(421, "4.7.0", "Too many errors; closing")
TOO_MANY_UNKNOWN = _reply(421, "4.7.0", "Too many unknown recipients; closing")
TOO_MANY_LOGINS = _reply(421, "4.7.0", "Too many failed logins; closing")
TOO_MANY_MESSAGES = _reply(
    421, "4.5.3", "Too many messages in one conversation; send the rest in another"
)
LOGIN_ENDED = _reply(421, "4.7.0", "The account was removed or disabled; closing")
NOT_SMTP = _reply(421, "4.7.0", "This server speaks SMTP; closing")
TALKED_EARLY = _reply(554, "5.5.1", "Wait for the greeting before you speak")
TOO_MANY_RECIPIENTS = _reply(
    452, "4.5.3", "Too many recipients; send to the rest in another message"
)

BARE_LINE_END = _reply(500, "5.5.2", "A line ends with CR LF; neither may stand alone")
NUL_IN_LINE = _reply(500, "5.5.2", "A line may not hold NUL")
LINE_TOO_LONG = _reply(500, "5.5.2", "The line is too long")
UNKNOWN_COMMAND = _reply(500, "5.5.1", "Unknown command")
NO_ARGUMENT = _reply(501, "5.5.4", "This command has no arguments")
NOT_OFFERED = _reply(502, "5.5.1", "This command is not offered here")
HELLO_FIRST = _reply(503, "5.5.1", "Say EHLO first")
LHLO_FIRST = _reply(503, "5.5.1", "Say LHLO first")
NO_RECIPIENTS = _reply(503, "5.5.1", "No valid recipients")  # RFC 2033 §4.2
MAIL_FIRST = _reply(503, "5.5.1", "MAIL comes before this command")
RECIPIENTS_FIRST = _reply(554, "5.5.1", "No valid recipients")
MAIL_IS_OPEN = _reply(503, "5.5.1", "Not while a mail transaction is open")
TLS_IS_ON = _reply(503, "5.5.1", "TLS is on already")
TLS_SYNTAX = _reply(503, "5.5.1", "Nothing may follow STARTTLS before TLS is on; closing")
DATA_BY_CHUNKS = _reply(503, "5.5.1", "This message comes by BDAT")
CHUNKS_HAVE_BEGUN = _reply(503, "5.5.1", "Not after BDAT")
CHUNK_SYNTAX = _reply(501, "5.5.4", "Syntax: BDAT octets [LAST]; closing")
IS_LOGGED_IN = _reply(503, "5.5.1", "Already authenticated")
UNKNOWN_MECHANISM = _reply(504, "5.5.4", "This authentication mechanism is not offered")
NO_SUCH_TOPIC = _reply(504, "5.5.4", "There is no help on that")
LOGIN_NEEDED = _reply(530, "5.7.0", "Authentication required")
TLS_NEEDED = _reply(530, "5.7.0", "Must issue a STARTTLS command first")
TLS_FOR_PASSWORD = _reply(538, "5.7.11", "Must issue a STARTTLS command first")
WRONG_LOGIN = _reply(535, "5.7.8", "Authentication credentials invalid")

TOO_LARGE = Outcome(552, "5.3.4", "The message is larger than this server takes")
MALFORMED = Outcome(
    550, "5.6.11", "The message has a CR or LF that stands alone (bare CR or bare LF)"
)
HAS_NUL = Outcome(550, "5.6.11", "The message holds NUL, which no text may")
LOOPING = Outcome(554, "5.4.6", "Too many hops: the message seems to be in a loop")
NOT_TRUSTED = _reply(550, "5.7.1", "You may not speak for others")
NO_RELAY = Outcome(550, "5.7.1", "Relaying denied")
NOT_YOUR_SENDER = Outcome(553, "5.7.1", "This sender address does not belong to your account")
BUG = Outcome(451, "4.3.0", "Something went wrong here; try again later")


def accepted(id: str) -> Outcome:
    """Return the outcome of a message that was accepted."""
    return Outcome(250, "2.0.0", _QUEUED % id)


def not_your_name(field: str) -> Outcome:
    """Return the refusal of a field of the header that names somebody else as the author."""
    return Outcome(550, "5.7.1", f"{field} may only have addresses that your account may send as")


def unreadable_author(field: str) -> Outcome:
    """Return the refusal of such a field where it is not certain whom it names."""
    form = f'{field} is not of the form "Name <user@host>" of RFC 5322'
    text = f'{form}; a name with any of ()<>[]:;@,\\" has to be in quotes'
    return Outcome(550, "5.1.7", text)


def field_twice(field: str) -> Outcome:
    """Return the refusal of a header that has a field twice which may be there once (RFC 5322 §3.6)."""
    return Outcome(550, "5.6.0", f"The header has {field} more than once")
