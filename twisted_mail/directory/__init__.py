"""Who lives here: domains, accounts, aliases, mailing lists and passwords.

``sqlite`` is what the running server asks, ``mailing_list_store`` what its mailing lists ask; ``editing``
is for the control command.
"""
