"""What a service tells about itself, and what it keeps: figures, traces, feedback, an audit log.

All of it stays on this device, and no text is kept unless somebody said so. Knows: outcomes of
requests. Does not know: how they are served.
"""
