"""cable.py -- the other end of the cable in the server's network card: a host with the address 10.0.0.9 that pings.

QEMU hands over each frame as one UDP datagram (-netdev socket,udp=). Read next: drive.py.
"""

import socket
import struct
import time

CARD = "52:54:00:12:34:56"  # the server's
STATION, ADDRESS = bytes.fromhex("020000000009"), socket.inet_aton("10.0.0.9")


def checksum(data):
    """RFC 1071, of an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


class Cable:
    def __init__(self):
        self.socket, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for each in self.socket, other:
            each.bind(("127.0.0.1", 0))
        self.server = other.getsockname()
        other.close()  # QEMU takes this port
        self.socket.settimeout(0.5)

    def arguments(self, card):
        """QEMU's, for a card of that kind."""
        ends = f"udp=127.0.0.1:{self.socket.getsockname()[1]},localaddr=127.0.0.1:{self.server[1]}"
        return ["-netdev", f"socket,id=cable,{ends}", "-device", f"{card},netdev=cable,mac={CARD},romfile="]

    def exchange(self, frame, is_answer, seconds):
        """Sends a frame again and again until one comes back that is wanted; None when none does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.socket.sendto(frame, self.server)
            try:
                while not is_answer(answer := self.socket.recv(65536)):
                    pass
                return answer
            except TimeoutError:
                pass
        return None

    def find(self, address, seconds):
        """The station that has an address (RFC 826)."""
        asked = socket.inet_aton(address)
        request = b"\xff" * 6 + STATION + bytes.fromhex("0806000108000604" "0001") + STATION + ADDRESS + bytes(6) + asked
        reply = bytes.fromhex("08060001080006040002")
        answer = self.exchange(request, lambda frame: frame[12:22] == reply and frame[28:32] == asked, seconds)
        return answer and answer[6:12]

    def pings(self, address, seconds):
        """Whether a host answers (RFC 792)."""
        station = self.find(address, seconds)
        if not station:
            return False
        echo = bytes.fromhex("0800" "f7ff" "00000000")
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(echo), 0, 0, 64, 1, 0) + ADDRESS + socket.inet_aton(address)
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        frame = station + STATION + b"\x08\x00" + header + echo
        ours = STATION + station + b"\x08\x00"
        return self.exchange(frame, lambda answer: answer[:14] == ours and answer[34:36] == b"\0\0", seconds) is not None
