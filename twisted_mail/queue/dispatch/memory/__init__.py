"""What the dispatcher has in memory: destinations, sites, who is ready and who under way, the time."""
