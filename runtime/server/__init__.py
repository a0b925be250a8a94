"""A service over HTTP, in the words of OpenAI's API.

Knows: HTTP, JSON, keys. Does not know: how an answer is made (`edgeward.service`). The ASGI
application is our own, some hundred lines: it reads bodies under a size and a time, watches for
clients that leave, and ends streams honestly, which a framework would only stand in the way of;
`uvicorn` does the sockets and HTTP/1.1.
"""
