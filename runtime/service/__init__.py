"""Requests under limits: a latency budget, a price, turns for many users, conversations.

Knows: time, money, who waits. Does not know: sockets, HTTP (that is `edgeward.server`).
"""
