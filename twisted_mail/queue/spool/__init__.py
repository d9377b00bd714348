"""The queue's spool: jobs, their recipients and messages on disk, and what is remembered of sites."""
