"""Where mail for other domains goes: mail hosts, sites, and what their replies mean. No network here."""
