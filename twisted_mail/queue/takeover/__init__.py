"""Taking over the mail that an earlier version kept in the folder ``waiting``."""
