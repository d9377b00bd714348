"""The process and its machine: threads, time, files that change, memory, calls between processes."""
