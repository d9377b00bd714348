"""The octets of a message on their way in: dots, line ends, chunks, conversion."""
