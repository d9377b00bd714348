"""Mail that waits in the queue, as values: jobs, their recipients, and how attempts went."""
