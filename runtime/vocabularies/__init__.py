"""Vocabularies in other containers than a tokenizer.json, read into one.

Knows: SentencePiece's `.model` files. Does not know: how text becomes ids.
"""
