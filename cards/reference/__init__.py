"""The reference pages, made from the content: what may be said, where each fact went, which numbers hold."""
