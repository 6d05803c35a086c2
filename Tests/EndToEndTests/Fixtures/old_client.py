"""The student's client without its window: asks for a port, sends lines as they are, shows what comes."""
import socket
import sys
import threading

server = ("127.0.0.1", int(sys.argv[1]))
port = int(input("Enter port: "))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.bind(("127.0.0.1", port))
print("bound", flush=True)


def receive():
    while True:
        data, _ = client.recvfrom(1024)
        print("Server: " + data.decode("utf-8"), flush=True)


threading.Thread(target=receive, daemon=True).start()
for line in sys.stdin:
    client.sendto(line.rstrip("\n").encode("utf-8"), server)
