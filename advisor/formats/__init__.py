"""Bytes to structure and back, without meaning."""
