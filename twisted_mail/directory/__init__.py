"""Who lives here: domains, accounts, aliases and passwords behind one door."""
