"""The changes of our documents since the last release, and the versions that they require.

`asyncapi_server.diff` compares two documents; here is what is ours: which documents there are, the
base in `releases/`, and the changes that a review accepted.
"""
