#!/usr/bin/python3
"""Tests the built server against the second implementation: second.py [--kirim PATH] [SCENE ...]

Each scene starts the servers it needs, on loopback and with folders of its own. See README.md.
"""
import argparse
import base64
import contextlib
import json
import os
import random
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.dont_write_bytecode = True  # the folder stays as it is

from kirim_protocol import *  # the whole vocabulary of the protocol
import vectors

KIRIM = None
PORTS = iter(random.sample(range(33100, 34000), 900))
SCENES = []


class Failed(Exception):
    pass


def scene(function):
    SCENES.append(function)
    return function


def check(condition, what):
    if not condition:
        raise Failed(what)


# Servers, clients and the program's own client

def free_port():
    for port in PORTS:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise Failed("no free port")


def environment(home):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KIRIM_")}
    return dict(kept, HOME=home)


class Program:
    """A running kirim, with its output as lines."""

    def __init__(self, home, *arguments):
        self.process = subprocess.Popen([KIRIM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, env=environment(home))
        self.lines = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))

    def say(self, line):
        self.process.stdin.write(line.encode("utf-8") + b"\n")
        self.process.stdin.flush()

    def has(self, part):
        return any(part in line for line in self.lines)

    def objects(self, event):
        found = [json.loads(line) for line in list(self.lines) if line.startswith("{")]
        return [item for item in found if item["event"] == event]

    def end(self, signal="terminate"):
        if self.process.poll() is None:
            getattr(self.process, signal)()
        self.process.wait(5)


class World:
    """One scene's folder, servers and clients; all end with it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="second-")
        self.programs, self.clients, self.server = [], [], None
        self.port, self.data = free_port(), self.path("server")
        self.arguments = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def file(self, name, text):
        descriptor = os.open(self.path(name), os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(text)
        return self.path(name)

    def program(self, *arguments):
        program = Program(self.folder, *arguments)
        self.programs.append(program)
        return program

    def serve(self, *arguments):
        self.arguments = arguments or self.arguments
        self.server = self.program("serve", "--port", str(self.port), "--data", self.data, *self.arguments)
        self.until(lambda: self.server.has("Kirim serves on"), "the server starts", 10)
        return self

    def output(self, *arguments, text=""):
        return subprocess.run([KIRIM, *arguments], input=text, capture_output=True, text=True, timeout=20,
                              env=environment(self.folder)).stdout.strip()

    def client(self, name=None, connect=True, cls=Chat, **options):
        client = cls(("127.0.0.1", self.port), name=name, **options)
        self.clients.append(client)
        if connect:
            client.connect()
        return client

    def welcomed(self, name=None, **options):
        client = self.client(name, **options)
        self.until(lambda: client.welcome, "welcome")
        return client

    def chat(self, name, *arguments):
        address = "127.0.0.1:%d" % self.port
        return self.program("chat", "--json", "--name", name, "--data", self.path(name), *arguments, address)

    def until(self, condition, what, timeout=6):
        """Drives all clients; without a condition for the whole time."""
        end = time.monotonic() + timeout
        while True:
            for client in self.clients:
                client.step()
            if condition and condition():
                return
            now = time.monotonic()
            if now >= end:
                check(condition is None, "in time: " + what)
                return
            wait = min([client.deadline() for client in self.clients] + [end, now + 0.02]) - now
            select.select([client.socket for client in self.clients], [], [], max(0, wait))

    def rest(self, seconds):
        self.until(None, "", seconds)

    def answer(self, client, name, /, **values):
        number = client.request(name, **values)
        self.until(lambda: client.answer(number), "an answer to " + name)
        return client.answer(number)

    def log(self, client, room="lobby"):
        """The texts of a room as a fresh subscription shows them, by sequence."""
        number = client.subscribe(room, after=0)
        self.until(lambda: client.answer(number), "subscribed")
        end = client.answer(number)[0][1]["last"]
        self.until(lambda: len(client.logs[room]) >= end, "all entries", 10)
        return {sequence: entry["text"] for sequence, entry in sorted(client.logs[room].items())}

    def close(self):
        for client in self.clients:
            client.close()
            client.socket.close()
        for program in self.programs:
            with contextlib.suppress(Exception):
                program.end("kill")
            program.process.stdin.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def kinds(client):
    return [packet[0] for packet in client.datagrams_in]


def named(client, name):
    return [values for event, values in client.events if event == name]


def decided(client):
    return not client.outbox.undecided()


def all_accepted(client):
    return decided(client) and all(result == "accepted" for result, _ in client.outbox.decided.values())


# Handshake (§2)

@scene
def handshake_open(world):
    """HELLO, CHALLENGE, OPEN, ACCEPT, welcome on an open server"""
    client = world.serve().welcomed("satu")
    check(kinds(client)[:3] == [CHALLENGE, ACCEPT, DATA], "the order of the server's packets")
    check(len(client.datagrams_in[0]) == 72, "CHALLENGE has 72 bytes for n = 2")
    check(client.welcome["member"]["key"] == public(client.key), "welcome shows our key")
    check(client.welcome["member"]["name"] == "satu", "welcome shows our name")
    check(client.welcome["message_bytes"] == 65_536 and client.welcome["posts_in_flight"] == 64, "the limits")
    check(any(number >= 64 for number in client.parameters), "the server greases its parameters")
    challenge = read_challenge(client.datagrams_in[0])
    check(any(map(is_grease, challenge.versions)) and VERSION in challenge.versions, "grease among the versions")


@scene
def handshake_silence(world):
    """the server sends nothing after ACCEPT until the first DATA; OPEN twice gets the same ACCEPT"""
    class Silent(Chat):
        def on_connected(self):
            pass
    client = world.serve().client(cls=Silent)
    world.until(lambda: client.state == "connected", "ACCEPT")
    client.transmit(client.packet)
    world.rest(0.4)
    check(kinds(client) == [CHALLENGE, ACCEPT, ACCEPT], "nothing but ACCEPT")
    check(client.datagrams_in[1] == client.datagrams_in[2], "the same ACCEPT")


@scene
def handshake_password(world):
    """a password server takes the right password"""
    world.serve("--password-file", world.file("password", "kata sandi ü\nanother line\n"))
    client = world.welcomed(password="kata sandi ü")
    check(client.access == PASSWORD, "access 1")


@scene
def handshake_wrong_password(world):
    """a wrong password, or none, ends the search only after four sendings"""
    world.serve("--password-file", world.file("password", "benar\n"))
    wrong, none = world.client(password="salah", retry=0.1), world.client(retry=0.1)
    world.until(lambda: wrong.stopped and none.stopped, "both give up")
    check(wrong.stopped == "cannot read the answer" and kinds(wrong).count(ACCEPT) == 4, "four unreadable ACCEPTs")
    check(none.stopped == "password" and kinds(none).count(CHALLENGE) == 4, "four CHALLENGEs")
    check(not wrong.welcome and not none.welcome, "nobody is in")


def invitation(world):
    address = world.output("invite", "--port", str(world.port), "--data", world.data)
    token = address.split("?invite=")[1].upper()
    data = base64.b32decode(token + "=" * (-len(token) % 8))
    return data[:12], data[12:]


@scene
def handshake_invitation(world):
    """an invitation lets one key in, and that one again; another key with it, and no invitation, stay out"""
    world.serve("--invite-only")
    ticket = invitation(world)
    guest = world.welcomed("tamu", invitation=ticket)
    guest.close()
    again = world.welcomed("tamu", invitation=ticket, key=guest.key)
    check(again.access == INVITATION, "access 2")
    thief, none = world.client(invitation=ticket, retry=0.1), world.client(retry=0.1)
    forged = world.client(invitation=(os.urandom(12), os.urandom(32)), retry=0.1)
    world.until(lambda: thief.stopped and none.stopped and forged.stopped, "three give up")
    check(thief.stopped == forged.stopped == "cannot read the answer", "used and unknown invitations look alike")
    check(none.stopped == "invitation", "without an invitation no OPEN is sent")


@scene
def connect_by_token(world):
    """a token saves the round trip; a bad one is answered by CHALLENGE, and a new e is used"""
    first = world.serve().welcomed("satu")
    token, key, server_key = first.token, first.key, first.server_key
    first.close()
    second = world.welcomed("satu", key=key, server_key=server_key, token=token)
    check(kinds(second)[0] == ACCEPT and CHALLENGE not in kinds(second), "ACCEPT comes first")
    check(second.welcome["member"] == first.welcome["member"], "the same member")
    bad = world.client("satu", connect=False, key=key, server_key=server_key, token=token[:-1] + b"?")
    bad.connect()
    e = public(bad.ephemeral)
    world.until(lambda: bad.welcome, "welcome after all")
    check(kinds(bad)[:3] == [CHALLENGE, CHALLENGE, ACCEPT], "CHALLENGE to OPEN, CHALLENGE to HELLO, ACCEPT")
    check(public(bad.ephemeral) != e, "a new e")


@scene
def token_with_stale_access(world):
    """an open server that asks for a password meanwhile: a client with a token finds in by HELLO"""
    first = world.serve().welcomed("satu")
    first.close()
    world.server.end()
    world.serve("--password-file", world.file("password", "baru\n"))
    client = world.client("satu", key=first.key, server_key=first.server_key, token=first.token, password="baru",
                          retry=0.1)
    world.until(lambda: client.welcome, "welcome")
    check(client.handshakes == 2, "one vain OPEN, then HELLO")


@scene
def no_amplification(world):
    """no answer is larger than its question before the address is proved; what is malformed gets none"""
    world.serve()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(0.25)
    sock.connect(("127.0.0.1", world.port))

    def ask(packet):
        sock.send(packet)
        try:
            return sock.recv(2048)
        except socket.timeout:
            return b""
    e = public(private_key())
    hello = hello_packet(e, [grease_version(), VERSION])
    check(72 == len(ask(hello)), "HELLO is answered with less")
    check(ask(hello[:-1]) == b"" and ask(hello[:-1] + b"\1") == b"", "short HELLO, HELLO without zeros")
    check(ask(hello_packet(e, [])) == b"" and ask(hello_packet(e, [VERSION])) == b"", "HELLO without versions, or grease")
    noise1, token = e + bytes(NOISE1 - 32), world.welcomed().token
    answer = ask(open_packet(VERSION, 1, bytes(21), noise1))
    check(answer[0] == CHALLENGE and answer[1:9] == e[:8], "OPEN with a bad proof is answered as a HELLO")
    answer = ask(open_packet(bytes.fromhex("12345678"), 1, token, noise1))
    check(answer[:1] == bytes([CHALLENGE]) and answer[1:9] == e[:8], "and so is one of an unknown version")
    check(ask(open_packet(VERSION, 1, token, noise1)) == b"", "OPEN that cannot be read is dropped")
    check(ask(bytes([DATA]) + bytes(24)) == b"", "DATA as short as a RESET is not answered")
    answer = ask(bytes([DATA]) + bytes(60))
    check(answer[:1] == bytes([RESET]) and len(answer) == 25, "DATA for an unknown connection: RESET")
    check(not any(ask(bytes([kind]) + bytes(1199)) for kind in (0xF5, 0xF6, 0xF7, 0xFE, 0xFF)), "grease packets")
    sock.close()


# Posts (§6)

@scene
def post_is_read(world):
    """a post is accepted, and read by another second client and by kirim chat; a post of kirim chat is read here"""
    writer = world.serve().welcomed("ani")
    reader = world.welcomed("budi")
    reader.subscribe("lobby", after=0)
    program = world.chat("citra", "--follow")
    world.until(lambda: program.objects("caught_up"), "kirim chat is in")
    writer.post("halo semua ✓")
    program.say("halo juga")
    world.until(lambda: all_accepted(writer), "accepted")
    _, place = writer.outbox.decided[1]
    world.until(lambda: place["sequence"] in reader.logs["lobby"], "our reader has it")
    entry = reader.logs["lobby"][place["sequence"]]
    check(entry["text"] == "halo semua ✓" and entry["kind"] == 0 and entry["reference"] is None, "the entry")
    author, values = entry["author"]
    check(author == "member" and values["name"] == "ani", "its author")
    check(values["post"] == {"outbox": writer.outbox.number, "number": 1}, "its outbox and number")
    shown = place["sequence"], "ani", "halo semua ✓"
    world.until(lambda: shown in [(item["seq"], item["author"], item["text"]) for item in program.objects("entry")],
                "kirim chat has it")
    world.until(lambda: "halo juga" in [entry["text"] for entry in reader.logs["lobby"].values()], "we have its post")


@scene
def large_posts(world):
    """64 KiB in parts, both ways, with our client and with the program's"""
    writer = world.serve().welcomed("ani")
    reader = world.welcomed("budi")
    reader.subscribe("lobby", after=0)
    program = world.chat("citra", "--follow")
    world.until(lambda: program.objects("caught_up"), "kirim chat is in")
    ours = "é" + "".join(random.choices("abcdefghij ", k=65_534))
    theirs = "".join(random.choices("klmnopqrst", k=65_536))
    writer.post(ours)
    program.say(theirs)
    world.until(lambda: all_accepted(writer), "accepted", 10)
    both = {ours, theirs}
    world.until(lambda: both <= {entry["text"] for entry in reader.logs["lobby"].values()}, "we read both", 10)
    world.until(lambda: both <= {item["text"] for item in program.objects("entry")}, "kirim chat, too", 10)
    writer.post(ours + "x")
    world.until(lambda: decided(writer), "decided")
    check(writer.outbox.decided[2][0] == "refused", "a byte more is refused")


@scene
def repeated_post(world):
    """the same post number again, also on a new connection: the same decision, once in the log"""
    client = world.serve().welcomed("ani")
    client.post("hanya sekali")
    world.until(lambda: all_accepted(client), "accepted")
    for _ in range(3):
        client.connection.send_record(1, 1, client.outbox.posts[1])
        world.rest(0.05)
    client.close()
    client.connect()
    world.until(lambda: client.welcome, "welcome")
    check(client.welcome["next_post"] == 2, "the welcome knows of it")
    client.connection.send_record(1, 1, client.outbox.posts[1])
    world.until(lambda: len(named(client, "decided")) >= 3, "decided again")
    answers = [post for values in named(client, "decided") for post in values["posts"]]
    check(all(answer == answers[0] for answer in answers), "the same decision")
    check(list(world.log(client).values()).count("hanya sekali") == 1, "once in the log")


@scene
def early_posts(world):
    """posts are taken in the order of their numbers; one too far ahead is postponed"""
    client = world.serve().welcomed("ani")
    records = {n: write_message("post", room="lobby", kind=0, reference=None, authored=1, text="p%d" % n)
               for n in range(1, 80)}
    client.connection.send_record(1, 79, records[79])
    world.until(lambda: named(client, "postponed"), "postponed")
    check(named(client, "postponed")[0]["first"] == 79, "that one")
    for number in (3, 2, 4, 1):
        client.connection.send_record(1, number, records[number])
        world.rest(0.05)
    world.until(lambda: len(client.outbox.decided) == 4, "decided")
    texts = [text for text in world.log(client).values() if text.startswith("p")]
    check(texts == ["p1", "p2", "p3", "p4"], "in order")


@scene
def many_posts_pipelined(world):
    """300 posts, and 12 of 30,000 bytes, within the limits of welcome"""
    client = world.serve().welcomed("ani")
    for number in range(300):
        client.post("nomor %d" % number)
    for number in range(12):
        client.post("%02d" % number + "x" * 30_000)
    world.until(lambda: all_accepted(client), "all accepted", 15)
    texts = [text[:10] for text in world.log(client).values()][1:]
    check(texts == ["nomor %d" % n for n in range(300)] + ["%02dxxxxxxxx" % n for n in range(12)], "in order, once each")


@scene
def catch_up_and_read_back(world):
    """subscribe after a cursor, the last n, and back with until"""
    client = world.serve().welcomed("ani")
    for number in range(40):
        client.post("n%d" % number)
    world.until(lambda: all_accepted(client), "accepted")
    last = max(place["sequence"] for _, place in client.outbox.decided.values())

    def read(**how):
        reader = world.welcomed()
        number = reader.subscribe("lobby", **how)
        world.until(lambda: reader.answer(number), "subscribed")
        world.rest(0.25)
        return reader.answer(number)[0][1], sorted(reader.logs["lobby"])
    answer, found = read(after=0, until=10)
    check(found == list(range(1, 11)), "from the first until 10, 10 included")
    answer, found = read(after=20, until=30)
    check(found == list(range(21, 31)) and answer["first"] == 21, "after 20 means from 21")
    answer, found = read(last=5)
    check(found[0] == answer["first"] and found[-1] == answer["last"] and answer["last"] >= last, "the last five")
    check(len(found) == 5, "five of them")
    reader = world.welcomed()
    number = reader.subscribe("lobby", last=0)
    world.until(lambda: reader.answer(number), "subscribed")
    client.post("baru")
    world.until(lambda: [e["text"] for e in reader.logs["lobby"].values()] == ["baru"], "last 0: what is new alone")
    check(world.answer(reader, "unsubscribe", stream=2)[0][0] == "done", "unsubscribe")
    client.post("sesudah")
    world.until(lambda: decided(client), "accepted")
    world.rest(0.1)
    check(len(reader.logs["lobby"]) == 1, "nothing comes after unsubscribe")


@scene
def rooms_members_presence(world):
    """rename, join, create, leave, list rooms and members, presence as datagrams"""
    ani, budi = world.serve().welcomed("ani"), world.welcomed("budi")
    check(world.answer(ani, "create", room="kelas")[0][0] == "done", "create")
    check(world.answer(ani, "join", room="kelas")[0][0] == "done", "join")
    check(world.answer(ani, "join", room="Not a room")[0][0] == "refused", "a bad room name is refused")
    rooms = {row["room"]: row for row in world.answer(budi, "list_rooms")[-1][1]["rooms"]}
    check(rooms["kelas"]["members"] == 1 and rooms["lobby"]["members"] == 2, "list rooms")
    members = world.answer(budi, "list_members", room="lobby")[-1][1]["members"]
    check({row["member"]["name"]: row["presence"] for row in members} == {"ani": 1, "budi": 1}, "list members")
    check(world.answer(budi, "rename", name="ani")[0][0] == "refused", "a name is somebody's")
    check(world.answer(budi, "rename", name="a: b")[0][0] == "refused", "no colon in a name")
    check(world.answer(budi, "rename", name="Budi Dua")[0][0] == "done", "rename")
    members = world.answer(ani, "list_members", room="lobby")[-1][1]["members"]
    check({row["member"]["name"] for row in members} == {"ani", "Budi Dua"}, "the new name")
    world.log(ani)  # presence goes to those who are subscribed to the room
    ani.presences.clear()
    budi.set_presence(2)
    world.until(lambda: any(p["presence"] == 2 for p in ani.presences), "away is passed on")
    budi.set_presence(0)
    world.rest(0.2)
    check(ani.presences[-1]["presence"] == 2, "nobody says of itself that it is gone")
    check(ani.presences[-1]["room"] == "lobby" and ani.presences[-1]["name"] == "Budi Dua", "whose it is")
    budi.close()
    world.until(lambda: any(p["presence"] == 0 for p in ani.presences), "gone with the last connection")
    check(world.answer(ani, "leave", room="kelas")[0][0] == "done", "leave")
    again = world.welcomed("ani")
    check(again.name != "ani", "a second key does not get the same name: " + again.name)


@scene
def requests_before_hello(world):
    """hello is the first record; requests before it are refused; a request number is a place in an order"""
    class Rude(Chat):
        def request(self, name, /, **values):
            if name == "hello":
                super().request("list_rooms")
            return super().request(name, **values)
    client = world.serve().client(cls=Rude)
    world.until(lambda: client.answer(0), "an answer")
    check(client.answer(0)[0][0] == "refused", "refused")
    polite = world.welcomed()
    polite.connection.send_record(0, 3, write_message("list_rooms"))
    world.rest(0.2)
    check(not polite.answer(3), "number 3 waits for 1 and 2")
    polite.connection.send_record(0, 2, write_message("list_rooms"))
    polite.connection.send_record(0, 1, write_message("list_rooms"))
    world.until(lambda: polite.answer(3), "and is answered behind them")


@scene
def requests_behind_hello(world):
    """requests that come with hello wait for the welcome"""
    class Hasty(Chat):
        def on_connected(self):
            super().on_connected()
            self.request("create", room="kelas")
            self.request("list_rooms")
    client = world.serve().client(cls=Hasty)
    # What is kept on disk takes longer than a list.
    world.until(lambda: client.answer(1) and client.answer(2), "answers")
    check([name for name, _ in client.events if name in ("welcome", "refused", "done", "rooms")][0] == "welcome", "first")
    check(client.answer(1)[0][0] == "done" and client.answer(2)[0][0] == "rooms", "what was asked for")


@scene
def names_at_hello(world):
    """a wish that is no name counts as none, however it is wrong"""
    world.serve()
    for wish in ("", " ", "a: b", "✓ budi", "x" * 33, "x" * 100, "é" * 32 + "x"):
        client = world.welcomed(wish)
        check(client.name.startswith("tamu-"), "%r became %r" % (wish, client.name))
        check(not named(client, "refused"), "nothing was refused")


@scene
def parts_again(world):
    """the parts of a post that was decided come again: decided as before, once in the log"""
    client = world.serve().welcomed("ani")
    client.post("x" * 3_000)
    world.until(lambda: all_accepted(client), "accepted")
    record = client.outbox.posts[1]
    for offset in (0, 800, 2_400, 1_600):
        client.connection.push(write_frame("part", stream=1, number=1, offset=offset, total=len(record),
                                           bytes=record[offset:offset + 800]))
        world.rest(0.05)
    world.until(lambda: len(named(client, "decided")) == 2, "decided again")
    first, second = named(client, "decided")
    check(first == second and list(world.log(client).values()).count("x" * 3_000) == 1, "as before")


@scene
def operator_kicks(world):
    """kick closes with code 2 and the client stays out; the server's own words are entries of author 0"""
    client = world.serve().welcomed("ani")
    client.subscribe("lobby", last=0)
    world.rest(0.1)
    world.server.say("perhatian")
    world.until(lambda: client.logs["lobby"], "the broadcast")
    entry = next(iter(client.logs["lobby"].values()))
    check(entry["author"][0] == "server" and entry["kind"] == 7 and entry["text"] == "perhatian", "a broadcast")
    world.server.say("/kick ani")
    world.until(lambda: named(client, "close"), "CLOSE")
    check(named(client, "close")[0]["code"] == KICKED and client.back_at is None, "code 2, and no way back by itself")


@scene
def plain_author(world):
    """an entry of a plain client carries its address"""
    client = world.serve().welcomed("ani")
    client.subscribe("lobby", last=0)
    world.rest(0.1)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.sendto("halo dari nc\n".encode(), ("127.0.0.1", world.port))
    world.until(lambda: any(e["author"][0] == "plain" for e in client.logs["lobby"].values()), "the entry")
    entry = [e for e in client.logs["lobby"].values() if e["author"][0] == "plain"][0]
    port = sock.getsockname()[1]
    check(entry["text"] == "halo dari nc", "without its line end")
    check(entry["author"][1] == {"ip": bytes([127, 0, 0, 1]), "port": port.to_bytes(2, "big")}, "ip and port")
    sock.close()


# Moving, loss, restarts (§3, §4)

@scene
def roaming(world):
    """a new socket in the middle: no new handshake, the path is validated, a fresh TOKEN comes"""
    client = world.serve().welcomed("ani")
    client.post("sebelum")
    world.until(lambda: all_accepted(client), "accepted")
    time.sleep(1.1)  # tokens count in seconds: a fresh one differs then
    token, port = client.token, client.socket.getsockname()[1]
    client.move()
    client.post("sesudah")
    world.until(lambda: all_accepted(client), "accepted from the new address")
    world.until(lambda: client.token != token, "a fresh token")
    check(client.handshakes == 1 and client.socket.getsockname()[1] != port, "the same connection, another port")
    check(named(client, "path_challenge"), "PATH_CHALLENGE came, and was answered by the library")
    other = world.welcomed("budi", token=client.token, server_key=client.server_key)
    check(CHALLENGE not in kinds(other), "the fresh token proves the address")


@scene
def unvalidated_path(world):
    """a new address that does not answer PATH_CHALLENGE gets at most three times what it sent"""
    class Deaf(Chat):
        deaf = False

        def _on_data(self, packet, now):
            if not self.deaf:
                super()._on_data(packet, now)
    writer = world.serve().welcomed("budi")
    for _ in range(4):
        writer.post("x" * 60_000)
    client = world.client("ani", cls=Deaf)
    world.until(lambda: client.welcome and all_accepted(writer), "welcome")
    client.subscribe("lobby", after=0)
    client.tick(time.monotonic())  # the server begins to send 240,000 bytes
    client.deaf, client.datagrams_in = True, []
    client.take_socket()
    question = client.connection.seal_packet(write_frame("ping") + write_frame("ack_now"), time.monotonic())
    client.socket.send(question)
    world.clients.remove(client)  # from now on it only listens
    end, received = time.monotonic() + 1.5, 0
    client.socket.settimeout(0.2)
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            received += len(client.socket.recv(2048))
    world.clients.append(client)
    client.socket.setblocking(False)
    check(0 < received <= 3 * len(question), "%d bytes for %d" % (received, len(question)))


@scene
def replays(world):
    """replayed packets are ignored, by the server and by us"""
    client = world.serve().welcomed("ani")
    sent, received = [], []
    transmit, receive = client.transmit, client._receive
    client.transmit = lambda packet: (sent.append(packet), transmit(packet))
    client._receive = lambda packet, now: (received.append(packet), receive(packet, now))
    client.post("satu")
    number = client.request("create", room="baru")
    world.until(lambda: all_accepted(client) and client.answer(number), "accepted")
    world.rest(0.1)
    events, numbers = len(client.events), client.connection.received.highest
    for packet in list(sent):
        client.socket.send(packet)
    for packet in list(received):
        receive(packet, time.monotonic())
    world.rest(0.3)
    check(len(client.events) == events, "no event from replays")
    check(client.connection.received.highest == numbers, "the server does not answer replays")
    changed = bytearray(sent[0])
    changed[-1] ^= 1
    client.socket.send(changed)
    world.rest(0.1)
    check(client.state == "connected" and client.connection.received.highest == numbers, "nor forgeries")


@scene
def killed_server(world):
    """kill -9 and a new start: RESET is recognised, a false one is not; back by token, and the outbox goes on"""
    client = world.serve().welcomed("ani")
    client.post("satu")
    world.until(lambda: all_accepted(client), "accepted")
    identity = client.connection.identity
    client._receive(bytes([RESET]) + identity + os.urandom(16), time.monotonic())
    check(client.state == "connected", "a false RESET is nothing")
    world.server.end("kill")
    client.post("dua")
    client.post("tiga")
    world.rest(0.3)
    check(client.state == "connected", "silence is no end")
    client.datagrams_in.clear()
    world.serve()
    world.until(lambda: all_accepted(client), "the outbox goes on", 10)
    check(named(client, "reset") and client.handshakes == 2, "RESET, then a handshake")
    check(kinds(client)[:2] == [RESET, ACCEPT], "by token: the token survives the restart")
    texts = [text for text in world.log(client).values() if text in ("satu", "dua", "tiga")]
    check(texts == ["satu", "dua", "tiga"], "once each, in order")


@scene
def graceful_restart(world):
    """a stopped server says CLOSE with code 1, and the client is back after about a second"""
    client = world.serve().welcomed("ani")
    world.server.end()
    world.until(lambda: named(client, "close"), "CLOSE")
    check(named(client, "close")[0]["code"] == RESTARTING, "code 1")
    world.serve()
    client.post("kembali")
    world.until(lambda: all_accepted(client), "back, and accepted")
    check(client.handshakes == 2, "one more handshake")


@scene
def forgotten_posts(world):
    """a server restored from an older backup: the welcome's next post tells, and a new outbox number helps"""
    client = world.serve().welcomed("ani")
    world.server.end()
    shutil.copytree(world.data, world.path("backup"))
    world.serve()
    client.post("hilang")
    world.until(lambda: all_accepted(client), "accepted")
    world.server.end()
    shutil.rmtree(world.data)
    shutil.copytree(world.path("backup"), world.data)
    world.serve()
    client.post("nanti")
    world.until(lambda: named(client, "forgotten"), "next post before the first undecided", 10)
    client.outbox.renumber()
    client.connect()
    world.until(lambda: all_accepted(client), "accepted under a new number")
    check("nanti" in world.log(client).values(), "in the log")


@scene
def copied_outbox(world):
    """two copies of one key and outbox: the second sees by the welcome that there is another"""
    first = world.serve().welcomed("ani")
    first.post("dari yang pertama")
    world.until(lambda: all_accepted(first), "accepted")
    copy = Outbox()
    copy.number = first.outbox.number
    second = world.client("ani", key=first.key, outbox=copy)
    second.post("dari yang kedua")
    world.until(lambda: named(second, "other_copy"), "next post beyond the mark")
    second.outbox.renumber()
    second.connect()
    world.until(lambda: all_accepted(second), "accepted under a new number")
    texts = list(world.log(second).values())
    check(texts.count("dari yang pertama") == texts.count("dari yang kedua") == 1, "both are in the log")


@scene
def second_connection(world):
    """rekey: a second connection beside the first, the first closed with code 6; posts go on"""
    first = world.serve().welcomed("ani")
    first.post("satu")
    world.until(lambda: all_accepted(first), "accepted")
    second = world.welcomed("ani", key=first.key, outbox=first.outbox, token=first.token, server_key=first.server_key)
    second.post("dua")
    world.until(lambda: all_accepted(second), "accepted on the second")
    first.close(REPLACED)
    members = world.answer(second, "list_members", room="lobby")[-1][1]["members"]
    check([row["presence"] for row in members] == [1], "still online")
    second.post("tiga")
    world.until(lambda: all_accepted(second), "and on")


@scene
def loss(world):
    """20 % of the packets lost each way: all posts are accepted in order, and all entries are read"""
    world.serve()
    dice = random.Random(20)
    writer, reader = world.client("ani", retry=0.1), world.client("budi", retry=0.1)
    for client in (writer, reader):
        client.drop = lambda outward: dice.random() < 0.2
    for number in range(60):
        writer.post("nomor %d" % number)
    writer.post("besar" + "x" * 30_000)
    world.until(lambda: writer.welcome and reader.welcome, "welcome", 15)
    reader.subscribe("lobby", after=0)
    world.until(lambda: all_accepted(writer), "all accepted", 20)
    last = writer.outbox.decided[61][1]["sequence"]
    world.until(lambda: set(reader.logs["lobby"]) >= set(range(1, last + 1)), "all read", 20)
    texts = [entry["text"][:10] for _, entry in sorted(reader.logs["lobby"].items()) if entry["kind"] == 0]
    check(texts == ["nomor %d" % n for n in range(60)] + ["besarxxxxx"], "in order, once each")


@scene
def later_acknowledgements(world):
    """where nothing is lost a reader is asked to acknowledge later, and sends far fewer packets than it gets"""
    world.serve()
    writer, reader = world.client("ani"), world.client("budi")
    world.until(lambda: writer.welcome and reader.welcome, "welcome")
    reader.subscribe("lobby", after=0)

    def talk(count):
        for _ in range(count):
            writer.post("kata")
            world.rest(0.01)
    talk(200)
    connection = reader.connection
    received, sent, asked = connection.received.highest, connection.next_number, connection.asked_later
    talk(60)
    world.rest(0.2)
    received, sent = connection.received.highest - received, connection.next_number - sent
    asked = connection.asked_later - asked
    check(asked >= 40, "%d packets bear ACK_LATER" % asked)
    check(received >= 60 and sent * 4 <= received, "%d packets, acknowledged by %d" % (received, sent))


# Grease and violations (§2, §3)

@scene
def grease(world):
    """unknown frames from 40, versions, parameters and extensions are passed over"""
    client = world.serve().welcomed("ani")
    for kind in (0x40, 0x41, 0x7F, 0x80, 0xC0, 0xFF):
        client.connection.push(grease_frame(kind, os.urandom(kind % 7)))
    client.connection.push(write_frame("path_challenge", data=b"12345678"))
    world.until(lambda: named(client, "path_response"), "alive")
    check(named(client, "path_response")[0]["data"] == b"12345678", "PATH_RESPONSE echoes")
    extensions = [(64, b""), (1000, b"abc"), (1 << 40, bytes(20))]
    number = client.request("create", room="lemak", extensions=extensions)
    world.until(lambda: client.answer(number), "a request with extensions")
    check(client.answer(number)[0][0] == "done", "is done")
    client.post("dengan ekstensi", extensions=extensions)
    world.until(lambda: all_accepted(client), "a post with extensions is accepted")
    check("dengan ekstensi" in world.log(client).values(), "and read")
    client.close()
    client.state, client.token = "hello", None
    client.ephemeral, client.tries, client.hopeless = private_key(), 0, 0
    versions = [grease_version() for _ in range(14)] + [VERSION, bytes.fromhex("12345678")]
    client.by_token, client.packet = False, hello_packet(public(client.ephemeral), versions)
    client._repeat_handshake(time.monotonic())
    world.until(lambda: client.welcome and client.state == "connected", "sixteen versions in HELLO")


@scene
def violations(world):
    """unknown frames below 40, no frame, a frame cut short: CLOSE with code 4"""
    world.serve()
    wrong = [bytes([kind]) + bytes(15) for kind in (0x05, 0x0F, 0x14, 0x19, 0x1F, 0x25, 0x3F)]
    wrong += [bytes(16), b"\x01" * 13 + b"\x10\x00\x01", b"\x24" + varint(0) + counted(b"x" * 257)]
    clients = [world.client() for _ in wrong]
    world.until(lambda: all(client.welcome for client in clients), "welcome")
    for client, plaintext in zip(clients, wrong):
        client.comes_back = False
        client.socket.send(client.connection.seal_packet(plaintext, time.monotonic()))
    world.until(lambda: all(named(client, "close") for client in clients), "CLOSE for each")
    check([named(client, "close")[0]["code"] for client in clients] == [VIOLATION] * len(wrong), "code 4")


@scene
def frozen_vectors(world):
    """vectors.json, byte for byte"""
    count = vectors.check()
    check(count > 60, "%d items" % count)


def run(function):
    world = World()
    started = time.monotonic()
    try:
        function(world)
        result = None
    except Failed as failure:
        result = "failed: %s" % failure
    except Exception:
        result = "failed:\n" + traceback.format_exc()
    finally:
        world.close()
    print("%-26s %5.1f s  %s" % (function.__name__, time.monotonic() - started, result or "ok: " + function.__doc__),
          flush=True)
    return result is None


def main():
    global KIRIM
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kirim", default=os.environ.get("KIRIM_BINARY", "kirim"), help="the built program")
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help="all, if none is named")
    options = parser.parse_args()
    KIRIM = shutil.which(options.kirim) or sys.exit("no such program: " + options.kirim)
    chosen = [function for function in SCENES if not options.scenes or function.__name__ in options.scenes]
    passed = sum(map(run, chosen))
    print("%d passed, %d failed" % (passed, len(chosen) - passed))
    sys.exit(passed != len(chosen))


if __name__ == "__main__":
    main()
