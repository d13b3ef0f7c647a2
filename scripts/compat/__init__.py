"""What changed between two versions of the documents, and which version number it asks for.

The core is pure: documents in, changes out. `stream` compares two AsyncAPI contracts, `rest` two
OpenAPI documents, `schemas` two JSON Schemas by direction, `version` says what has to be bumped.
"""
