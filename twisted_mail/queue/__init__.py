"""Mail we promised to deliver: jobs on disk, and the transports that deliver them."""
