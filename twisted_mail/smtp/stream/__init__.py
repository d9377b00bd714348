"""The octets of a message as they come in: dots, line ends, chunks, conversion."""
