"""Who may see the RTSP server for tests: its user, and its certificate."""
import ctypes
import os
import subprocess
import tempfile

from gi.repository import Gio, GstRtsp, GstRtspServer


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
