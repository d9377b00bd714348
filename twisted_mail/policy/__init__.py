"""May this come in? Filters, and the stages at which they are asked."""
