"""Reading and checking documents, and compiling them into contracts."""
