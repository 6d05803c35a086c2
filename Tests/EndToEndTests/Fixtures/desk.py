"""What the programs that drive windows have in common: an X server, a session bus and a home folder of their own."""
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time

HOME = tempfile.mkdtemp(prefix="kirim-windows-")
started = time.monotonic()
processes = []


def say(text):
    print(f"{time.monotonic() - started:6.2f} s  {text}", flush=True)


class Failed(Exception):
    pass


def run(*arguments, **options):
    process = subprocess.Popen(arguments, **options)
    processes.append(process)
    return process


def begin():
    reading, writing = os.pipe()
    run("Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-noreset",
        pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    display = os.read(reading, 16).decode().strip()
    # Before the bus: what it starts has its environment, and the accessibility bus would stand where others have theirs.
    os.environ.update(
        DISPLAY=":" + display, HOME=HOME, XDG_RUNTIME_DIR=HOME, XDG_CACHE_HOME=HOME + "/cache",
        XDG_CONFIG_HOME=HOME + "/config", XDG_DATA_HOME=HOME + "/data", GDK_BACKEND="x11", GSK_RENDERER="cairo",
        GTK_A11Y="atspi", GSETTINGS_BACKEND="memory", GTK_IM_MODULE="gtk-im-context-simple", NO_AT_BRIDGE="0", TZ="UTC",
        LANG="C.UTF-8")
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "WAYLAND_DISPLAY", "AT_SPI_BUS_ADDRESS"):
        os.environ.pop(variable, None)
    bus = run("dbus-daemon", "--session", "--nofork", "--print-address=1", stdout=subprocess.PIPE,
              stderr=subprocess.DEVNULL, text=True)
    os.environ["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()


def end():
    for process in reversed(processes):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running `kirim serve`."""

    def __init__(self, kirim, port=None, data="server", *more, options={}):
        self.port = port or free_port()
        self.process = run(kirim, "serve", "--port", str(self.port), "--data", f"{HOME}/{data}", *more,
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise Failed("the server did not start")
            if str(self.port) in line:
                break
        # Nobody reads what it says from now on, and it must not wait for that.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def type(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(10)
