"""The HTTP edge in front of the handlers: sockets, access, limits, headers, bridge."""
