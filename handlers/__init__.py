"""One short function for each REST operation and each WebSocket message."""
