"""The notices of mailing lists: subject and text of each, with names in braces."""

TEXTS = {
    "confirm subscribe": (
        "Confirm that you want to be on {list}",
        """\
Somebody, hopefully you, has asked that <{who}> be put on the list {title}.

To be put on it, answer this letter; what you write does not matter.
If it was not you, do nothing, and nothing will be done.
""",
    ),
    "confirm unsubscribe": (
        "Confirm that you want to leave {list}",
        """\
Somebody, hopefully you, has asked that <{who}> be taken off the list {title}.

To be taken off it, answer this letter; what you write does not matter.
If it was not you, do nothing, and nothing will be done.
""",
    ),
    "done subscribe": (
        "You are on {list}",
        """\
<{who}> is on the list {title} now.

Write to all members at <{list}>. To leave, use the unsubscribe button of your mail
program, or write to the address in the field List-Unsubscribe of any message of the list.
""",
    ),
    "done unsubscribe": (
        "You have left {list}",
        """\
<{who}> is not on the list {title} any more.
""",
    ),
    "closed": (
        "{list} is closed",
        """\
Members are put on the list {title} by its owners alone.
""",
    ),
    "cannot": (
        "This cannot be done on {list}",
        """\
What you have asked of the list {title} cannot be done:
{reason}.
""",
    ),
    "help": (
        "How to use {list}",
        """\
This is the list {title}. Write to its address for commands with one of these words as the
subject:

    subscribe      to be put on the list
    unsubscribe    to be taken off it
    help           to get this letter
""",
    ),
    "held": (
        "A message for {list} waits for a word",
        """\
A message for the list {list} is held: {reason}.

    from     {author}
    subject  {subject}
    id       {id}

The administrator of the server lets it pass or not:

    twisted-mail list approve {id}
    twisted-mail list reject {id}
{ways}""",
    ),
    "suspended": (
        "{member} gets no more mail of {list}",
        """\
Mail of the list {title} to <{member}> has come back too often, and nothing is sent there
any more until the administrator of the server says so:

    twisted-mail list resume {list} {member}
""",
    ),
}
