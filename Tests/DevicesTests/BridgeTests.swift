// Bridges: made, found, what may be in them, and that frames go from one tap to another through one. Only root may.

import Devices
import Glibc
import TestSupport
import Testing

/// A bridge that goes with this value, under a name that no other test has.
private struct OwnBridge: ~Copyable {
    let bridge: Bridge

    init(_ name: String) throws { bridge = try Bridge(making: name) }
    deinit { bridge.remove() }
}

@Suite(.requiresTaps, .serialized) struct BridgeTests {
    @Test func oneIsMadeOnceAndTakenAway() throws {
        do {
            let own = try OwnBridge("swiftlet-b0")
            #expect(own.bridge.isNew)
            #expect(try !Bridge(making: "swiftlet-b0").isNew && !Bridge("swiftlet-b0").isNew)
            setInterface("swiftlet-b0", isUp: false)
            #expect(throws: BridgeError.down("swiftlet-b0")) { try Bridge("swiftlet-b0") }
            _ = try Bridge(making: "swiftlet-b0")  // which brings it up
            _ = try Bridge("swiftlet-b0")
        }
        #expect(if_nametoindex("swiftlet-b0") == 0)
        #expect(throws: BridgeError.missing("swiftlet-b0")) { try Bridge("swiftlet-b0") }
    }

    @Test func whatIsNoBridgeIsNamed() throws {
        #expect(throws: BridgeError.notABridge("lo")) { try Bridge("lo") }
        #expect(throws: BridgeError.notABridge("lo")) { try Bridge(making: "lo") }
        #expect(throws: DeviceError.bridge(.missing("swiftlet-none"))) {
            try NetDevice(NetOption("net=bridge:swiftlet-none"))
        }
    }

    @Test func anInterfaceIsInOneBridge() throws {
        let own = try OwnBridge("swiftlet-b1")
        let other = try OwnBridge("swiftlet-b2")
        let tap = PersistentTap()
        setInterface(tap.name, isUp: false)
        try own.bridge.connect(tap.name)  // which brings it up
        try own.bridge.connect(tap.name)
        #expect(throws: BridgeError.elsewhere(tap.name, "swiftlet-b1")) { try other.bridge.connect(tap.name) }
        #expect(throws: BridgeError.noInterface("swiftlet-none")) { try own.bridge.connect("swiftlet-none") }
        #expect(throws: BridgeError.cannotBeIn("swiftlet-b2")) { try own.bridge.connect("swiftlet-b2") }
    }

    @Test func whatTheHostUsesItselfStaysItsOwn() throws {
        let own = try OwnBridge("swiftlet-b3")
        #expect(throws: BridgeError.hasAddress("lo")) { try own.bridge.connect("lo") }
    }

    @Test func twoMachinesInABridgeHearEachOther() throws {
        let own = try OwnBridge("swiftlet-b4")
        let one = try NetDevice(NetOption("net=bridge:swiftlet-b4"))
        let other = try NetDevice(NetOption("net=bridge:swiftlet-b4"))
        // To everybody, of a type of the local experiments (IEEE 802).
        let sent: [UInt8] =
            [255, 255, 255, 255, 255, 255] + (0..<6).map { one.address[$0] } + [0x88, 0xb5]
            + [UInt8](repeating: 7, count: 50)
        var found = false
        for _ in 0..<1000 where !found {
            #expect(one.send(sent.span.bytes) == .done(64))
            let (result, bytes) = withZeroedBytes(Int(other.largestFrame)) { other.receive(into: &$0) }
            found = result == .done(64) && Array(bytes[..<64]) == sent
            usleep(1000)
        }
        #expect(found)
        withExtendedLifetime(own) {}
    }

    /// Linux answers ARP for all its addresses on all its interfaces, unless it is told not to.
    @Test func theHostIsNotOnABridgeThatWasMadeHere() throws {
        let own = try OwnBridge("swiftlet-b5")
        let host = PersistentTap()
        let address: [UInt8] = [203, 0, 113, 1]
        setAddress(host.name, address)
        let guest = try NetDevice(NetOption("net=bridge:swiftlet-b5"))
        let us = (0..<6).map { guest.address[$0] }
        let request: [UInt8] =
            [UInt8](repeating: 255, count: 6) + us + [8, 6, 0, 1, 8, 0, 6, 4, 0, 1] + us + [203, 0, 113, 2]
            + [0, 0, 0, 0, 0, 0] + address
        var heard: [[UInt8]] = []
        for _ in 0..<20 {
            #expect(guest.send(request.span.bytes) == .done(42))
            usleep(10_000)
            while true {
                let (result, bytes) = withZeroedBytes(Int(guest.largestFrame)) { guest.receive(into: &$0) }
                guard case .done(let length) = result else { break }
                heard.append(Array(bytes[..<length]))
            }
        }
        #expect(!heard.contains { $0[12...].starts(with: [8, 6]) }, "\(heard)")
        withExtendedLifetime(own) {}
    }

    /// A tap is no card: a bridge's address, and a tap's, are nobody's to be found by.
    @Test func onlyCardsAreFoundByAddress() throws {
        let tap = PersistentTap()
        let text = try String(contentsOfInterface: tap.name)
        let address = try #require(MACAddress(text))
        #expect(try Bridge.card(address) == nil)
    }
}

extension String {
    /// An interface's Ethernet address.
    fileprivate init(contentsOfInterface name: String) throws {
        let file = try #require(fopen("/sys/class/net/\(name)/address", "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 17)
        #expect(fread(&bytes, 1, 17, file) == 17)
        self.init(decoding: bytes, as: UTF8.self)
    }
}
