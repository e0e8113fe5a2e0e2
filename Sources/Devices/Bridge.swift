// A bridge of the host's: a switch in its kernel. The taps of machines and the network cards that are in one bridge are one
// network.
//
// `run` puts a tap into a bridge that is there; `host` makes those that a catalogue names, and puts the server's cards into
// them. On these the host itself cannot be reached. Read next: NetDevice.swift.

import CDevices
import Glibc
import Host

public struct Bridge: Sendable {
    public let name: String
    /// It was made here.
    public let isNew: Bool

    private static let isUp = 1  // IFF_UP

    /// One that is there and up.
    public init(_ name: String) throws(BridgeError) {
        guard let flags = Self.flags(name) else { throw .missing(name) }
        if !Self.isBridge(name) { throw .notABridge(name) }
        if flags & Self.isUp == 0 { throw .down(name) }
        (self.name, isNew) = (name, false)
    }

    /// Makes it unless it is there, and brings it up. CAP_NET_ADMIN is needed for what is still to be done.
    public init(making name: String) throws(BridgeError) {
        isNew = Self.flags(name) == nil
        self.name = name
        guard isNew else {
            if !Self.isBridge(name) { throw .notABridge(name) }
            try bringUp()
            return
        }
        try Self.check(unsafe name.withCString { unsafe cdevices_bridge_make($0) }, name, call: "SIOCBRADDBR")
        do throws(BridgeError) {
            try Self.keepHostOff(name)
            try bringUp()
        } catch {
            remove()
            throw error
        }
    }

    private func bringUp() throws(BridgeError) {
        guard Self.flags(name).map({ $0 & Self.isUp }) == 0 else { return }
        try Self.check(unsafe name.withCString { unsafe cdevices_interface_up($0) }, name, call: "SIOCSIFFLAGS")
    }

    /// Who is on a bridge could speak to the host there, also to addresses that it has elsewhere, and by IPv6 without any: so it
    /// takes no IPv6, answers no ARP, and takes nothing from a sender that its routes would look for on another interface,
    /// which here is everybody (Linux, Documentation/networking/ip-sysctl.rst). A kernel may have no IPv6; each has IPv4.
    private static func keepHostOff(_ name: String) throws(BridgeError) {
        let settings = [("ipv4", "arp_ignore", "8"), ("ipv4", "rp_filter", "1"), ("ipv6", "disable_ipv6", "1")]
        for (version, setting, value) in settings where version == "ipv4" || !names(in: "/proc/sys/net/ipv6").isEmpty {
            let path = "/proc/sys/net/\(version)/conf/\(name)/\(setting)"
            do throws(HostError) { try File(path, .create).write(Array(value.utf8), at: 0) } catch {
                throw .failed(name, call: path, errno: error.errno)
            }
        }
    }

    /// Puts a tap into it, or a network card of the server's; one that is in it already stays.
    public func connect(_ interface: String) throws(BridgeError) {
        guard let flags = Self.flags(interface) else { throw .noInterface(interface) }
        let owner = linkTarget("/sys/class/net/\(interface)/master")?.split(separator: "/").last.map(String.init)
        if let owner, owner != name { throw .elsewhere(interface, owner) }
        if owner == nil {
            if unsafe interface.withCString({ unsafe cdevices_interface_has_address($0) }) != 0 {
                throw .hasAddress(interface)
            }
            try add(interface)
        }
        if flags & Self.isUp == 0 {
            let result = unsafe interface.withCString { unsafe cdevices_interface_up($0) }
            try Self.check(result, interface, call: "SIOCSIFFLAGS")
        }
    }

    private func add(_ interface: String) throws(BridgeError) {
        let result = unsafe name.withCString { bridge in
            unsafe interface.withCString { unsafe cdevices_bridge_connect(bridge, $0) }
        }
        switch Int32(-result) {
        // br_add_if: no Ethernet, or a bridge itself; somebody else takes its frames.
        case EINVAL, ELOOP, EOPNOTSUPP: throw .cannotBeIn(interface)
        case EBUSY: throw .elsewhere(interface, nil)
        default: try Self.check(result, name, call: "SIOCBRADDIF")
        }
    }

    /// Takes it away, and leaves what was in it.
    public func remove() { unsafe name.withCString { unsafe cdevices_bridge_remove($0) } }

    /// The network card whose own address this is, if there is one: names may change with the order in which cards are found.
    /// Of several (a virtual function's and the card's that stands in for it) nobody knows which was meant.
    public static func card(_ address: MACAddress) throws(BridgeError) -> String? {
        let cards = names(in: "/sys/class/net").sorted().filter { name in
            let station = unsafe name.withCString { unsafe cdevices_interface_station($0) }
            return station == address.rawValue && linkTarget("/sys/class/net/\(name)/device") != nil
        }
        if cards.count > 1 { throw .several(address.description, cards) }
        return cards.first
    }

    /// Nil when there is no such interface.
    private static func flags(_ name: String) -> Int? {
        let flags = unsafe name.withCString { unsafe cdevices_interface_flags($0) }
        return flags < 0 ? nil : flags
    }

    private static func isBridge(_ name: String) -> Bool { !names(in: "/sys/class/net/\(name)/bridge").isEmpty }

    private static func check(_ result: Int, _ name: String, call: String) throws(BridgeError) {
        switch Int32(-result) {
        case 0: break
        case EPERM: throw .notPermitted(name)
        case let errno: throw .failed(name, call: call, errno: errno)
        }
    }
}

/// Why a bridge cannot be used, or an interface cannot be in it.
public enum BridgeError: Error, Equatable, Sendable {
    case missing(String)
    case notABridge(String)
    case down(String)
    case notPermitted(String)
    case noInterface(String)
    /// With the same address.
    case several(String, [String])
    /// The host uses it itself.
    case hasAddress(String)
    /// In another bridge or bond, whose name may be known.
    case elsewhere(String, String?)
    case cannotBeIn(String)
    case failed(String, call: String, errno: Int32)

    /// One line.
    public var message: String {
        switch self {
        case .missing(let name):
            "no bridge '\(name)' on this host: sudo ip link add \(name) type bridge && sudo ip link set \(name) up"
        case .notABridge(let name): "the interface '\(name)' is no bridge"
        case .down(let name): "the bridge '\(name)' is down: sudo ip link set \(name) up"
        case .notPermitted(let name):
            "no permission to set up '\(name)': that needs CAP_NET_ADMIN, or an administrator who does it: docs/devices.md"
        case .noInterface(let name): "no interface '\(name)' on this host"
        case .several(let address, let names):
            "\(address) is the address of \(names.joined(separator: " and of ")): name the one that is meant"
        case .hasAddress(let name):
            "this host uses the interface '\(name)' itself: sudo ip addr flush dev \(name) takes its addresses away"
        case .elsewhere(let name, let owner?):
            "the interface '\(name)' is in '\(owner)': sudo ip link set \(name) nomaster"
        case .elsewhere(let name, nil): "somebody else takes the frames of the interface '\(name)'"
        case .cannotBeIn(let name): "the interface '\(name)' cannot be in a bridge"
        case .failed(let name, let call, let errno): "the interface '\(name)': \(call): \(errnoText(errno))"
        }
    }
}
