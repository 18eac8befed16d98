"""Events that are sent to addresses, until each has arrived or was given up."""
