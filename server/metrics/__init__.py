"""The measures of a server, for Prometheus."""
