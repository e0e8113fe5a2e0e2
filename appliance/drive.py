#!/usr/bin/python3
"""drive.py -- switches a server with the appliance on, and uses it over its serial console as a person would.

    drive.py [--uefi] [--disk FILE] [--card MODEL] [--screen FILE.ppm] ISO

--disk: a disk with the label SWIFTLET that holds one more machine, "Maker", and puts the server's network card into the bridge
outside. --card: which, as QEMU calls it. --screen: what the VGA console shows then.

The server is QEMU's software CPU with SVM (no /dev/kvm is needed). Ends with 0 when the chooser came, machines were started,
their consoles used and left, pings went through the firewall and datagrams did not, and the server switched itself off. Read
next: cable.py, test.sh, ../docs/appliance.md.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
import time

import pexpect
import pyte

from cable import Cable

ENTER, LEAVE = "\r", "\x1d"


class Server:
    """A machine that is switched on, at its serial console."""

    def __init__(self, options, folder):
        self.monitor_path = os.path.join(folder, "monitor")
        arguments = ["-machine", "q35", "-accel", "tcg,tb-size=512", "-cpu", "max", "-smp", "2", "-m", "1024",
                     "-nodefaults", "-vga", "std", "-display", "none", "-no-reboot", "-serial", "stdio",
                     "-monitor", f"unix:{self.monitor_path},server,nowait",
                     "-drive", f"file={options.image},if=none,id=cd,format=raw,readonly=on", "-device", "ide-cd,drive=cd"]
        self.cable = Cable() if options.disk else None
        if options.disk:
            arguments += ["-drive", f"file={options.disk},if=virtio,format=raw"] + self.cable.arguments(options.card)
        if options.uefi:
            variables = os.path.join(folder, "vars.fd")
            shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.fd", variables)
            for number, file in enumerate(["/usr/share/OVMF/OVMF_CODE_4M.fd,readonly=on", variables]):
                arguments += ["-drive", f"if=pflash,unit={number},format=raw,file={file}"]
        self.start = time.monotonic()
        self.console = pexpect.spawn("qemu-system-x86_64", arguments, encoding="latin-1", dimensions=(24, 80))
        self.screen = pyte.Screen(80, 24)  # what a VT100 shows of it
        self.terminal = pyte.Stream(self.screen)

    def reads(self, seconds):
        """Shows what has come; False when the server is off."""
        try:
            self.terminal.feed(self.console.read_nonblocking(4096, seconds))
        except pexpect.TIMEOUT:
            pass
        except pexpect.EOF:
            return False
        return True

    def shows(self, pattern):
        return any(re.search(pattern, line) for line in self.screen.display)

    def comes_to_show(self, pattern, seconds):
        end = time.monotonic() + seconds
        while not self.shows(pattern):
            if time.monotonic() > end or not self.reads(0.2):
                return False
        print(f"  {time.monotonic() - self.start:6.1f} s  {pattern}", flush=True)
        return True

    def waits_for(self, pattern, seconds=120):
        """Until a line of the screen is like this."""
        if not self.comes_to_show(pattern, seconds):
            print(f"drive.py: the screen never showed {pattern!r}:", *self.screen.display, sep="\n  | ")
            sys.exit(1)

    def types(self, keys):
        """As a person does, who looks at what came of it; for 0.3 s behind a console that was left keys are thrown away."""
        self.pauses()
        self.console.send(keys)
        self.pauses()

    def pauses(self):
        end = time.monotonic() + 0.5
        while time.monotonic() < end and self.reads(0.1):
            pass

    def screenshot(self, file):
        monitor = pexpect.spawn("socat", ["-", f"unix:{self.monitor_path}"], timeout=20, encoding="latin-1")
        monitor.expect(r"\(qemu\)")
        monitor.sendline(f"screendump {file}")
        monitor.expect(r"\(qemu\)")
        monitor.close()


def choose(server, name):
    """Moves the mark to a machine."""
    server.types("\x1b[H")
    for _ in range(8):
        if server.shows(f"^ {name}: "):
            return
        server.types("j")
    sys.exit(f"drive.py: {name} is not in the list")


def switched_on(options, folder):
    """A server that shows its chooser. A Linux that calibrates its clock in an emulated CPU on a busy host may hang: such a start
    is told, and another made."""
    title = "6 machines, 0 running" if options.disk else "5 machines, 0 running"
    for attempt in range(3):
        server = Server(options, folder)
        if server.comes_to_show(title, 120):
            return server
        print(f"drive.py: no chooser in 120 s, start {attempt + 1} of 3:", *server.screen.display, sep="\n  | ")
        server.console.close(force=True)
    sys.exit(1)


def run_to_its_end(server, name, title):
    choose(server, name)
    server.types(ENTER)
    server.waits_for(f"{title} .* exited with 0")


def start(server, name, running):
    """And so many run then."""
    choose(server, name)
    server.types(ENTER)
    server.waits_for(f"{running} running")


def leave(server, running):
    server.types(LEAVE)
    server.waits_for(f"{running} running")


def use_echo(server):
    start(server, "echo", 1)
    server.types(ENTER)
    server.types("three words here\r")
    server.waits_for("^three words here")
    leave(server, 1)
    server.types("s")
    server.types("y")
    server.waits_for("0 running")


def use_linux(server):
    """From outside: pings of the server inside pass the firewall, datagrams do not. Stays at its console."""
    start(server, "linux", 3)
    server.types(ENTER)
    server.waits_for("as a guest: say something", 240)
    server.types("hello from the serial line\r")
    server.waits_for("you said: hello from the serial line")
    server.types("ping 10.0.0.2\r")
    server.waits_for("^10.0.0.2 answers")
    server.types("udp 10.0.0.2 7\r")
    server.waits_for("^10.0.0.2 does not answer at port 7")


def use_networks(server):
    start(server, "server", 1)
    start(server, "firewall", 2)
    use_linux(server)
    leave(server, 3)
    if server.cable:
        if not server.cable.pings("10.0.0.2", 60):
            sys.exit("drive.py: no ping from the network card's cable was answered")
        print(f"  {time.monotonic() - server.start:6.1f} s  a ping by the network card is answered", flush=True)
    choose(server, "firewall")
    server.types(ENTER)
    server.types("\r")  # it shows its counts
    server.waits_for(r"^ +[1-9]\d* +[1-9]\d* +\d+  allow in icmp type 8")
    server.waits_for(r"^ +[1-9]\d* +0 +\d+  deny in udp to any port 7")
    leave(server, 3)
    choose(server, "linux")
    server.types(ENTER)
    server.types("poweroff\r")
    server.waits_for("exited with 0; any key")
    server.types(" ")
    server.waits_for("Linux .* exited with 0")
    choose(server, "firewall")
    server.types("s")
    server.types("y")
    server.waits_for("1 running")


def switch_off(server):
    server.waits_for("p power")
    server.types("p")
    server.waits_for("o: power off")
    server.types("o")
    end = time.monotonic() + 60
    while server.reads(0.2):
        if time.monotonic() > end:
            print("drive.py: it did not switch itself off:", *server.screen.display, sep="\n  | ")
            sys.exit(1)
    server.console.close()
    if server.console.exitstatus != 0:
        sys.exit(f"drive.py: QEMU ended with {server.console.exitstatus}")
    print(f"  {time.monotonic() - server.start:6.1f} s  switched off")


def use(server, screen, disk):
    print(f"from power-on to the chooser: {time.monotonic() - server.start:.1f} s")
    if screen:
        time.sleep(1)
        server.screenshot(screen)
    if disk:
        run_to_its_end(server, "maker", "Maker")
    run_to_its_end(server, "hello", "Hello")
    use_echo(server)
    use_networks(server)
    switch_off(server)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--uefi", action="store_true")
    parser.add_argument("--disk")
    parser.add_argument("--card", default="virtio-net-pci")
    parser.add_argument("--screen")
    parser.add_argument("image")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = switched_on(options, folder)
        try:
            use(server, options.screen, options.disk)
        finally:
            server.console.close(force=True)


main()
