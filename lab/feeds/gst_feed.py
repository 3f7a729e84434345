"""What the RTSP servers of tests share, GStreamer's: listening on loopback, media fed in real time, and when a picture was sent."""
import json
import os
import time

from gi.repository import GLib, Gst, GstRtspServer

HOST = '127.0.0.1'
UDP_PORTS = (10000, 32000)  # below the kernel's ephemeral ones
WAIT_FOR_PLAYING_MS = 5
# A server that was stopped (SIGSTOP) or starved continues from the present instead of sending a burst.
CATCH_UP_LIMIT_NS = Gst.SECOND


def answer(record):
    os.write(1, (json.dumps(record) + '\n').encode())  # one write, so that lines of several threads stay whole


def new_server(port=0):
    """A server, and the UDP ports its factories must be given: without, their sockets listen on all interfaces."""
    server = GstRtspServer.RTSPServer.new()
    server.set_address(HOST)
    server.set_service(str(port))
    # A thread for each client: a silent mount blocks its clients' DESCRIBE, and must not block the others'.
    threads = GstRtspServer.RTSPThreadPool.new()
    threads.set_max_threads(-1)
    server.set_thread_pool(threads)
    pool = GstRtspServer.RTSPAddressPool.new()
    pool.add_range(HOST, HOST, *UDP_PORTS, 0)  # ports in use are passed over
    return server, pool


class Pump:
    """Pushes buffers into an appsrc in real time, from the default main loop, until the media is removed.

    schedule: index -> (bytes, due, pts, dts, note), times in nanoseconds from the beginning. While is_silent, nothing is
    pushed; afterwards it goes on with the next buffer.
    """

    def __init__(self, media, source, schedule, on_push=None, is_silent=lambda: False):
        self.source = source
        self.schedule = schedule
        self.on_push = on_push
        self.is_silent = is_silent
        self.index = 0
        self.begun_ns = None
        media.connect('unprepared', lambda _media: self.stop())
        GLib.timeout_add(0, self.tick)

    def stop(self):
        self.source = None

    def tick(self):
        source = self.source  # another thread may stop() meanwhile
        if source is None:
            return GLib.SOURCE_REMOVE
        clock = source.get_clock()
        if clock is None or source.get_state(0).state != Gst.State.PLAYING:
            GLib.timeout_add(WAIT_FOR_PLAYING_MS, self.tick)
            return GLib.SOURCE_REMOVE
        now_ns = clock.get_time() - source.get_base_time()
        data, due, pts, dts, note = self.schedule(self.index)
        next_due = self.schedule(self.index + 1)[1]
        if self.begun_ns is None or now_ns - self.begun_ns - due > CATCH_UP_LIMIT_NS:
            self.begun_ns = now_ns - due
        if now_ns - self.begun_ns >= due:
            if self.is_silent():
                self.begun_ns += next_due - due
            elif self.push(source, data, pts, dts, note):
                self.index, due = self.index + 1, next_due
            else:
                return GLib.SOURCE_REMOVE
        GLib.timeout_add(max(0, (self.begun_ns + due - now_ns) // Gst.MSECOND), self.tick)
        return GLib.SOURCE_REMOVE

    def push(self, source, data, pts, dts, note):
        """False when the media has gone."""
        buffer = Gst.Buffer.new_wrapped_bytes(data)
        buffer.pts, buffer.dts = self.begun_ns + pts, self.begun_ns + dts
        if self.on_push is not None:
            self.on_push(buffer.pts, note)
        return source.emit('push-buffer', buffer) == Gst.FlowReturn.OK


class SentPictures:
    """Says when the last packet of each picture is about to be sent."""

    def __init__(self, path, payloader):
        self.path = path
        self.waiting = {}  # number of the picture by presentation time
        kinds = Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST
        payloader.get_static_pad('src').add_probe(kinds, self.on_packets)

    def expect(self, pts, number):
        self.waiting[pts] = number

    def on_packets(self, _pad, info):
        """In the thread that hands the packets on to the connections, right before it does."""
        if info.type & Gst.PadProbeType.BUFFER_LIST:
            packets = info.get_buffer_list()
            packet = packets.get(packets.length() - 1)
        else:
            packet = info.get_buffer()
        marked = packet.extract_dup(1, 1)[0] & 0x80  # the last of its picture: RFC 6184 5.1, RFC 2435 3.1
        picture = self.waiting.pop(packet.pts, None) if marked else None
        if picture is not None:
            answer({'sent': self.path, 'picture': picture, 'atMs': time.time() * 1000})
        return Gst.PadProbeReturn.OK
