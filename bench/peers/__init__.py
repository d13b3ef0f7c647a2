"""The alternatives: small programs, each written as the library's documentation recommends."""
