"""What enhanced status codes mean for this server: which of its own things another side complains of.

Those of everybody are RFC 7372 §3, RFC 7505 §4 and RFC 8689 §5; Google has given some of them other
meanings, and has more (https://support.google.com/a/answer/3726730).
"""

from collections.abc import Mapping

_PTR = "{source} has no reverse name that leads back to it (check --sending)"
_SPF = "the SPF of {domain} does not name {source} (check --dns)"
_DKIM = "the mail of {domain} has no valid DKIM signature"

_OF_ALL: Mapping[str, str] = {
    "7.20": _DKIM,
    "7.21": _DKIM,
    "7.22": _DKIM,
    "7.23": _SPF,
    "7.24": "the SPF of {domain} cannot be looked up (check --dns)",
    "7.25": _PTR,
    "7.26": "neither SPF nor DKIM of {domain} is valid there",
    "7.27": "{domain} says in the DNS that it takes no mail (null MX), so none can be answered",
    "7.28": "{source} sends faster than it may; the server slows down by itself",
    "7.30": "the message demands TLS the whole way (REQUIRETLS), which is not possible there",
    "7.515": "{domain} needs SPF, DKIM and DMARC to send so much there (Outlook)",
    "2.1": "the mailbox is closed or gets more mail than it may",
    "2.2": "the mailbox is full",
    "1.1": "there is no such mailbox",
    "3.4": "the message is larger than it may be there",
}
_OF_GOOGLE: Mapping[str, str] = {
    "7.23": _PTR,
    "7.25": _PTR,
    "7.27": _SPF,
    "7.29": "the connection had no TLS, which is demanded there",
    "7.30": _DKIM,
    "7.31": "{domain} has no DMARC record that is valid (check --dns)",
    "7.32": "From of the mail has another domain than what SPF and DKIM prove",
}
_GOOGLE = ("google", "google.com", "googlemail.com")


def meaning(enhanced: str, host: str, source: str, domain: str) -> str:
    """Return what a code means for this server, or an empty text where it says nothing of it."""
    rest = enhanced.partition(".")[2]
    is_google = any(host == name or host.endswith(f".{name}") for name in _GOOGLE)
    text = (_OF_GOOGLE.get(rest, "") if is_google else "") or _OF_ALL.get(rest, "")
    return text.format(source=source or "this server", domain=domain or "the sender's domain")
