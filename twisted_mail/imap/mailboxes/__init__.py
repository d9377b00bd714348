"""LIST and STATUS: which mailboxes there are, and what is sent of them."""
