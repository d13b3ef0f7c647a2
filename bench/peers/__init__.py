"""What a user would pick instead: each a small program, written as its own documentation does."""
