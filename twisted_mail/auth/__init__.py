"""Who are you? One portal (twisted.cred), one realm, one avatar with three faces; SASL mechanisms."""
