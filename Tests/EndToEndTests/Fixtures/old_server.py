"""The student's server without its window: shows what comes, and sends its own lines to all who spoke."""
import socket
import sys
import threading

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
clients = []
print("bound", flush=True)


def receive():
    while True:
        data, address = server.recvfrom(1024)
        if address not in clients:
            clients.append(address)
        print(f"Client {address}: " + data.decode("utf-8"), flush=True)


threading.Thread(target=receive, daemon=True).start()
for line in sys.stdin:
    for client in clients:
        server.sendto(line.rstrip("\n").encode("utf-8"), client)
