"""The commands of RFC 3501, a file for each family; each file ends with its ``COMMANDS``."""
