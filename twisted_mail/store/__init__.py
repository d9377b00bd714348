"""Where mail lives: accounts, mailboxes, and what an OK promises."""
