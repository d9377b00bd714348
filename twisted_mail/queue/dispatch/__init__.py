"""Who goes when: destinations and sites in turn, how fast each is served, and when it is tried again."""
