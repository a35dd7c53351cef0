"""Incident management by the book: pure decisions over immutable events."""
