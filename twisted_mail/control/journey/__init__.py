"""``twisted-mail trace``, and the commands of the queue that look at the journey."""
