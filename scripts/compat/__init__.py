"""The changes between two versions of the documents, and the version number that they require.

The core is pure: documents in, changes out. `stream` and `rest` compare two documents object by
object, each key by its rule; a key without a rule breaks. `schema_changes` compares two schemas by
direction, `version` decides what to bump, `releases` keeps the base.
"""
