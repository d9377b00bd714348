"""What is measured: a function for each group of rows."""
