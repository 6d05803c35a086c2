#!/usr/bin/python3
"""Stands for the desktop's notifications on a session bus: prints a line of JSON for each that is asked for or taken back.

A line on its standard input with a number clicks the notification that has it."""
import json
import sys
import threading
from gi.repository import Gio, GLib

INTERFACE = Gio.DBusNodeInfo.new_for_xml("""
<node><interface name="org.freedesktop.Notifications">
  <method name="GetCapabilities"><arg type="as" direction="out"/></method>
  <method name="GetServerInformation">
    <arg type="s" direction="out"/><arg type="s" direction="out"/><arg type="s" direction="out"/><arg type="s" direction="out"/>
  </method>
  <method name="Notify">
    <arg type="s" direction="in"/><arg type="u" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
    <arg type="s" direction="in"/><arg type="as" direction="in"/><arg type="a{sv}" direction="in"/><arg type="i" direction="in"/>
    <arg type="u" direction="out"/>
  </method>
  <method name="CloseNotification"><arg type="u" direction="in"/></method>
  <signal name="ActionInvoked"><arg type="u"/><arg type="s"/></signal>
  <signal name="NotificationClosed"><arg type="u"/><arg type="u"/></signal>
</interface></node>""").interfaces[0]
count = 0


def tell(**what):
    print(json.dumps(what), flush=True)


def call(bus, sender, path, interface, method, values, invocation):
    global count
    if method == "Notify":
        _, replaced, _, title, text, _, _, _ = values.unpack()
        count = count if replaced else count + 1
        number = replaced or count
        tell(number=number, title=title, text=text)
        invocation.return_value(GLib.Variant("(u)", (number,)))
    elif method == "CloseNotification":
        tell(closed=values.unpack()[0])
        invocation.return_value(None)
    elif method == "GetCapabilities":
        invocation.return_value(GLib.Variant("(as)", (["actions", "body"],)))
    else:
        invocation.return_value(GLib.Variant("(ssss)", ("test", "kirim", "1", "1.2")))


def click():
    for line in sys.stdin:
        bus.emit_signal(None, "/org/freedesktop/Notifications", "org.freedesktop.Notifications", "ActionInvoked",
                        GLib.Variant("(us)", (int(line), "default")))


bus = Gio.bus_get_sync(Gio.BusType.SESSION)
bus.register_object("/org/freedesktop/Notifications", INTERFACE, call, None, None)
Gio.bus_own_name_on_connection(bus, "org.freedesktop.Notifications", Gio.BusNameOwnerFlags.NONE, None, None)
threading.Thread(target=click, daemon=True).start()
tell(ready=True)
GLib.MainLoop().run()
