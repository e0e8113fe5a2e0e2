// The host's end of a tap, and what an administrator does to one, by the kernel's own numbers: no program of the host's.
//
// Read next: any test of networks.

import Glibc
import Testing

extension Trait where Self == ConditionTrait {
    public static var requiresRoot: Self { .enabled("only root may") { geteuid() == 0 } }

    /// Skips where this user cannot make a tap.
    public static var requiresTaps: Self {
        .enabled("no /dev/net/tun here, or no permission to make a tap") {
            let fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC)
            defer { close(fd) }
            return fd >= 0 && geteuid() == 0 && attachTap(fd, "") != nil
        }
    }
}

/// Makes a tap of an open /dev/net/tun's; its name, in which "%d" has become a number.
private func attachTap(_ fd: Int32, _ name: String, isMultiQueue: Bool = false) -> String? {
    var request = interfaceRequest(name)
    (request[16], request[17]) = (0x02, isMultiQueue ? 0x11 : 0x10)  // IFF_TAP, IFF_NO_PI, IFF_MULTI_QUEUE
    guard ioctl(fd, 0x4004_54ca, &request) == 0 else { return nil }  // TUNSETIFF
    return String(decoding: request.prefix(16).prefix { $0 != 0 }, as: UTF8.self)
}

/// struct ifreq (netdevice(7)) with a name.
func interfaceRequest(_ name: String) -> [UInt8] {
    Array(name.utf8) + [UInt8](repeating: 0, count: 40 - name.utf8.count)
}

/// `ip link set NAME up` or `down`.
public func setInterface(_ name: String, isUp: Bool) {
    let fd = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(fd) }
    var request = interfaceRequest(name)
    precondition(ioctl(fd, 0x8913, &request) == 0, "SIOCGIFFLAGS")
    request[16] = isUp ? request[16] | 1 : request[16] & ~1
    precondition(ioctl(fd, 0x8914, &request) == 0, "SIOCSIFFLAGS")
}

/// `ip addr add ADDRESS dev NAME`, of the address's class.
public func setAddress(_ name: String, _ address: [UInt8]) {
    let fd = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(fd) }
    var request = interfaceRequest(name)
    request.replaceSubrange(16..<24, with: [UInt8(AF_INET), 0, 0, 0] + address)
    precondition(ioctl(fd, 0x8916, &request) == 0, "SIOCSIFADDR")
}

/// `ip link delete NAME`, by rtnetlink(7).
public func deleteInterface(_ name: String) {
    requestInterface(if_nametoindex(name), type: 17)  // RTM_DELLINK
}

/// One request about an interface, with an attribute of four bytes or none; its answer must be that it is done.
func requestInterface(_ index: UInt32, type: UInt32, attribute: UInt32 = 0, _ value: UInt32 = 0) {
    let fd = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue), 0)
    defer { close(fd) }
    // nlmsghdr: length, type with NLM_F_REQUEST and NLM_F_ACK, sequence, port; ifinfomsg: family and type, index,
    // flags, mask; rtattr: length and type, value.
    let attributes = attribute == 0 ? [] : [attribute, value]
    let size = 32 + 4 * attributes.count
    let message: [UInt32] = [UInt32(size), type | 5 << 16, 1, 0, 0, index, 0, 0] + attributes
    var address = sockaddr()
    address.sa_family = sa_family_t(AF_NETLINK)
    let sent = message.withUnsafeBytes { bytes in
        withUnsafePointer(to: address) { sendto(fd, bytes.baseAddress, size, 0, $0, 12) }
    }
    var answer = [UInt32](repeating: 0, count: 256)
    precondition(sent == size && recv(fd, &answer, 1024, 0) > 0 && answer[4] == 0, "rtnetlink, request \(type)")
}

/// A tap that is up and stays until this goes out of scope, under a name that nobody else has.
public struct PersistentTap: ~Copyable {
    public let name: String
    private let index: UInt32

    public init(isMultiQueue: Bool = false) {
        let fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC)
        defer { close(fd) }
        guard let name = attachTap(fd, "swiftlet-t%d", isMultiQueue: isMultiQueue)
        else { preconditionFailure("TUNSETIFF") }
        precondition(ioctl(fd, 0x4004_54cb, 1) == 0, "TUNSETPERSIST")
        self.name = name
        index = if_nametoindex(name)
        setInterface(name, isUp: true)
    }

    /// A test may have deleted it, and the name may be another's by now.
    deinit { if if_nametoindex(name) == index { deleteInterface(name) } }
}

/// A packet(7) socket on an interface: sees what a tap's user sends, and sends what it shall receive.
public struct HostEnd: ~Copyable {
    private let fd: Int32

    public init(_ interface: String) {
        let allProtocols = UInt16(3).bigEndian
        fd = socket(AF_PACKET, Int32(SOCK_RAW.rawValue), Int32(allProtocols))
        precondition(fd >= 0, "socket")
        // sockaddr_ll: family, protocol, index.
        var address: [UInt8] = [17, 0, 0, 3]
        withUnsafeBytes(of: if_nametoindex(interface)) { address += $0 }
        address += [UInt8](repeating: 0, count: 12)
        let bound = address.withUnsafeBytes { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { bind(fd, $0.baseAddress, 20) }
        }
        precondition(bound == 0, "bind")
        // A tap gets its queueing discipline some time after its carrier is there, and loses frames until then: go past it.
        var isBypassed: Int32 = 1
        let isSet = setsockopt(fd, 263, 20, &isBypassed, 4)  // SOL_PACKET, PACKET_QDISC_BYPASS
        precondition(isSet == 0, "PACKET_QDISC_BYPASS")
    }

    deinit { close(fd) }

    public func send(_ frame: [UInt8]) {
        precondition(Glibc.send(fd, frame, frame.count, 0) == frame.count, "send")
    }

    /// Sends a frame until one comes that is wanted: ten times a second, for 20 seconds. Its user may
    /// not be there at first.
    public func exchange(_ frame: [UInt8], _ isWanted: ([UInt8]) -> Bool) -> Bool {
        for _ in 0..<200 {
            send(frame)
            if receive(milliseconds: 100, isWanted) { return true }
        }
        return false
    }

    /// Waits for a frame that is wanted; false when none of the next 1,000 is, or none comes for so long.
    public func receive(milliseconds: Int32 = 20_000, _ isWanted: ([UInt8]) -> Bool) -> Bool {
        var frame = [UInt8](repeating: 0, count: 65536)
        for _ in 0..<1000 {
            var waited = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
            guard poll(&waited, 1, milliseconds) > 0 else { return false }
            let count = recv(fd, &frame, frame.count, 0)
            if count > 0, isWanted(Array(frame[..<count])) { return true }
        }
        return false
    }
}
