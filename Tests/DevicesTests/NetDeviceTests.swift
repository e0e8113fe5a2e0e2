// Taps: made, attached, used from both ends, lost. Only root may, and where /dev/net/tun is.

import Devices
import Glibc
import TestSupport
import Testing

@Suite(.requiresTaps, .serialized) struct NetDeviceTests {
    @Test func aTapIsMadeAndGoes() throws {
        // Names are given again at once, also to other programs; indices are not.
        let (name, index): (String, UInt32)
        do {
            let device = try NetDevice(NetOption(name: "net", interface: nil))
            (name, index) = (device.interface, if_nametoindex(device.interface))
            #expect(device.mtu >= 576 && device.address.isUsable && device.largestFrame == UInt64(device.mtu) + 18)
            #expect(index != 0)
            withExtendedLifetime(device) {}
        }
        // A program that another test starts just now has a copy of the descriptor for as long as it takes to exec.
        for _ in 0..<1000 where if_nametoindex(name) == index { usleep(10_000) }
        #expect(if_nametoindex(name) != index)
        #expect(throws: DeviceError.noInterface("swiftlet-none")) {
            try NetDevice(NetOption(name: "net", interface: "swiftlet-none"))
        }
    }

    @Test func aTapHasOneUser() throws {
        let device = try NetDevice(NetOption(name: "net", interface: nil))
        #expect(throws: DeviceError.interfaceBusy(device.interface)) {
            try NetDevice(NetOption(name: "net", interface: device.interface))
        }
        #expect(throws: DeviceError.notATap("lo")) { try NetDevice(NetOption(name: "net", interface: "lo")) }
    }

    @Test func oneOfManyQueuesIsNamed() throws {
        let tap = PersistentTap(isMultiQueue: true)
        let error = #expect(throws: DeviceError.self) { try NetDevice(NetOption(name: "net", interface: tap.name)) }
        #expect(error?.message.contains("multi_queue") == true)
    }

    @Test func framesCrossIt() throws {
        let device = try NetDevice(NetOption(name: "net", interface: nil))
        let host = HostEnd(device.interface)
        // A type of the local experiments (IEEE 802), so that nobody else answers or sends such.
        let sent: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5] + (0..<80).map { UInt8($0) }
        #expect(device.send(sent.span.bytes) == .done(94))
        #expect(host.receive { $0 == sent })
        host.send(sent.reversed() as [UInt8])
        host.send(sent)
        var found = false
        for _ in 0..<1000 where !found {
            let (result, bytes) = withZeroedBytes(Int(device.largestFrame)) { device.receive(into: &$0) }
            found = result == .done(94) && Array(bytes[..<94]) == sent
            if result == .notReady { usleep(1000) }
        }
        #expect(found)
    }

    @Test func whatIsNoFrameIsRefused() throws {
        let device = try NetDevice(NetOption(name: "net", interface: nil))
        #expect(device.send(([1, 2, 3] as [UInt8]).span.bytes) == .malformed)
        #expect(device.send([UInt8]().span.bytes) == .malformed)
        #expect(device.send([UInt8](repeating: 2, count: 1 << 20).span.bytes) == .malformed)
    }

    @Test func aTapThatIsDownOrGoneIsAResult() throws {
        let device = try NetDevice(NetOption(name: "net", interface: nil))
        let frame = [UInt8](repeating: 2, count: 60)
        setInterface(device.interface, isUp: false)
        #expect(device.send(frame.span.bytes) == .down)
        #expect(throws: DeviceError.interfaceDown(device.interface)) {
            try NetDevice(NetOption(name: "net", interface: device.interface))
        }
        setInterface(device.interface, isUp: true)
        #expect(device.send(frame.span.bytes) == .done(60))
        deleteInterface(device.interface)
        #expect(device.send(frame.span.bytes) == .gone)
        #expect(withZeroedBytes(2000) { device.receive(into: &$0) }.0 == .gone)
    }
}
