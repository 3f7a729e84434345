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
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstRtsp', '1.0')
gi.require_version('GstRtspServer', '1.0')
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

HOST = '127.0.0.1'
UDP_PORTS = (10000, 32000)  # below the kernel's ephemeral ones
ROLE = 'viewer'
CHAIN = {
    'h264': 'caps=video/x-h264,stream-format=byte-stream,alignment=au ! h264parse config-interval=-1 ! rtph264pay',
    'h265': 'caps=video/x-h265,stream-format=byte-stream,alignment=au ! h265parse config-interval=-1 ! rtph265pay',
    'mjpeg': 'caps=image/jpeg ! jpegparse ! rtpjpegpay',
}
SOUND = {
    'pcma': 'audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay',
    'pcmu': 'audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay',
}
# Where a picture begins: an access unit delimiter (H.264 type 9, H.265 type 35), a JPEG start right after an end.
BORDER = {
    'h264': re.compile(rb'\x00?\x00\x00\x01\x09'),
    'h265': re.compile(rb'\x00?\x00\x00\x01\x46\x01'),
    'mjpeg': re.compile(rb'(?:^|(?<=\xff\xd9))\xff\xd8'),
}
WAIT_FOR_PLAYING_MS = 5
# A server that was stopped (SIGSTOP) or starved goes on from now instead of sending a burst.
CATCH_UP_LIMIT_NS = Gst.SECOND


def load_pictures(path, codec):
    with open(path, 'rb') as file:
        data = file.read()
    starts = [match.start() for match in BORDER[codec].finditer(data)]
    if not starts:
        raise SystemExit(f'{path}: no {codec} picture found')
    return [GLib.Bytes.new(data[start:end]) for start, end in zip(starts, starts[1:] + [len(data)])]


def tone(kind, number):
    """A branch of its own that makes a tone; it runs from the start, while video waits for its next picture."""
    payload = {'pcma': 8, 'pcmu': 0}[kind]
    return f'audiotestsrc is-live=true wave=sine ! {SOUND[kind]} name=pay{number} pt={payload}'


class Mount:
    """One path: its pictures, and whether it is silent."""

    def __init__(self, path, spec, clips, tell_sent):
        self.path = path
        self.tell_sent = tell_sent
        key = (spec['clip'], spec['codec'])
        if key not in clips:
            clips[key] = load_pictures(*key)
        self.pictures = clips[key]
        self.period_ns = int(Gst.SECOND / spec['fps'])
        self.silent = False

        self.factory = GstRtspServer.RTSPMediaFactory.new()
        source = 'appsrc name=source is-live=true format=time max-bytes=0'
        payload = 26 if spec['codec'] == 'mjpeg' else 96
        # Tracks are described in the order of their payloaders' numbers.
        audio = spec.get('audio') or {}
        before, after = audio.get('before') or [], audio.get('after') or []
        video = f'{source} {CHAIN[spec["codec"]]} name=pay{len(before)} pt={payload}'
        tones = [tone(kind, i if i < len(before) else i + 1) for i, kind in enumerate(before + after)]
        self.video_payloader = f'pay{len(before)}'
        self.factory.set_launch(f'( {" ".join([video, *tones])} )')
        self.factory.set_shared(True)
        tcp, udp = GstRtsp.RTSPLowerTrans.TCP, GstRtsp.RTSPLowerTrans.UDP
        self.factory.set_protocols(tcp if spec.get('tcpOnly') else tcp | udp)
        self.factory.connect('media-configure', self.on_media)

    def on_media(self, _factory, media):
        element = media.get_element()
        pump = Pump(self, element.get_by_name('source'))
        if self.tell_sent:
            packets = Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST
            element.get_by_name(self.video_payloader).get_static_pad('src').add_probe(packets, pump.on_packets)
        media.connect('unprepared', lambda _media: pump.stop())
        pump.schedule(0)


class Pump:
    """Feeds one media's appsrc in real time, from the default main loop, until the media goes."""

    def __init__(self, mount, source):
        self.mount = mount
        self.source = source
        self.next_picture = 0
        self.due_ns = None
        self.being_sent = {}  # picture by presentation time

    def stop(self):
        self.source = None

    def schedule(self, delay_ms):
        GLib.timeout_add(delay_ms, self.tick)

    def tick(self):
        source = self.source  # another thread may stop() meanwhile
        if source is None:
            return GLib.SOURCE_REMOVE
        clock = source.get_clock()
        if clock is None or source.get_state(0).state != Gst.State.PLAYING:
            self.schedule(WAIT_FOR_PLAYING_MS)
            return GLib.SOURCE_REMOVE
        now_ns = clock.get_time() - source.get_base_time()
        if self.due_ns is None or now_ns - self.due_ns > CATCH_UP_LIMIT_NS:
            self.due_ns = now_ns
        if now_ns >= self.due_ns:
            if not self.mount.silent and not self.push(source):
                return GLib.SOURCE_REMOVE
            self.due_ns += self.mount.period_ns
        self.schedule(max(0, (self.due_ns - now_ns) // Gst.MSECOND))
        return GLib.SOURCE_REMOVE

    def push(self, source):
        """False when the media has gone."""
        buffer = Gst.Buffer.new_wrapped_bytes(self.mount.pictures[self.next_picture])
        buffer.pts = buffer.dts = self.due_ns
        buffer.duration = self.mount.period_ns
        if self.mount.tell_sent:
            self.being_sent[buffer.pts] = self.next_picture
        self.next_picture = (self.next_picture + 1) % len(self.mount.pictures)
        return source.emit('push-buffer', buffer) == Gst.FlowReturn.OK

    def on_packets(self, _pad, info):
        """In the thread that hands the packets on to the connections, right before it does."""
        if info.type & Gst.PadProbeType.BUFFER_LIST:
            packets = info.get_buffer_list()
            packet = packets.get(packets.length() - 1)
        else:
            packet = info.get_buffer()
        marked = packet.extract_dup(1, 1)[0] & 0x80  # the last of its picture: RFC 6184 5.1, RFC 2435 3.1
        picture = self.being_sent.pop(packet.pts, None) if marked else None
        if picture is not None:
            answer({'sent': self.mount.path, 'picture': picture, 'atMs': time.time() * 1000})
        return Gst.PadProbeReturn.OK


class Feed:
    """The server with its mounts."""

    def __init__(self, config):
        self.server = GstRtspServer.RTSPServer.new()
        self.server.set_address(HOST)
        self.server.set_service(str(config.get('port', 0)))
        # A thread for each client: a silent mount blocks its clients' DESCRIBE, and must not block the others'.
        threads = GstRtspServer.RTSPThreadPool.new()
        threads.set_max_threads(-1)
        self.server.set_thread_pool(threads)

        # Without a pool the media's UDP sockets listen on all interfaces. Ports in use are passed over.
        pool = GstRtspServer.RTSPAddressPool.new()
        pool.add_range(HOST, HOST, *UDP_PORTS, 0)

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


def add_user(auth, token, config):
    username, password = config['username'], config.get('password') or ''
    methods = config.get('authentication') or ['basic', 'digest']
    supported = 0
    if 'basic' in methods:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(username, password), token)
        supported |= int(GstRtsp.RTSPAuthMethod.BASIC)
    if 'digest' in methods:
        auth.add_digest(username, password, token)
        supported |= int(GstRtsp.RTSPAuthMethod.DIGEST)
    # The C function takes flags, its binding declares an enumeration and refuses the sum of two.
    library = ctypes.CDLL('libgstrtspserver-1.0.so.0')
    library.gst_rtsp_auth_set_supported_methods(ctypes.c_void_p(hash(auth)), ctypes.c_int(supported))


def self_signed_certificate():
    with tempfile.TemporaryDirectory(prefix='vigil-rtsp-') as folder:
        key, certificate = os.path.join(folder, 'key.pem'), os.path.join(folder, 'certificate.pem')
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
            + ['-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=localhost']
            + ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        return Gio.TlsCertificate.new_from_files(certificate, key)


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


def answer(record):
    os.write(1, (json.dumps(record) + '\n').encode())  # one write, so that lines of several threads stay whole


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
