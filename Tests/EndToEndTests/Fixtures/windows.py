#!/usr/bin/python3
"""Drives Kirim's real windows by keyboard and through the accessibility bus, as a screen reader does.

usage: windows.py KIRIM SCENE [PICTURES]

Has its own X server, session bus and home folder. Ends with 0 when the scene went as it is written here. Screenshots
go into the folder PICTURES."""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings

KIRIM = os.path.abspath(sys.argv[1])
SCENE = sys.argv[2]
PICTURES = os.path.abspath(sys.argv[3]) if len(sys.argv) > 3 else None
HOME = tempfile.mkdtemp(prefix="kirim-windows-")
PATIENCE = float(os.environ.get("KIRIM_PATIENCE", "30"))
started = time.monotonic()
processes = []
windows = []


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
    bus = run("dbus-daemon", "--session", "--nofork", "--print-address=1", stdout=subprocess.PIPE,
              stderr=subprocess.DEVNULL, text=True)
    os.environ.update(
        DISPLAY=":" + display, DBUS_SESSION_BUS_ADDRESS=bus.stdout.readline().strip(), HOME=HOME,
        XDG_RUNTIME_DIR=HOME, XDG_CONFIG_HOME=HOME + "/config", XDG_DATA_HOME=HOME + "/data",
        GDK_BACKEND="x11", GSK_RENDERER="cairo", GTK_A11Y=os.environ.get("KIRIM_A11Y", "atspi"), GSETTINGS_BACKEND="memory",
        GTK_IM_MODULE="gtk-im-context-simple", NO_AT_BRIDGE="0", TZ="UTC")
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "WAYLAND_DISPLAY"):
        os.environ.pop(variable, None)
    os.environ["LANG"] = "C.UTF-8"


def end():
    for process in reversed(processes):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


# The accessibility library looks for the bus when it is loaded.
begin()
import gi  # noqa: E402
gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402


def wait(what, probe, patience=None, alive=()):
    limit = time.monotonic() + (patience or PATIENCE)
    while time.monotonic() < limit:
        for process in alive:
            if process.poll() is not None:
                raise Failed(f"a program ended ({process.returncode}) while waiting for {what}")
        try:
            found = probe()
            if found:
                return found
        except GLib.Error:
            pass  # The tree changed while it was read.
        time.sleep(0.03)
    raise Failed(f"waited in vain for {what}")


def children(node):
    for place in range(node.get_child_count()):
        child = node.get_child_at_index(place)
        if child:
            yield child


def walk(node):
    yield node
    for child in children(node):
        yield from walk(child)


def matches(text, wanted):
    return bool(wanted.search(text)) if hasattr(wanted, "search") else text == wanted


def shows(node):
    return node.get_state_set().contains(Atspi.StateType.SHOWING)


def action_name(node, place):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Its successor is not in the library of Debian 12.
        return Atspi.Action.get_action_name(node, place)


def text_of(node):
    return Atspi.Text.get_text(node, 0, Atspi.Text.get_character_count(node))


class Window:
    """A running `kirim window`, and what can be seen and done there."""

    def __init__(self, *arguments, language="C.UTF-8", title="Kirim"):
        self.log = open(f"{HOME}/window-{len(processes)}.log", "w+")
        self.process = run(KIRIM, *arguments, stderr=self.log, env=dict(os.environ, LANG=language))
        self.title = title
        windows.append(self)
        self.frame = None
        self.app = self.wait("the program on the accessibility bus", self.find_app)
        self.frame = self.wait("its window", lambda: self.find("frame", re.compile(title), root=self.app))

    def find_app(self):
        desktop = Atspi.get_desktop(0)
        return next((app for app in children(desktop) if app.get_process_id() == self.process.pid), None)

    def wait(self, what, probe, patience=None):
        return wait(what, probe, patience, alive=[self.process])

    def all(self, role, name=None, root=None):
        return [node for node in walk(root or self.app)
                if (role is None or node.get_role_name() == role) and (name is None or matches(node.get_name(), name))]

    def find(self, role, name=None, root=None):
        return next(iter(self.all(role, name, root)), None)

    def sees(self, text, patience=None):
        """Waits for a label that reads like this."""
        return self.wait(repr(text), lambda: self.find("label", text), patience)

    def entry(self, name):
        return self.wait(f"the entry {name}", lambda: self.find("text", name))

    def control(self, role, name):
        return self.wait(f"the {role} {name}", lambda: self.find(role, name))

    def click(self, role, name):
        node = self.control(role, name)
        for place in range(Atspi.Action.get_n_actions(node)):
            if action_name(node, place) in ("click", "activate"):
                return Atspi.Action.do_action(node, place)
        raise Failed(f"{name} cannot be clicked")

    def focus(self):
        found = subprocess.check_output(
            ["xdotool", "search", "--sync", "--onlyvisible", "--pid", str(self.process.pid)], text=True).split()
        self.number = found[-1]
        subprocess.run(["xdotool", "windowraise", self.number, "windowfocus", "--sync", self.number], check=True)

    def type(self, text):
        subprocess.run(["xdotool", "type", "--delay", "10", text], check=True)

    def key(self, *keys):
        subprocess.run(["xdotool", "key", *keys], check=True)

    def set(self, name, text):
        Atspi.EditableText.set_text_contents(self.entry(name), text)

    def sends(self, text):
        """Without a key: as somebody does who speaks to the machine."""
        self.set("Message", text)
        self.click("push button", re.compile("^(Send|Kirim)$"))
        # A button that is pressed this way takes a moment before it acts.
        self.wait("an empty entry", lambda: text_of(self.entry("Message")) == "")

    def resize(self, width, height):
        self.focus()
        subprocess.run(["xdotool", "windowsize", "--sync", self.number, str(width), str(height)], check=True)
        time.sleep(0.3)

    def describe(self):
        """The tree as a screen reader has it, for whoever looks for what went wrong."""
        def lines(node, depth):
            yield "  " * depth + f"{node.get_role_name()} {node.get_name()!r}"
            for child in children(node):
                yield from lines(child, depth + 1)
        return "\n".join(lines(self.app, 0))

    def unnamed(self):
        roles = ("push button", "text", "list", "toggle button", "check box", "password text", "list box")
        # Where nobody gave a name GTK gives its own: that of the widget's class.
        return [f"{node.get_role_name()} {node.get_name()}" for node in walk(self.frame)
                if node.get_role_name() in roles and re.match(r"$|Gtk[A-Z]|Adw[A-Z]", node.get_name())]

    def picture(self, name):
        """What this window looks like; on a screen without a window manager it is raised for it."""
        if PICTURES:
            self.focus()
            picture(name, self.number)

    def close(self):
        self.process.terminate() if self.process.poll() is None else None
        self.process.wait(10)


def picture(name, window="root"):
    if not PICTURES:
        return
    os.makedirs(PICTURES, exist_ok=True)
    time.sleep(0.4)  # For the last frame of what moves; nothing is tested with it.
    subprocess.run(["import", "-window", window, f"{PICTURES}/{name}.png"],
                   check=False, env=dict(os.environ, MAGICK_TMPDIR=HOME))


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, port=None, data="server", *more):
        self.port = port or free_port()
        self.process = run(KIRIM, "serve", "--port", str(self.port), "--data", f"{HOME}/{data}", *more,
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise Failed("the server did not start")
            if str(self.port) in line:
                break

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def type(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(10)


def window(server, name, *more, **options):
    return Window("window", server.address, "--name", name, "--data", f"{HOME}/{name}", *more, **options)


def meets(server):
    """Two people who see each other."""
    ani, budi = window(server, "ani"), window(server, "budi")
    for person in (ani, budi):
        person.control(None, "Connection: Connected")
    return ani, budi


def scene_chat():
    """From the first page to a talk of two, by keyboard and by a screen reader's means."""
    server = Server()
    ani = Window("window", "--data", f"{HOME}/ani")
    ani.control("push button", "Connect")
    if ani.unnamed():
        raise Failed(f"controls without a name on the first page: {ani.unnamed()}")
    ani.picture("first-run")
    ani.focus()
    ani.wait("the name's entry", lambda: ani.find("text", "Your name"))
    ani.type("ani")
    ani.set("Server address", server.address)
    ani.key("Return")
    ani.control(None, "Connection: Connected")
    ani.sees(re.compile("^First contact with this server"))
    ani.click("push button", "Close the Message")
    say("connected from the first page, by keyboard")
    budi = window(server, "budi")
    budi.control(None, "Connection: Connected")
    ani.focus()
    ani.type("Halo dunia, apa kabar?")
    ani.wait("what was typed", lambda: text_of(ani.entry("Message")) == "Halo dunia, apa kabar?")
    ani.key("Return")
    budi.sees("Halo dunia, apa kabar?")
    ani.sees("✓")
    ani.wait("an empty entry", lambda: text_of(ani.entry("Message")) == "")
    say("Enter sent it, the other window shows it, and it is kept")
    budi.sends("日本語 👋 مرحبا ünï")
    ani.sees("日本語 👋 مرحبا ünï")
    say("Send was clicked through the accessibility bus")
    ani.focus()
    ani.type("satu")
    ani.key("shift+Return")
    ani.type("dua")
    ani.key("Return")
    budi.sees("satu\ndua")
    say("Shift+Enter breaks the line of one message")
    budi.control("list item", re.compile(r"^ani: satu\ndua"))
    for person in (ani, budi):
        if person.unnamed():
            raise Failed(f"controls without a name: {person.unnamed()}")
    say("every control has a name")
    ani.picture("chat")


def scene_away():
    """The server goes and comes back; what was written meanwhile is kept, and what was said is still there."""
    server = Server()
    ani, budi = meets(server)
    ani.focus()
    ani.type("sebelum")
    ani.key("Return")
    budi.sees("sebelum")
    server.stop(signal.SIGKILL)
    ani.type("saat server mati")
    ani.key("Return")
    ani.sees("…")
    ani.control(None, re.compile("Connection: .*(Silent|Offline|Connecting).*1 waiting"))
    ani.picture("offline")
    say("the window says that the server is away, and what waits")
    server = Server(server.port)
    budi.sees("saat server mati")
    ani.control(None, "Connection: Connected")
    say("it was sent when the server was back")
    ani.key("ctrl+w")
    ani.process.wait(10)
    again = Window("window", "--data", f"{HOME}/ani")
    again.sees("sebelum")
    again.sees("saat server mati")
    say("the history is there after a restart, and the server was remembered")


def scene_key():
    """Another server takes the place: a hard stop, with both fingerprints, and no way on by accident."""
    server = Server()
    ani = window(server, "ani")
    ani.control(None, "Connection: Connected")
    ani.focus()
    ani.type("rahasia")
    ani.key("Return")
    ani.sees("✓")
    server.stop()
    other = Server(server.port, "impostor")
    ani.sees("Another Server Answers", patience=90)
    ani.control("push button", "Trust the New Key…")
    ani.picture("fingerprint-stop")
    say("the window stopped and says why")
    ani.click("push button", "Back")
    ani.control("push button", "Connect")
    assert other.process.poll() is None


def scene_old_programs():
    """The report's two scenarios: plain clients, seen in a window."""
    server = Server()
    ani = window(server, "ani")
    ani.control(None, "Connection: Connected")
    clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for client in clients:
        client.bind(("127.0.0.1", 0))
        client.settimeout(PATIENCE)
    port = clients[0].getsockname()[1]
    clients[0].sendto("halo server!".encode(), ("127.0.0.1", server.port))
    ani.sees("halo server!")
    ani.sees(f"127.0.0.1:{port}")
    ani.sees("plain text")
    say("a plain client's message is shown with its address, and as what it is")
    server.type("halo juga client!")
    if clients[0].recv(1024).decode() != "halo juga client!":
        raise Failed("the plain client did not get the operator's line")
    ani.sees("halo juga client!")
    ani.focus()
    ani.type("halo dari jendela")
    ani.key("Return")
    if clients[0].recv(1024).decode() != "ani: halo dari jendela":
        raise Failed("the plain client did not get the window's message")
    say("and hears the operator and the window")


def scene_operator():
    """The operator's window: the report's server window, grown up."""
    port = free_port()
    operator = Window("serve", "--window", "--port", str(port), "--data", f"{HOME}/server", title="Kirim Server")
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.bind(("127.0.0.1", 0))
    client.settimeout(PATIENCE)
    client.sendto("halo server!".encode(), ("127.0.0.1", port))
    operator.sees(f"Client ('127.0.0.1', {client.getsockname()[1]}): halo server!")
    say("the log shows who spoke, with address and port")
    operator.focus()
    operator.type("halo juga client!")
    operator.key("Return")
    if client.recv(1024).decode() != "halo juga client!":
        raise Failed("the plain client did not get the operator's line")
    operator.sees("Server: halo juga client!")
    say("the entry reaches everybody")
    ani = Window("window", f"127.0.0.1:{port}", "--name", "ani", "--data", f"{HOME}/ani")
    ani.control(None, "Connection: Connected")
    operator.sees(re.compile("ani is here$"))
    operator.picture("operator-log")
    operator.click("page tab", "People")
    operator.sees("ani")
    operator.picture("operator-people")
    operator.click("push button", "Put Out…")
    operator.control("push button", re.compile("^Put Out( |$)"))
    operator.picture("operator-question")
    operator.click("push button", re.compile("^Put Out( |$)"))
    ani.sees("Put Out")
    say("who is put out is told so")
    operator.click("page tab", "Server")
    operator.picture("operator-server")
    if operator.unnamed():
        raise Failed(f"controls without a name: {operator.unnamed()}")
    operator.focus()
    operator.key("ctrl+w")
    operator.click("push button", re.compile("^Stop( |$)"))
    if operator.process.wait(10) != 0:
        raise Failed("the server did not stop well")
    say("closing the window asks, and stops the server")


def scene_flood():
    """A thousand messages a second into the open room, after a long history; prints how the window kept up."""
    seconds = int(os.environ.get("KIRIM_SECONDS", "20"))
    history = int(os.environ.get("KIRIM_HISTORY", "0"))
    os.environ["KIRIM_FRAMES"] = "1"
    server = Server()
    writers = [run(KIRIM, "chat", server.address, "--name", name, "--data", f"{HOME}/{name}", "--timeout", "600",
                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) for name in ("budi", "citra")]
    for number in range(history):
        writers[number % 2].stdin.write(f"riwayat {number}: apa kabar semua, hari ini cerah sekali di sini\n")
    for writer in writers:
        writer.stdin.flush()
    before = time.monotonic()
    ani = window(server, "ani")
    ani.control(None, "Connection: Connected")
    say(f"a window with {history} messages was ready after {time.monotonic() - before:.2f} s")
    start, sent = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        due = int((time.monotonic() - start) * 500)
        for number in range(sent, due):
            for writer in writers:
                writer.stdin.write(f"{number} the build is green again, see you tomorrow at nine\n")
        sent = due
        for writer in writers:
            writer.stdin.flush()
        time.sleep(0.01)
    ani.picture("flood")
    ani.focus()
    ani.key("ctrl+w")
    ani.process.wait(30)
    ani.log.seek(0)
    print(ani.log.read(), flush=True)
    say(f"{sent * 2} messages in {seconds} s")


def scene_pictures():
    """What is looked at by people: sizes, colours, languages."""
    server = Server()
    ani = window(server, "ani")
    ani.control(None, "Connection: Connected")
    ani.picture("empty")
    budi = window(server, "budi")
    budi.control(None, "Connection: Connected")
    lines = ["Selamat pagi semua!", "The build is green again ✅ see https://kirim.example/build/17",
             "A longer message that has to wrap over more than one line, because people do write whole paragraphs in "
             "a chat room and the list has to cope with rows of unequal height.", "日本語の全角文字テスト 🎉",
             "مرحبا بالعالم، كيف حالكم؟", "/me melambai", "/reply 3 Pagi juga!", "/react 4 👍"]
    for line in lines:
        budi.sends(line)
    ani.sees("Pagi juga!")
    ani.sees("👍 1")
    ani.sends("Dan ini dari saya")
    ani.sees("Dan ini dari saya")
    for width, height in ((960, 640), (360, 640), (1400, 900)):
        ani.resize(width, height)
        ani.picture(f"chat-{width}")
    ani.resize(960, 640)
    ani.key("ctrl+i")
    ani.sees("Round trip")
    picture("link")
    ani.key("Escape")
    ani.close()
    os.environ["ADW_DEBUG_COLOR_SCHEME"] = "prefer-dark"
    dark = window(server, "ani", language="id_ID.UTF-8")
    dark.sees("Dan ini dari saya")
    dark.control("push button", "Kirim")
    dark.picture("chat-dark-id")
    dark.resize(360, 640)
    dark.picture("chat-dark-id-360")
    dark.close()
    first = Window("window", "--data", f"{HOME}/nobody", language="id_ID.UTF-8")
    first.control("push button", "Sambung")
    first.picture("first-run-dark-id")
    first.resize(360, 640)
    first.picture("first-run-dark-id-360")


try:
    globals()["scene_" + SCENE]()
    say("PASSED")
except Exception as failure:
    picture(f"failed-{SCENE}")
    for shown in windows:
        if shown.frame and shown.process.poll() is None:
            try:
                print(shown.describe(), flush=True)
            except GLib.Error as error:
                print(f"(its tree cannot be read: {error})")
    for name in sorted(os.listdir(HOME)):
        if name.startswith("window-"):
            with open(f"{HOME}/{name}") as log:
                print(f"--- {name}\n{log.read()}", flush=True)
    say(f"FAILED: {failure!r}")
    sys.exit(1)
finally:
    end()
