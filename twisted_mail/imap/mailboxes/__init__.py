"""LIST and STATUS: which mailboxes there are, and what is said of them."""
