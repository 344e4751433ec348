"""What goes over the wire: the way out, what comes in, what is kept of it."""
