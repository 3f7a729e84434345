#!/usr/bin/python3
"""RTSP server for tests: loops pre-encoded clips for ever, with monotonic timestamps, and makes trouble on command.

First line of stdin, JSON:
  {"port": 0, "mounts": {"/cam": {"clip": PATH, "codec": "h264"|"h265"|"mjpeg", "fps": 10, "tcpOnly": false,
                       "audio": {"before": ["pcma"], "after": ["pcmu"]}}},  of a tone, in this order around the video
   "username": ..., "password": ..., "authentication": ["basic", "digest"], "tls": false, "tellSent": false}
Answer on stdout when it listens: {"port": N}.
With "tellSent" a line whenever the last packet of a picture is about to be sent, between the answers:
  {"sent": "/cam", "picture": N, "atMs": TIME}  its number in the clip, milliseconds since the epoch
Every further line is a command, answered in order with {"clients": N} (connections open) or {"error": TEXT}:
  {"command": "silence", "path": "/cam"}  connections stay open, no more media; new clients wait in vain
  {"command": "resume", "path": "/cam"}   goes on with the next picture, so nothing needs a new keyframe
  {"command": "disconnect"}               closes all connections
  {"command": "clients"}                  only counts
It ends when stdin closes or on SIGTERM.
"""
import json
import os
import signal

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstRtsp', '1.0')
gi.require_version('GstRtspServer', '1.0')
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402
from gst_feed import HOST, answer, new_server  # noqa: E402
from rtsp_guard import add_user, self_signed_certificate  # noqa: E402
from rtsp_mount import ROLE, Mount  # noqa: E402


class Feed:
    """The server with its mounts."""

    def __init__(self, config):
        self.server, pool = new_server(config.get('port', 0))
        clips = {}
        self.mounts = {path: Mount(path, spec, clips, bool(config.get('tellSent'))) for path, spec in config['mounts'].items()}
        points = self.server.get_mount_points()
        for path, mount in self.mounts.items():
            mount.factory.set_address_pool(pool)
            points.add_factory(path, mount.factory)
        if config.get('username') is not None or config.get('tls'):
            self.protect(config)

    def protect(self, config):
        auth = GstRtspServer.RTSPAuth.new()
        token = GstRtspServer.RTSPToken.new()
        token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, ROLE)
        permissions = GstRtspServer.RTSPPermissions.new()
        for permission in ('media.factory.access', 'media.factory.construct'):
            permissions.add_permission_for_role(ROLE, permission, True)
        for mount in self.mounts.values():
            mount.factory.set_permissions(permissions)
        if config.get('username') is None:
            auth.set_default_token(token)
        else:
            add_user(auth, token, config)
        if config.get('tls'):
            auth.set_tls_certificate(self_signed_certificate())
        self.server.set_auth(auth)

    def listen(self):
        """The port. Sessions of UDP clients that vanished end with their time-out."""
        if self.server.attach(None) == 0:
            raise SystemExit(f'cannot listen on {HOST}:{self.server.get_service()}')
        GLib.timeout_add_seconds(1, lambda: self.server.get_session_pool().cleanup() >= 0)
        return self.server.get_bound_port()

    def obey(self, request):
        command = request.get('command')
        if command in ('silence', 'resume'):
            self.mounts[request['path']].silent = command == 'silence'
        elif command == 'disconnect':
            self.server.get_session_pool().filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)
            self.server.client_filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)
        elif command != 'clients':
            raise ValueError(f'unknown command {command!r}')
        return {'clients': len(self.server.client_filter(None))}


class Lines:
    """Lines of stdin, without a buffer that a main loop cannot see."""

    def __init__(self):
        self.rest = b''

    def read(self):
        """The complete lines that came; None at the end of stdin. Blocks until there is something."""
        data = os.read(0, 65536)
        if not data:
            return None
        *lines, self.rest = (self.rest + data).split(b'\n')
        return lines


def obey_lines(feed, lines):
    for line in lines:
        try:
            answer(feed.obey(json.loads(line)))
        except (ValueError, KeyError) as fault:
            answer({'error': repr(fault)})


def main():
    stdin = Lines()
    early = []
    while not early:
        lines = stdin.read()
        if lines is None:
            return
        early.extend(lines)
    Gst.init(None)
    feed = Feed(json.loads(early.pop(0)))
    loop = GLib.MainLoop()

    def on_stdin(_fd, _condition):
        lines = stdin.read()
        if lines is None:
            loop.quit()
            return GLib.SOURCE_REMOVE
        obey_lines(feed, lines)
        return GLib.SOURCE_CONTINUE

    GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, on_stdin)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, loop.quit)
    answer({'port': feed.listen()})
    obey_lines(feed, early)
    loop.run()
    os._exit(0)  # the kernel closes the sockets; taking live pipelines apart first gains nothing


main()
