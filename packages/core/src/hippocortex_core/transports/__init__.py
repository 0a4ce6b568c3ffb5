"""How an operation gets to its home: over HTTP, or to a service in this process."""
