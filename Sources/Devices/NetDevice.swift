// A network interface: a tap of the host, which moves one Ethernet frame for each read(2) or write(2).
//
// The other end is the host's own network stack, or a bridge. A tap that is there already needs no privilege beyond owning it;
// one that is made here goes with its machine. Read next: NetDevice+Frames.swift.

import CDevices
import Glibc
import Host

/// An attached tap.
public final class NetDevice: Sendable {
    public let name: String
    /// The host's name of it.
    public let interface: String
    /// For a report: which interface.
    public var words: String { "the network interface '\(name)' (\(interface))" }
    /// The guest's.
    public let address: MACAddress
    /// Bytes behind a frame's header.
    public let mtu: UInt32
    let file: File

    /// Readable when a frame waits: for poll(2).
    public var fd: Int32 { file.fd }

    /// Bytes of the largest frame: the header's 14, a VLAN tag's 4, the MTU.
    public var largestFrame: UInt64 { UInt64(mtu) + 18 }

    public init(_ option: NetOption) throws(DeviceError) {
        if let interface = option.interface { try Self.check(interface) }
        let bridge = try option.bridge.map { name throws(DeviceError) in try Self.bridge(name) }
        let opened = unsafe "/dev/net/tun".withCString { unsafe cdevices_open($0, O_RDWR) }
        if opened < 0 { throw .noTunDevice(errno: Int32(-opened)) }
        let file = File(owning: Int32(opened))
        let interface = try Self.attach(file.fd, option.interface)
        do throws(BridgeError) { try bridge?.connect(interface) } catch { throw .bridge(error) }
        let mtu = unsafe interface.withCString { unsafe cdevices_interface_mtu($0) }
        if mtu < 0 { throw .interface(interface, call: "SIOCGIFMTU", errno: Int32(-mtu)) }
        if let given = option.address { address = given } else { address = try Self.randomAddress(interface) }
        (name, self.interface, self.mtu) = (option.name, interface, UInt32(clamping: mtu))
        self.file = file
    }

    /// For tests: any descriptor that moves a frame for each read and write.
    package init(name: String, interface: String, address: MACAddress, mtu: UInt32, file: consuming File) {
        (self.name, self.interface, self.address, self.mtu) = (name, interface, address, mtu)
        self.file = file
    }

    private static func randomAddress(_ interface: String) throws(DeviceError) -> MACAddress {
        do throws(HostError) { return try MACAddress.random() } catch {
            throw .interface(interface, call: error.call, errno: error.errno)
        }
    }

    /// Attaching would make an interface that is not there, for whoever may; a misspelt name shall not.
    private static func check(_ interface: String) throws(DeviceError) {
        let flags = unsafe interface.withCString { unsafe cdevices_interface_flags($0) }
        if flags == -Int(ENODEV) { throw .noInterface(interface) }
        if flags < 0 { throw .interface(interface, call: "SIOCGIFFLAGS", errno: Int32(-flags)) }
        let isUp = 1  // IFF_UP
        if flags & isUp == 0 { throw .interfaceDown(interface) }
    }

    private static func bridge(_ name: String) throws(DeviceError) -> Bridge {
        do throws(BridgeError) { return try Bridge(name) } catch { throw .bridge(error) }
    }

    /// The interface's name.
    private static func attach(_ fd: Int32, _ wanted: String?) throws(DeviceError) -> String {
        var name: [16 of CChar] = InlineArray(repeating: 0)
        for (index, byte) in (wanted ?? "swiftlet%d").utf8.prefix(15).enumerated() {
            name[index] = CChar(bitPattern: byte)
        }
        let (result, text) = unsafe withUnsafeMutableBytes(of: &name) { bytes in
            // Sound: 16 bytes are what the call reads and fills, and it leaves a NUL among them.
            let start = unsafe bytes.assumingMemoryBound(to: CChar.self)
            let result = unsafe start.baseAddress.map { unsafe cdevices_attach_tap(fd, $0) } ?? 0
            return (result, unsafe start.baseAddress.map { unsafe String(cString: $0) } ?? "")
        }
        switch Int32(-result) {
        case 0: break
        case EBUSY: throw .interfaceBusy(text)
        case EINVAL where wanted != nil: throw .notATap(text)
        case EPERM, EACCES: throw .notPermitted(wanted)
        case let error: throw .interface(wanted ?? "a new tap", call: "TUNSETIFF", errno: error)
        }
        if wanted == nil {
            let up = unsafe text.withCString { unsafe cdevices_interface_up($0) }
            if up < 0 { throw .interface(text, call: "SIOCSIFFLAGS", errno: Int32(-up)) }
        }
        return text
    }
}

/// How sending or receiving a frame ended.
public enum FrameResult: Equatable, Sendable {
    /// Bytes of the frame.
    case done(Int)
    /// No frame waits, or there is no room for one: try again when the descriptor is ready.
    case notReady
    /// A signal came first. Nothing was moved.
    case interrupted
    /// No Ethernet frame: shorter than a header, or longer than a tap takes.
    case malformed
    /// The host has taken the interface down: the frame is lost, as with a cable that is pulled.
    case down
    /// The interface is gone, and will not come back.
    case gone
    case failed(errno: Int32)
}
