"""Recordings as pages and tables for people."""
