"""The command line: one program, sub-commands, each loaded when it is called.

A sub-command is named by a string, so that this room may offer what higher rooms do without
knowing them.
"""

from .main import main as main
