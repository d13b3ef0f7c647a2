"""What stands between the network and the handlers: sockets, access, limits, headers, bridge."""
