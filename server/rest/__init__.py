"""REST: OpenAPI documents served by Connexion, with their handlers."""
