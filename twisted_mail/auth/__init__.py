"""Who are you? One portal, one realm, one avatar with three faces."""
