#!/usr/bin/python3
"""Drives Kirim's real windows by keyboard and through the accessibility bus, as a screen reader does.

usage: windows.py KIRIM SCENE [PICTURES]

Has its own X server, session bus and home folder. Ends with 0 when the scene went as it is written here. Screenshots
go into the folder PICTURES."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from desk import HOME, Failed, Server, begin, end, free_port, processes, run, say

KIRIM = os.path.abspath(sys.argv[1])
SCENE = sys.argv[2]
PICTURES = os.path.abspath(sys.argv[3]) if len(sys.argv) > 3 else None
PATIENCE = float(os.environ.get("KIRIM_PATIENCE", "30"))
windows = []


begin()
import gi  # noqa: E402
gi.require_version("Atspi", "2.0")
from gi.repository import Gio, GLib  # noqa: E402


def wake_accessibility():
    """Has the accessibility bus started before anybody looks for it: who finds none at its start goes on without."""
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    limit = time.monotonic() + PATIENCE * 2
    while True:
        try:
            return bus.call_sync("org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress", None, None,
                                 Gio.DBusCallFlags.NONE, 20_000)
        except GLib.Error as error:
            if time.monotonic() > limit:
                raise Failed(f"there is no accessibility bus: {error}")
            time.sleep(0.2)


wake_accessibility()
# The library looks for that bus when it is first used, and its registry is there when it answers.
from gi.repository import Atspi  # noqa: E402
Atspi.get_desktop(0).get_child_count()


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

    def __init__(self, *arguments, language="C.UTF-8", title="Kirim", role="frame"):
        self.log = open(f"{HOME}/window-{len(processes)}.log", "w+")
        self.process = run(KIRIM, *arguments, stderr=self.log, env=dict(os.environ, LANG=language))
        self.title = title
        windows.append(self)
        self.frame = None
        self.app = self.wait("the program on the accessibility bus", self.find_app)
        self.frame = self.wait("its window", lambda: self.find(role, re.compile(title), root=self.app))

    def find_app(self):
        desktop = Atspi.get_desktop(0)
        # What the library remembers of it may be from before the program came.
        desktop.clear_cache()
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

    def row(self, author, text, state=""):
        """Waits for a row of the log that is read out like this; what is known of the author stands between."""
        stop = "" if text[-1] in ".!?…" else "\\."
        pattern = f"^{re.escape(author)}(, [^:]*)?: {re.escape(text)}{stop} .*{re.escape(state)}$"
        return self.control("list item", re.compile(pattern, re.S))

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

    def reach(self, key, name):
        """Presses the key until the row has the keyboard."""
        def pressed():
            self.key(key)
            time.sleep(0.3)  # A focus that comes later is passed over, and comes again.
            return any(row.get_state_set().contains(Atspi.StateType.FOCUSED) for row in self.all("list item", name))
        self.wait(f"the keyboard on {name}", pressed)

    def set(self, name, text):
        Atspi.EditableText.set_text_contents(self.entry(name), text)

    def reads(self, text):
        """Waits until this stands in the composer."""
        self.wait(f"a composer with {text!r}", lambda: text_of(self.entry("Message")) == text)

    def row_selected(self, room):
        self.control("list item", re.compile(f"^{room}(,|$)"))

    def enter(self, name, text):
        """Types into the entry of a question, and answers it with Enter."""
        self.wait(f"the entry {name} with the keyboard", lambda: any(
            node.get_state_set().contains(Atspi.StateType.FOCUSED)
            # A field to look for something has a role of its own.
            for role in ("text", "entry") for node in self.all(role, name)))
        self.focus()
        self.type(text)
        self.key("Return")

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
        roles = ("push button", "text", "list", "toggle button", "check box", "password text", "list box",
                 "page tab list", "list item")
        # Where nobody gave a name GTK gives its own: that of the widget's class. Where two did it says both.
        return [f"{node.get_role_name()} {node.get_name()}" for node in walk(self.frame)
                if node.get_role_name() in roles and re.match(r"$|Gtk[A-Z]|Adw[A-Z]|(.+) \1$", node.get_name())]

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
    server = Server(KIRIM)
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
    ani.row("ani", "Halo dunia, apa kabar?", "Kept by the server")
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
    budi.row("ani", "satu\ndua")
    for person in (ani, budi):
        if person.unnamed():
            raise Failed(f"controls without a name: {person.unnamed()}")
    say("every control has a name")
    ani.picture("chat")


def scene_away():
    """The server goes and comes back; what was written meanwhile is kept, and what was said is still there."""
    server = Server(KIRIM)
    ani, budi = meets(server)
    ani.sees("People (2 online)")
    ani.focus()
    ani.type("sebelum")
    ani.key("Return")
    budi.sees("sebelum")
    server.stop(signal.SIGKILL)
    ani.type("saat server mati")
    ani.key("Return")
    ani.row("ani", "saat server mati", "Waiting for the server")
    ani.control(None, re.compile("Connection: .*(silent|Offline|Connecting).*1 waiting"))
    ani.sees("People, last known")
    ani.control("list item", "lobby, 1 waiting")
    ani.picture("offline")
    say("the window says that the server is away, and what waits")
    server = Server(KIRIM, server.port)
    # A client asks less often the longer nobody answers, and a busy machine takes its time.
    budi.sees("saat server mati", patience=120)
    ani.control(None, "Connection: Connected")
    ani.sees("People (2 online)")
    say("it was sent when the server was back")
    ani.focus()
    ani.key("ctrl+w")
    ani.process.wait(PATIENCE)
    again = Window("window", "--data", f"{HOME}/ani")
    again.sees("sebelum")
    again.sees("saat server mati")
    say("the history is there after a restart, and the server was remembered")


def scene_key():
    """Another server takes the place: a hard stop, with both fingerprints, and no way on by accident."""
    server = Server(KIRIM)
    ani = window(server, "ani")
    ani.control(None, "Connection: Connected")
    ani.focus()
    ani.type("rahasia")
    ani.key("Return")
    ani.row("ani", "rahasia", "Kept by the server")
    server.stop()
    ani.type("untuk yang lama")
    ani.key("Return")
    ani.row("ani", "untuk yang lama", "Waiting for the server")
    other = Server(KIRIM, server.port, "impostor")
    ani.sees("Another Server Answers", patience=90)
    ani.control("push button", "Trust the New Key…")
    ani.picture("fingerprint-stop")
    say("the window stopped and says why")
    ani.click("push button", "Trust the New Key…")
    ani.sees(re.compile("^Do this only.*\n1 message waits for the old server", re.S))
    ani.picture("trust")
    ani.click("push button", "Cancel")
    say("the question before trusting says what waits for the old server")
    ani.click("push button", "Back")
    ani.control("push button", "Connect")
    for field, given in (("Your name", "ani"), ("Server address", server.address)):
        if text_of(ani.entry(field)) != given:
            raise Failed(f"{field} is {text_of(ani.entry(field))!r} on the first page")
    say("what was given stands on the first page again")
    ani.set("Server address", "tidak mungkin:")
    ani.click("push button", "Connect")
    ani.control("alert", re.compile("^Write the address as host"))
    ani.focus()
    ani.type("127.0.0.1:1")
    ani.wait("what is typed in the field that is wrong", lambda: text_of(ani.entry("Server address")) == "127.0.0.1:1")
    say("a mistake leads to its field")
    assert other.process.poll() is None


def scene_old_programs():
    """The report's two scenarios: plain clients, seen in a window."""
    server = Server(KIRIM)
    ani = window(server, "ani")
    ani.control(None, "Connection: Connected")
    clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for client in clients:
        client.bind(("127.0.0.1", 0))
        client.settimeout(PATIENCE)
    port = clients[0].getsockname()[1]
    clients[0].sendto("halo server!".encode(), ("127.0.0.1", server.port))
    ani.sees("halo server!")
    ani.control("list item", re.compile(f"^127.0.0.1:{port}, plain text: halo server!"))
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
    second = Window("serve", "--window", "--port", str(port), "--data", f"{HOME}/second", title="The Server Did Not",
                    role=None)
    second.sees(re.compile("another program", re.I))
    second.picture("operator-failed")
    second.click("push button", "Close")
    if second.process.wait(10) != 69:
        raise Failed("a server that did not start ends otherwise with a window")
    say("what keeps a server from starting stands in a window")
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
    citra = Window("window", f"127.0.0.1:{port}", "--name", "citra", "--data", f"{HOME}/citra")
    citra.control(None, "Connection: Connected")
    operator.sees(re.compile("citra is here$"))
    citra.process.terminate()
    if citra.process.wait(10) != 0:
        raise Failed("a window that is ended from outside does not end well")
    operator.sees(re.compile("citra is gone$"), 5)
    say("a window that is ended from outside says goodbye")
    operator.picture("operator-log")
    operator.click("page tab", "People")
    operator.sees("ani")
    operator.picture("operator-people")
    operator.click("push button", "Put ani out")
    operator.control("push button", "Put Out")
    operator.picture("operator-question")
    operator.click("push button", "Put Out")
    ani.sees("You Were Put Out")
    ani.sees("The operator put you out.")
    say("who is put out is told so")
    operator.click("page tab", "Server")
    operator.picture("operator-server")
    operator.sees(re.compile("^This server listens on this machine only"))
    operator.sees("Connections made")
    operator.resize(360, 640)
    operator.wait("a window of 360 pixels",
                  lambda: operator.frame.get_extents(Atspi.CoordType.WINDOW).width <= 360, 10)
    operator.picture("operator-narrow")
    operator.resize(860, 620)
    say("the operator's window fits 360 pixels")
    if operator.unnamed():
        raise Failed(f"controls without a name: {operator.unnamed()}")
    operator.focus()
    operator.key("ctrl+w")
    operator.click("push button", "Stop")
    if operator.process.wait(10) != 0:
        raise Failed("the server did not stop well")
    say("closing the window asks, and stops the server")


def scene_rooms():
    """A draft for each room, lines that stay one message, and a room that is scrolled back."""
    server = Server(KIRIM)
    writer = run(KIRIM, "chat", server.address, "--name", "citra", "--data", f"{HOME}/citra", stdin=subprocess.PIPE,
                 stdout=subprocess.DEVNULL, text=True)
    writer.communicate("".join(f"pesan {number}\n" for number in range(1, 401)))
    ani, budi = meets(server)
    ani.sees("pesan 400")
    if ani.find("label", "pesan 250"):
        raise Failed("more of the room was loaded than is needed at first")
    ani.focus()
    subprocess.run(["xdotool", "mousemove", "--window", ani.number, "600", "300"], check=True)

    def scrolls():
        subprocess.run(["xdotool", "click", "--repeat", "20", "--delay", "5", "4"], check=True)
        return ani.find("label", "pesan 250")
    ani.wait("what was said earlier", scrolls)
    ani.control("push button", re.compile("^Jump to the Latest Message"))
    say("scrolling up brings what was said earlier")
    ani.key("ctrl+End")
    ani.sees("pesan 400")

    ani.type("untuk lobi")
    ani.click("push button", "Join a Room")
    ani.enter("Room name", "dapur")
    ani.row_selected("dapur")
    ani.reads("")
    ani.type("untuk dapur")
    ani.reads("untuk dapur")
    ani.key("alt+Up")
    ani.reads("untuk lobi")
    ani.key("alt+Down")
    ani.reads("untuk dapur")
    ani.key("alt+Up")
    ani.reads("untuk lobi")
    say("each room keeps what was half written there")

    ani.key("ctrl+a", "BackSpace")
    ani.type("satu")
    ani.key("shift+Return")
    ani.type("dua")
    ani.key("ctrl+a", "ctrl+x")
    ani.reads("")
    ani.key("ctrl+v", "shift+Return", "ctrl+v")
    ani.reads("satu\ndua\nsatu\ndua")
    ani.key("Return")
    budi.row("ani", "satu\ndua\nsatu\ndua")
    say("pasted lines are one message")
    ani.type("belum selesai")
    ani.reads("belum selesai")
    # As a session does it that ends, and a terminal that is closed while its program ends.
    ani.process.send_signal(signal.SIGTERM)
    ani.process.send_signal(signal.SIGHUP)
    ani.process.wait(PATIENCE)
    again = Window("window", "--data", f"{HOME}/ani")
    again.reads("belum selesai")
    say("a draft is there after a restart, and two signals are one end")
    again.focus()
    again.key("ctrl+f")
    again.enter("Find in Room", "tidak ada kata ini")
    again.sees("Not in what is loaded")
    say("looking in vain in a part of the room says so")
    dian = window(server, "dian", "--room", "kecil")
    dian.sends("halo dari kecil")
    dian.row("dian", "halo dari kecil", "Kept by the server")
    say("a room of the command line is joined")
    dian.focus()
    dian.key("ctrl+f")
    dian.enter("Find in Room", "tidak ada kata ini")
    dian.sees("No results")
    say("looking in vain says so")


def scene_reading():
    """A message that is higher than the view, and the keyboard among the rows."""
    server = Server(KIRIM)
    ani, budi = meets(server)
    log = ani.control("list", "Messages")
    ani.focus()
    budi.sends("panjang " * 1500 + "selesai")
    ani.click("push button", "Show All")
    ani.wait("all of it", lambda: text_of(ani.entry("All of the Message")).endswith("panjang selesai"))
    ani.key("Escape")
    ani.wait("one window", lambda: not ani.find("text", "All of the Message"))
    ani.focus()
    say("all of a long message can be read")

    for line in ("satu", "dua", "tiga"):
        budi.sends(line)
        ani.row("budi", line)
    ani.key("shift+Tab")

    def focused(text):
        return lambda: any(text in row.get_name() and row.get_state_set().contains(Atspi.StateType.FOCUSED)
                           for row in children(log))
    ani.wait("the keyboard on the last row", focused("tiga"))
    ani.picture("row-focus")
    ani.key("Up")
    ani.wait("the keyboard on the row above", focused("dua"))
    ani.key("ctrl+c")
    ani.sees("Copied")
    ani.type("x")
    ani.reads("x")
    ani.key("ctrl+a", "ctrl+v")
    ani.reads("dua")
    ani.key("ctrl+a", "BackSpace")
    say("rows are reached, copied and left by keyboard")

    for text in ("/edit 1 bukan milikku", "/edit 2 bukan milikku"):
        ani.type(text)
        ani.key("Return")
        ani.reads("")

    def side_by_side():
        tries, discards = (ani.all("push button", name) for name in ("Try Again", "Discard"))
        places = [[node.get_extents(Atspi.CoordType.WINDOW) for node in nodes] for nodes in (tries, discards)]
        return len(tries) == len(discards) == 2 and all(
            left.y == right.y and left.x + left.width <= right.x for left, right in zip(*places))
    ani.wait("buttons side by side", side_by_side)
    ani.picture("refused")
    say("what was refused has its buttons in its own row")
    ani.reach("shift+Tab", re.compile("Change: bukan milikku"))
    ani.key("Menu")
    ani.control("menu item", "Discard")
    ani.key("Down", "Return")
    ani.wait("one row less", lambda: len(ani.all("push button", "Discard")) == 1)
    ani.wait("no menu", lambda: not ani.find("menu item", "Discard"))
    say("a menu that takes its own row away goes with it")

    for number in range(14):
        budi.sends(f"/react 2 r{number}")
    ani.sees("and 2 more")
    if ani.find("push button", re.compile("^r12 ")) or not ani.find("push button", re.compile("^r11 ")):
        raise Failed("of many reactions not the first dozen is shown")
    say("of many reactions the first are buttons")


class Desktop:
    """What the desktop was asked to tell."""

    def __init__(self):
        self.all = []
        self.process = run("/usr/bin/python3", os.path.join(os.path.dirname(__file__), "notifications.py"),
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.all.append(json.loads(line))

    def texts(self):
        return [notice["text"] for notice in self.all if "text" in notice]


def scene_notify():
    """Who looks elsewhere is told of what names them, and of nothing else."""
    desktop = Desktop()
    server = Server(KIRIM)
    ani, budi = meets(server)

    def is_active(person):
        return person.frame.get_state_set().contains(Atspi.StateType.ACTIVE)
    budi.focus()
    ani.wait("a window without the keyboard", lambda: not is_active(ani) and is_active(budi))
    budi.sends("tidak menyebut siapa pun")
    budi.sends("apa kabar, ani?")
    wait("a notification", desktop.texts)
    if desktop.texts() != ["apa kabar, ani?"] or desktop.all[0]["title"] != "budi":
        raise Failed(f"the desktop was told {desktop.all}")
    say("a mention is told, another message is not")
    ani.focus()
    wait("its end, once the window is looked at", lambda: any("closed" in notice for notice in desktop.all))
    ani.wait("a window with the keyboard", lambda: is_active(ani))
    budi.sends("ani melihat ini sendiri")
    ani.sees("ani melihat ini sendiri")
    budi.focus()
    ani.wait("a window without the keyboard", lambda: not is_active(ani))
    budi.sends("ani, sudah pergi?")
    wait("one more notification", lambda: len(desktop.texts()) > 1)
    if desktop.texts()[1:] != ["ani, sudah pergi?"]:
        raise Failed(f"the desktop was told {desktop.all}")
    say("and nothing while the window is looked at")


def scene_door():
    """A server with a password, and one that lets in whom it invited."""
    secret = f"{HOME}/password"
    with open(secret, "w") as file:
        file.write("rahasia sekali\n")
    os.chmod(secret, 0o600)
    server = Server(KIRIM, None, "closed", "--password-file", secret)
    ani = window(server, "ani")
    ani.sees(re.compile("lets in who knows its password"))
    ani.picture("password")
    ani.enter("Password", "salah sekali")
    ani.sees(re.compile("^The server did not take this password"))
    ani.picture("password-refused")
    ani.enter("Password", "rahasia sekali")
    ani.control(None, "Connection: Connected")
    ani.close()
    say("the password is asked for, and lets in")
    server = Server(KIRIM, None, "invited", "--invite-only")
    budi = window(server, "budi")
    budi.sees("Invitation Needed")
    budi.picture("invitation-needed")
    address = subprocess.check_output([KIRIM, "invite", "--port", str(server.port), "--data", f"{HOME}/invited"],
                                      text=True).strip()
    budi.enter("Address with the invitation", address)
    budi.control(None, "Connection: Connected")
    say("an invitation is asked for, and lets in")
    budi.close()
    server.stop()
    for name in os.listdir(f"{HOME}/invited"):
        if ".sqlite" in name:
            os.remove(f"{HOME}/invited/{name}")
    server = Server(KIRIM, server.port, "invited", "--invite-only")
    # The server has forgotten whose it was, and now it is somebody else's.
    citra = Window("window", address, "--name", "citra", "--data", f"{HOME}/citra")
    citra.control(None, "Connection: Connected")
    again = Window("window", "--data", f"{HOME}/budi")
    again.sees(re.compile("^The invitation was wrong"))
    again.enter("Address with the invitation", subprocess.check_output(
        [KIRIM, "invite", "--port", str(server.port), "--data", f"{HOME}/invited"], text=True).strip())
    again.control(None, "Connection: Connected")
    say("an invitation that was kept and is refused is not taken for a password")


def scene_secrets():
    """A password goes to the server that it was given for, and to no other."""
    secret, wrong = f"{HOME}/password", f"{HOME}/wrong"
    for path, text in ((secret, "rahasia sekali"), (wrong, "salah sekali")):
        with open(path, "w") as file:
            file.write(text + "\n")
        os.chmod(path, 0o600)
    one, other = (Server(KIRIM, None, name, "--password-file", secret) for name in ("one", "other"))
    refused, needed = (re.compile(text) for text in ("did not take this password", "who knows its password"))
    ani = window(one, "ani", "--password-file", wrong)
    ani.sees(refused)
    ani.click("push button", "Back")
    ani.set("Server address", other.address)
    ani.click("push button", "Connect")
    ani.sees(needed)
    ani.close()
    say("what the command line gave is for the server that it named")
    ani = Window("window", one.address, "--data", f"{HOME}/ani")
    ani.sees(needed)
    ani.click("push button", "Back")
    ani.set(re.compile("^Password"), "salah sekali")
    ani.click("push button", "Connect")
    ani.sees(refused)
    ani.click("push button", "Back")
    ani.focus()
    ani.reach("Tab", re.compile(f"^{one.address}"))
    ani.reach("Down", re.compile(f"^{other.address}"))
    ani.key("Return")
    ani.sees(needed)
    say("what was typed for one server is not offered to another")


def scene_narrow():
    """Scripts of the world, and a window as narrow as a telephone."""
    server = Server(KIRIM)
    ani, budi = meets(server)
    for line in ("مرحبا بالعالم، كيف حالكم؟", "日本語の全角文字テスト", "שלום עולם", "👩‍💻🎉"):
        budi.sends(line)
        ani.row("budi", line)
    say("right-to-left, wide and coloured characters arrive as rows")
    ani.resize(360, 640)
    ani.picture("narrow")

    def clipped():
        """Controls in sight that stand out of the window."""
        size = ani.frame.get_extents(Atspi.CoordType.WINDOW)
        if size.width > 360:
            return [f"the window is {size.width} wide"]
        page = ani.entry("Message")
        # The page around it: those that are not shown keep the places that they had.
        while not ani.find("text", "Server address", root=page.get_parent()):
            page = page.get_parent()
        places = [(node.get_name(), node.get_extents(Atspi.CoordType.WINDOW)) for node in walk(page)
                  if node.get_role_name() in ("push button", "toggle button", "text")]
        if "Send" not in [name for name, place in places if place.width > 0]:
            return ["Send is not there"]
        return [f"{name} from {place.x} to {place.x + place.width}" for name, place in places
                if place.width > 0 and (place.x < 0 or place.x + place.width > 360)]
    ani.wait("a window whose controls fit", lambda: not clipped(), 10)
    say("no control is clipped at 360 pixels")
    ani.resize(960, 640)


def scene_pictures():
    """What is looked at by people: sizes, colours, languages."""
    server = Server(KIRIM)
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
