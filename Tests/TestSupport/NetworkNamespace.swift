// A network of its own for one end of a test (network_namespaces(7)), and sockets in it, as its host's programs would have.
//
// A namespace is a thread's, so whatever has to be in it is made on a thread that enters it and ends; a socket stays where
// it was made. By the kernel's own numbers: no program of the host's. Read next: Tests/GuestTests/FirewallTests.swift.

import Glibc
import Host

private let cloneNewNet: Int32 = 0x4000_0000

/// unshare(2) and setns(2), which glibc's headers show to C programs of GNU's only.
private func unshare(_ flags: Int32) -> Int32 {
    unsafeBitCast(dlsym(nil, "unshare"), to: (@convention(c) (Int32) -> Int32).self)(flags)
}

private func setns(_ fd: Int32, _ kind: Int32) -> Int32 {
    unsafeBitCast(dlsym(nil, "setns"), to: (@convention(c) (Int32, Int32) -> Int32).self)(fd, kind)
}

/// Gone with the last that uses it, and with it the interfaces that were moved there.
public final class NetworkNamespace: Sendable {
    private let fd: Int32

    public init() {
        fd = onThread {
            precondition(unshare(cloneNewNet) == 0, "unshare: only root may")
            return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        }
        precondition(fd >= 0, "a network namespace")
    }

    deinit { close(fd) }

    /// Does something in it.
    func enter<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result {
        let fd = fd
        return onThread {
            precondition(setns(fd, cloneNewNet) == 0, "setns")
            return body()
        }
    }

    /// `ip link set NAME netns THIS`, by rtnetlink(7), and its address there: 10.9.0.HOST/24. It is up then.
    public func take(_ interface: String, host: UInt8) {
        // IFLA_NET_NS_FD
        requestInterface(if_nametoindex(interface), type: 16, attribute: 8 | 28 << 16, UInt32(fd))
        enter {
            let fd = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
            defer { close(fd) }
            for (call, number, address) in [
                (0x8916 as UInt, "SIOCSIFADDR", [10, 9, 0, host]), (0x891c, "SIOCSIFNETMASK", [255, 255, 255, 0]),
            ] as [(UInt, String, [UInt8])] {
                var request = interfaceRequest(interface)
                request.replaceSubrange(16..<24, with: [UInt8(AF_INET), 0, 0, 0] + address)
                precondition(ioctl(fd, call, &request) == 0, number)
            }
            setInterface(interface, isUp: true)
            awaitRunning(interface, fd)
        }
    }

    public func stream() -> TestSocket { TestSocket(self, SOCK_STREAM, 0) }

    public func listener(host: UInt8, port: UInt16) -> TestSocket {
        let socket = stream()
        socket.bind(host: host, port: port)
        socket.listen()
        return socket
    }

    public func datagram() -> TestSocket { TestSocket(self, SOCK_DGRAM, 0) }
    public func ping() -> TestSocket { TestSocket(self, SOCK_RAW, Int32(IPPROTO_ICMP)) }
}

/// An interface gets its queueing discipline some time after it came up, and loses frames until then.
private func awaitRunning(_ interface: String, _ fd: Int32) {
    var request = interfaceRequest(interface)
    for _ in 0..<5000 {
        precondition(ioctl(fd, 0x8913, &request) == 0, "SIOCGIFFLAGS")
        if request[16] & 0x40 != 0 { return }  // IFF_RUNNING
        usleep(1000)
    }
    preconditionFailure("\(interface) does not come up")
}

/// An IPv4 socket with time limits instead of waits without end. Hosts are 10.9.0.HOST.
public final class TestSocket: Sendable {
    private let fd: Int32

    fileprivate init(_ namespace: NetworkNamespace, _ type: __socket_type, _ protocolNumber: Int32) {
        fd = namespace.enter { socket(AF_INET, Int32(type.rawValue) | Int32(SOCK_NONBLOCK.rawValue), protocolNumber) }
        precondition(fd >= 0, "socket")
    }

    private init(accepted fd: Int32) { self.fd = fd }

    deinit { close(fd) }

    /// Takes a port of its own host's.
    public func bind(host: UInt8, port: UInt16) {
        withAddress(host, port) { precondition(Glibc.bind(fd, $0, 16) == 0, "bind") }
    }

    fileprivate func listen() { precondition(Glibc.listen(fd, 16) == 0, "listen") }

    /// Whether a connection is there in time; a datagram socket's is at once.
    public func connects(host: UInt8, port: UInt16, milliseconds: Int32 = 5000) -> Bool {
        let result = withAddress(host, port) { connect(fd, $0, 16) }
        if result == 0 { return true }
        guard errno == EINPROGRESS, isReady(POLLOUT, milliseconds) else { return false }
        return error == 0
    }

    /// SO_ERROR: what has come of it meanwhile.
    public var error: Int32 {
        var (error, size): (Int32, socklen_t) = (0, 4)
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size)
        return error
    }

    /// The next connection, which must be there in time.
    public func accept() -> TestSocket {
        precondition(isReady(POLLIN, 5000), "nobody connects")
        let accepted = Glibc.accept(fd, nil, nil)
        precondition(accepted >= 0 && fcntl(accepted, F_SETFL, O_NONBLOCK) == 0, "accept")
        return TestSocket(accepted: accepted)
    }

    /// Whether something is there to receive or to accept.
    public func isReady() -> Bool { isReady(POLLIN, 0) }

    /// All of it, as fast as the other side takes it.
    public func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            guard isReady(POLLOUT, 5000) else { return false }
            let count = bytes.withUnsafeBytes { Glibc.send(fd, $0.baseAddress?.advanced(by: sent), $0.count - sent, 0) }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    public func send(_ bytes: [UInt8], host: UInt8, port: UInt16) -> Bool {
        withAddress(host, port) { sendto(fd, bytes, bytes.count, 0, $0, 16) == bytes.count }
    }

    /// What is there, or the next that comes in time; empty at the stream's end, nil when nothing comes.
    public func receive(milliseconds: Int32 = 5000) -> [UInt8]? {
        guard isReady(POLLIN, milliseconds) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = recv(fd, &bytes, bytes.count, 0)
        return count >= 0 ? Array(bytes[..<count]) : nil
    }

    private func isReady(_ events: Int32, _ milliseconds: Int32) -> Bool {
        var waited = pollfd(fd: fd, events: Int16(events), revents: 0)
        return poll(&waited, 1, milliseconds) > 0
    }

    private func withAddress<Result>(
        _ host: UInt8, _ port: UInt16, _ body: (UnsafePointer<sockaddr>) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = (10 << 24 | 9 << 16 | UInt32(host)).bigEndian
        return withUnsafePointer(to: address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body) }
    }
}
