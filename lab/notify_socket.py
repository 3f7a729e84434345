#!/usr/bin/python3
"""What systemd listens on: a datagram socket at the path given. Each message is one line of JSON, a list of its lines."""
import json
import os
import socket
import sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print(json.dumps(['listening']), flush=True)
while True:
    data, ancillary, _flags, _address = socket.recv_fds(listener, 65536, 16)
    # systemd-notify waits until its barrier's descriptor is closed.
    for descriptor in ancillary:
        os.close(descriptor)
    print(json.dumps(data.decode().splitlines()), flush=True)
