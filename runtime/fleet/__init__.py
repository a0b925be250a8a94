"""Model channels: how many devices get a model and its next versions, from a folder or a server.

A channel is a folder that anything can serve: pieces and recipes named by their sha256, and one
signed index that says which release of which model a device should run. Nothing here makes a
channel (that is `edgeward.quantize.publish`), and nothing runs unless it is called: there is no
timer and no background thread, and no socket but for a channel that the user named.

    words      what an index and a recipe say            keys       Ed25519, PEM
    pieces     where a file is cut                       sealed     a signed index and its limits
    transport  bytes from a folder or over HTTP          channel    what this device knows of one
    device     this device's part of a rollout           shelf      versions of a model, the switch
    assemble   a pack from pieces, resumed               trial      golden prompts and the gate
    updater    all of it in order
"""

from .updater import Outcome as Outcome
from .updater import rollback as rollback
from .updater import update as update
