#!/usr/bin/python3
"""Measures how Kirim's window keeps up, drawn by the processor on a display in memory.

usage: window_bench.py KIRIM SECONDS [PICTURES]

1. The floor: an empty window that is drawn anew each frame, while the same flood goes to a chat without a window.
2. A flood: RATE messages a second into the open room.
3. A long room: HISTORY entries, loaded by scrolling up through all of them.

Server and writers run at a lower priority than the window, as if they were other machines. RATE (1000), HISTORY
(100000) and A11Y (none; atspi: with the accessibility bus) are variables; PARTS names some of floor, flood, history."""
import os
import re
import signal
import subprocess
import sys
import threading
import time
from desk import HOME, Failed, Server, begin, end, run, say

KIRIM = os.path.abspath(sys.argv[1])
SECONDS = int(sys.argv[2])
PICTURES = os.path.abspath(sys.argv[3]) if len(sys.argv) > 3 else None
RATE = int(os.environ.get("RATE", "1000"))
HISTORY = int(os.environ.get("HISTORY", "100000"))
PARTS = os.environ.get("PARTS", "floor,flood,history").split(",")
LINES = ["the build is green again, see you tomorrow at nine", "apa kabar semua, hari ini cerah sekali di sini", "ok 👍",
         "A longer message that has to wrap over more than one line, because people do write whole paragraphs in a chat "
         "room and the list has to cope with rows of unequal height."]
LOW = {"preexec_fn": lambda: os.nice(10)}
figures = []


class Writers:
    """Two people who write, by turns."""

    def __init__(self, server):
        self.all = [run(KIRIM, "chat", server.address, "--name", name, "--data", f"{HOME}/{name}", "--timeout", "600",
                        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, **LOW)
                    for name in ("budi", "citra")]
        self.sent = 0

    def write(self, count):
        for number in range(self.sent, self.sent + count):
            # Several lines in a row, as people write, and a long one now and then.
            line = LINES[3] if number % 20 == 0 else LINES[number % 3]
            self.all[number // 3 % 2].stdin.write(f"{number} {line}\n")
        self.sent += count
        for writer in self.all:
            writer.stdin.flush()

    def flood(self, seconds):
        start, begun = time.monotonic(), self.sent
        while (past := time.monotonic() - start) < seconds:
            self.write(begun + int(past * RATE) - self.sent)
            time.sleep(0.01)


class Measured:
    """A program with a window that measures itself, and tells at SIGUSR1."""

    def __init__(self, title, *command):
        self.heard = []
        self.news = threading.Condition()
        self.process = run(*command, stderr=subprocess.PIPE, text=True, env=dict(os.environ, KIRIM_FRAMES="1"))
        threading.Thread(target=self.listen, daemon=True).start()
        found = subprocess.check_output(["xdotool", "search", "--sync", "--onlyvisible", "--pid", str(self.process.pid)],
                                        text=True, timeout=60).split()
        self.window = found[-1]
        subprocess.run(["xdotool", "windowsize", "--sync", self.window, "960", "640", "windowraise", self.window,
                        "windowfocus", "--sync", self.window], check=True)

    def listen(self):
        for line in self.process.stderr:
            with self.news:
                self.heard.append(line.strip())
                self.news.notify_all()

    def wait(self, pattern, patience=120):
        """The line that matches; it is forgotten with those before it."""
        limit = time.monotonic() + patience
        with self.news:
            while True:
                for place, line in enumerate(self.heard):
                    if re.search(pattern, line):
                        del self.heard[:place + 1]
                        return line
                if not self.news.wait(limit - time.monotonic()) or self.process.poll() is not None:
                    raise Failed(f"waited in vain for {pattern}: {self.heard}")

    def load_more(self):
        """Goes to the top until more rows are there; how many there are. A busy machine may lose a key."""
        for _ in range(12):
            self.key("Home")
            try:
                return int(self.wait("^rows of ", 10).rsplit(" ", 1)[1])
            except Failed:
                continue
        raise Failed("no earlier messages come")

    def tell(self):
        """What was measured since this was asked last."""
        self.process.send_signal(signal.SIGUSR1)
        return self.wait("^frames ")

    def processor(self):
        """Seconds that all its threads have worked."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def key(self, *keys):
        subprocess.run(["xdotool", "key", *keys], check=True)

    def wheel(self, button, times):
        subprocess.run(["xdotool", "click", "--repeat", str(times), "--delay", "10", str(button)], check=True)

    def picture(self, name):
        if PICTURES:
            os.makedirs(PICTURES, exist_ok=True)
            subprocess.run(["import", "-window", self.window, f"{PICTURES}/{name}.png"], check=False,
                           env=dict(os.environ, MAGICK_TMPDIR=HOME))

    def end(self):
        self.process.terminate()
        self.process.wait(30)


def note(name, line):
    figures.append(f"{name:<8} {line}")
    say(figures[-1])


def window(server):
    return Measured("Kirim", KIRIM, "window", server.address, "--name", "ani", "--data", f"{HOME}/ani")


def floor():
    server = Server(KIRIM, None, "floor", options=LOW)
    writers = Writers(server)
    reader = run(KIRIM, "chat", server.address, "--name", "ani", "--data", f"{HOME}/floor-ani", "--timeout", "600",
                 stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
    empty = Measured("floor", "/usr/bin/python3", os.path.join(os.path.dirname(__file__), "window_floor.py"))
    time.sleep(2)
    empty.tell()
    writers.flood(min(SECONDS, 20))
    note("floor", empty.tell())
    empty.end()
    reader.terminate()
    for writer in writers.all:
        writer.terminate()
    server.stop()


def flood():
    server = Server(KIRIM, None, "flood", options=LOW)
    writers = Writers(server)
    ani = window(server)
    ani.wait("caught up")
    writers.flood(2)
    ani.tell()
    work, start = ani.processor(), time.monotonic()
    for part in ("flood 1", "flood 2"):
        writers.flood(SECONDS / 2)
        note(part, ani.tell())
    ani.picture("bench-flood")
    share = (ani.processor() - work) / (time.monotonic() - start)
    say(f"all threads of the window took {share * 100:.0f} % of a processor")
    ani.end()
    server.stop()


def history():
    server = Server(KIRIM, None, "history", options=LOW)
    writers = Writers(server)
    begun = time.monotonic()
    while writers.sent < HISTORY:
        writers.write(1_000)
    for writer in writers.all:
        writer.stdin.close()
        writer.wait(600)
    say(f"{HISTORY} messages are in the room after {time.monotonic() - begun:.0f} s")
    begun = time.monotonic()
    ani = window(server)
    ani.wait("caught up")
    say(f"the room was shown {time.monotonic() - begun:.2f} s after the program was started")
    time.sleep(1)
    note("opened", ani.tell())
    subprocess.run(["xdotool", "mousemove", "--window", ani.window, "500", "300", "click", "1"], check=True)
    time.sleep(0.5)
    begun, rows = time.monotonic(), 0
    while rows < HISTORY:
        # Earlier messages come when the top is in sight.
        time.sleep(0.02)
        rows = ani.load_more()
    say(f"{rows} rows were loaded within {time.monotonic() - begun:.1f} s")
    note("loading", ani.tell())
    begun = time.monotonic()
    while time.monotonic() - begun < SECONDS / 3:
        ani.wheel(5, 50)
    note("wheel", ani.tell())
    while time.monotonic() - begun < SECONDS * 2 / 3:
        ani.key("--repeat", "20", "--delay", "20", "Page_Down")
    note("pages", ani.tell())
    while time.monotonic() - begun < SECONDS:
        ani.key("End")
        time.sleep(0.2)
        ani.key("Home")
        time.sleep(0.2)
    note("ends", ani.tell())
    ani.picture("bench-history")
    ani.end()
    server.stop()


begin()
os.environ["GTK_A11Y"] = os.environ.get("A11Y", "none")
try:
    say(f"load of this machine at the start: {os.getloadavg()[0]:.1f}")
    for part in PARTS:
        globals()[part]()
    say(f"load at the end: {os.getloadavg()[0]:.1f}; {RATE} messages a second for {SECONDS} s, A11Y={os.environ['GTK_A11Y']}")
    print("\n".join(figures))
finally:
    end()
