"""What is in a message: header fields, structure, encodings; read leniently, altered exactly."""
