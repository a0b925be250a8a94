"""The slow, obvious twin of every kernel, under the same names: what defines the right answer."""
