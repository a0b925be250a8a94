"""How much a pack lost against the weights it was made from. Knows packs and weights, no requests.

Windows of the text are read independently of each other, and the second half of each is scored,
so that every scored position has at least half a window of context.
"""
