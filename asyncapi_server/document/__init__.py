"""Documents: read, checked, and compiled into contracts."""
