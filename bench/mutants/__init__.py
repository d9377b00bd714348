"""Do the tests notice? Faults put into the pure rooms one by one, and the tests run against each."""
