"""Answers that obey a grammar: JSON schemas, regexes, grammars and tool calls, through llguidance.

Nothing here is imported until a request asks for a structure.
"""
