"""The identity provider of the base environment, which previews share and which is never deployed anew."""
