"""What changed between two versions of the documents, and which version number it asks for.

The core is pure: documents in, changes out. `stream` and `rest` compare two documents object by
object, each key by its rule; a key without a rule breaks. `schema_changes` compares two schemas by
direction, `version` says what has to be bumped, `releases` keeps the base.
"""
