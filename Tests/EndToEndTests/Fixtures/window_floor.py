#!/usr/bin/python3
"""An empty window of the size of Kirim's that is drawn anew each frame: less than this no window can do here."""
import signal
import sys
import time
import gi
gi.require_version("Gtk", "4.0")
from gi.repository import Gdk, GLib, Graphene, Gtk  # noqa: E402

works, costs, gaps = [], [], []
state = {"began": 0.0, "last": 0.0, "cost": 0.0}


def summary(values):
    values = sorted(values) or [0.0]
    at = [values[min(len(values) - 1, int(len(values) * part))] * 1_000 for part in (0.5, 0.95, 0.99)]
    return "p50 {:.1f} p95 {:.1f} p99 {:.1f}".format(*at) + f" max {values[-1] * 1_000:.1f}"


def tell():
    print(f"frames {len(works)}; work ms {summary(works)}; processor ms {summary(costs)}; gap ms {summary(gaps)}",
          file=sys.stderr, flush=True)
    for values in (works, costs, gaps):
        values.clear()
    return True


def before(_):
    state["began"] = time.monotonic()


def after(_):
    now, cost = time.monotonic(), time.thread_time()
    works.append(now - state["began"])
    costs.append(cost - state["cost"])
    gaps.append(now - state["last"])
    state["last"], state["cost"] = now, cost


class Area(Gtk.Widget):
    def do_snapshot(self, snapshot):
        colour = Gdk.RGBA()
        colour.parse("#fafafa")
        snapshot.append_color(colour, Graphene.Rect().init(0, 0, self.get_width(), self.get_height()))


def activate(app):
    window = Gtk.ApplicationWindow(application=app, default_width=960, default_height=640, title="floor")
    area = Area()
    window.set_child(area)
    window.present()
    clock = window.get_frame_clock()
    clock.begin_updating()
    clock.connect("before-paint", before)
    clock.connect("after-paint", after)
    area.add_tick_callback(lambda *_: area.queue_draw() or True)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR1, tell)


app = Gtk.Application(application_id="id.kirim.Floor", flags=1 << 5)
app.connect("activate", activate)
app.run([])
