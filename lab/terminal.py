"""Runs a command on a terminal of its own. SIGUSR1 stops the terminal's output, as Ctrl-S does, SIGHUP lets it go on.
What appears on the terminal is copied to standard output, and `(stopped)` says where it was. Arguments: the command."""

import os
import select
import signal
import subprocess
import sys
import termios

terminal, side = os.openpty()
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=side, stderr=side)


def stop(*_):
    termios.tcflow(side, termios.TCOOFF)
    os.write(1, b"(stopped)\n")


signal.signal(signal.SIGUSR1, stop)
signal.signal(signal.SIGHUP, lambda *_: termios.tcflow(side, termios.TCOON))
signal.signal(signal.SIGTERM, lambda *_: child.terminate())
signal.signal(signal.SIGCHLD, lambda *_: None)
print(child.pid, flush=True)


while child.poll() is None:
    readable, _, _ = select.select([terminal], [], [], 0.1)
    if readable:
        os.write(1, os.read(terminal, 65536))
sys.exit(child.returncode)
