"""Who lives here: domains, accounts, aliases, mailing lists and passwords."""
