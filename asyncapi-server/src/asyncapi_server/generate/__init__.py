"""Typed servers and clients, generated from a document.

Schemas become shapes: what of them a type can say. From those the models, encoders, handlers and
clients are written. Validation stays with the schemas. Needs the extra [generate].
"""
