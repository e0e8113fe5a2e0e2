// hvt's calls with invented exits: what they answer, and that no address of a unikernel's leads anywhere else.
//
// Read next: InventedUnikernel.swift, Sources/VMM/Hvt/HvtCalls.swift.

import Boot
import Devices
import Glibc
import GuestMemory
import Host
import ImageBuilder
import KVM
import TestSupport
import Testing

@testable import VMM

@Suite struct HvtCallTests {
    @Test func putsWritesMemory() throws {
        let guest = try InventedUnikernel()
        guest.platform.memory.write(bytes: Array("Hello\n".utf8), at: GuestAddress(InventedUnikernel.buffer))
        #expect(guest.call(2, HvtPuts(data: InventedUnikernel.buffer, length: 6)) == .resume)
        #expect(guest.output.readText() == "Hello\n")
        #expect(guest.call(2, HvtPuts(data: InventedUnikernel.buffer, length: 0)) == .resume)
    }

    @Test func wallTimeIsTheHosts() throws {
        let guest = try InventedUnikernel()
        let before = Clock.realtime().seconds
        #expect(guest.out(0x501, InventedUnikernel.place) == .resume)
        let seconds = Int64((guest.result(UInt64.self) ?? 0) / 1_000_000_000)
        #expect(seconds >= before && seconds <= Clock.realtime().seconds)
    }

    @Test func pollEndsWhenItsTimeIsOver() throws {
        let guest = try InventedUnikernel()
        for timeout in [0, 1, 3_000_000] as [UInt64] {
            let start = Clock.monotonic()
            let call = HvtPollCall(timeout: timeout, readySet: 7, result: 7, padding: 0)
            #expect(guest.call(3, call) == .resume)
            #expect(Clock.monotonic() - start >= timeout)
            let answer = guest.result(HvtPollCall.self)
            #expect(answer?.readySet == 0 && answer?.result == 0 && answer?.timeout == timeout)
        }
    }

    @Test func stopEndsAPoll() throws {
        let guest = try InventedUnikernel()
        guest.platform.control.request(signal: SIGTERM)
        let call = HvtPollCall(timeout: .max, readySet: 0, result: 0, padding: 0)
        #expect(guest.call(3, call) == .stop)
        if case .signalled(SIGTERM)? = guest.context.stop {} else { Issue.record("it did not end by the signal") }
    }

    @Test(arguments: [0, 1, 255, 256 + 7, -1] as [Int32])
    func haltHasAStatus(status: Int32) throws {
        let guest = try InventedUnikernel()
        #expect(guest.call(8, HvtHaltCall(cookie: 0, status: status, padding: 0)) == .stop)
        #expect(guest.context.stop?.guestStatus == UInt8(truncatingIfNeeded: status))
        #expect(guest.hvt.halt.withLock { $0?.trap == nil })
    }

    @Test func cookieSaysWhereItTrapped() throws {
        let guest = try InventedUnikernel()
        let trap: HvtHalt.Trap = (1, 2, 3, 4, 5, 6, 7)
        guest.platform.memory.write(trap, at: GuestAddress(InventedUnikernel.buffer))
        #expect(guest.call(8, HvtHaltCall(cookie: InventedUnikernel.buffer, status: 255, padding: 0)) == .stop)
        #expect(guest.hvt.halt.withLock { $0?.trap?.0 == 1 && $0?.trap?.6 == 7 })
        let outside = InventedUnikernel.end - 511
        #expect(guest.call(8, HvtHaltCall(cookie: outside, status: 255, padding: 0)) == .stop)
        #expect(guest.misuse?.hasPrefix("Invalid guest access: gpa=0x1ffe01, sz=512") == true)
    }

    /// Every struct must lie inside memory, below its last byte, and where a result is written outside of the code.
    @Test(arguments: [1, 2, 3, 8] as [UInt16])
    func structsOutsideOfMemory(number: UInt16) throws {
        let guest = try InventedUnikernel()
        for address in [InventedUnikernel.end - 7, InventedUnikernel.end - 1, InventedUnikernel.end, 0xffff_fffc] {
            #expect(guest.out(0x500 + number, address) == .stop)
            #expect(guest.misuse?.hasPrefix("Invalid guest access") == true)
        }
        if number == 1 || number == 3 {
            #expect(guest.out(0x500 + number, InventedUnikernel.text) == .stop)
            #expect(guest.out(0x500 + number, InventedUnikernel.text - 7) == .stop)
            #expect(guest.misuse?.hasPrefix("Invalid guest access") == true)
        }
    }

    @Test func buffersOutsideOfMemory() throws {
        let guest = try InventedUnikernel()
        let end = InventedUnikernel.end
        for (data, length) in [(end - 4, 4), (end, 0), (end, 1), (0, end), (0, .max), (.max, 1), (.max, .max)]
            as [(UInt64, UInt64)]
        {
            #expect(guest.call(2, HvtPuts(data: data, length: length)) == .stop)
            #expect(guest.misuse?.hasPrefix("Invalid guest access") == true)
        }
        #expect(guest.call(2, HvtPuts(data: end - 5, length: 4)) == .resume)
    }

    @Test func otherPortsAndSizes() throws {
        let guest = try InventedUnikernel()
        for port in [0, 0x4ff, 0x509, 0x520, 0x600, 0xffff] as [UInt16] {
            #expect(guest.out(port, 0) == .stop)
            #expect(guest.misuse?.hasPrefix("Invalid guest port access: port=0x") == true)
        }
        #expect(guest.out(0x502, 0, size: 2) == .stop)
        #expect(guest.out(0x502, 0, size: 4, count: 2) == .stop)
        #expect(guest.context.handleHvt(.portRead(port: 0x502, size: 4, count: 1), guest.hvt) == .stop)
        #expect(guest.out(0x500, 0) == .stop)
        #expect(guest.misuse == "Invalid guest hypercall: num=0")
        for number in [4, 5, 6, 7] as [UInt16] {
            #expect(guest.out(0x500 + number, InventedUnikernel.place) == .stop)
            #expect(guest.misuse == "Invalid guest hypercall: num=\(number)")
        }
    }

    /// A page that the host protects is a missing page to a software KVM.
    @Test func accessToAProtectedPage() throws {
        let guest = try InventedUnikernel()
        let write = Exit.mmioWrite(address: InventedUnikernel.text, size: 8, value: 0)
        #expect(guest.context.handleHvt(write, guest.hvt) == .stop)
        #expect(guest.context.cause == .translationFault)
        let beyond = Exit.mmioRead(address: InventedUnikernel.end, size: 8)
        #expect(guest.context.handleHvt(beyond, guest.hvt) == .stop)
        #expect(guest.context.cause == .memory(InventedUnikernel.end, size: 8, written: nil))
    }
}

@Suite struct HvtBlockTests {
    private func transfer(
        _ guest: InventedUnikernel, writes: Bool, handle: UInt64 = 1, offset: UInt64,
        data: UInt64 = InventedUnikernel.buffer,
        length: UInt64
    ) -> Int32? {
        let call = HvtBlockCall(
            handle: handle, offset: offset, data: data, length: length, result: 77, padding: 0)
        guard guest.call(writes ? 4 : 5, call) == .resume else { return nil }
        return guest.result(HvtBlockCall.self)?.result
    }

    @Test func blocksAreWrittenAndRead() throws {
        let file = AnonymousFile([UInt8](repeating: 0, count: 4096))
        let guest = try InventedUnikernel(disk: "/proc/self/fd/\(file.fd)")
        let memory = guest.platform.memory.bytes(GuestAddress(InventedUnikernel.buffer), 512)
        #expect(memory?.count == 512)
        guest.platform.memory.write(
            bytes: (0..<512).map { UInt8($0 & 0xff) }, at: GuestAddress(InventedUnikernel.buffer))
        #expect(transfer(guest, writes: true, offset: 512, length: 512) == 0)
        guest.platform.memory.write(
            bytes: [UInt8](repeating: 0xee, count: 512), at: GuestAddress(InventedUnikernel.buffer))
        #expect(transfer(guest, writes: false, offset: 512, length: 512) == 0)
        let read = guest.platform.memory.bytes(GuestAddress(InventedUnikernel.buffer), 512)
        #expect(read == (0..<512).map { UInt8($0 & 0xff) })
        #expect(transfer(guest, writes: false, offset: 0, length: 512) == 0)
        #expect(guest.platform.memory.read(GuestAddress(InventedUnikernel.buffer), as: UInt64.self) == 0)
    }

    @Test func whatLiesOutsideOfTheDisk() throws {
        let file = AnonymousFile([UInt8](repeating: 0, count: 4096))
        let guest = try InventedUnikernel(disk: "/proc/self/fd/\(file.fd)")
        for (offset, length) in [(4096, 512), (3584, 1024), (.max, 512), (0, .max), (1, .max)] as [(UInt64, UInt64)] {
            #expect(transfer(guest, writes: false, offset: offset, length: length) == 2)
            #expect(transfer(guest, writes: true, offset: offset, length: length) == 2)
        }
        for handle in [0, 2, 63, 64, .max] as [UInt64] {
            #expect(transfer(guest, writes: false, handle: handle, offset: 0, length: 512) == 2)
        }
    }

    @Test func buffersOutsideOfMemory() throws {
        let file = AnonymousFile([UInt8](repeating: 0, count: 4096))
        let guest = try InventedUnikernel(disk: "/proc/self/fd/\(file.fd)")
        for data in [InventedUnikernel.end - 512, InventedUnikernel.end, .max] as [UInt64] {
            #expect(transfer(guest, writes: false, offset: 0, data: data, length: 512) == nil)
            #expect(transfer(guest, writes: true, offset: 0, data: data, length: 512) == nil)
        }
        // Code may be written to a disk, but not read from one.
        #expect(transfer(guest, writes: true, offset: 0, data: InventedUnikernel.text, length: 512) == 0)
        #expect(transfer(guest, writes: false, offset: 0, data: InventedUnikernel.text, length: 512) == nil)
        #expect(guest.misuse?.hasPrefix("Invalid guest access") == true)
    }
}

@Suite struct HvtDeviceTests {
    private func refusal(_ attachments: Attachments, _ devices: [(name: String, type: UInt32)]) -> Solo5Error? {
        do throws(Solo5Error) {
            _ = try attachDevices(attachments, Solo5Manifest(ELFBuilder.solo5Manifest(devices)), image: "guest.elf")
            return nil
        } catch { return error }
    }

    @Test func namesMustMatch() {
        var attachments = Attachments()
        #expect(refusal(attachments, []) == nil)
        let both: [(name: String, type: UInt32)] = [("storage", 1), ("service", 2)]
        let words =
            "Device 'storage' of type BLOCK_BASIC declared but not attached. "
            + "Device 'service' of type NET_BASIC declared but not attached. All declared devices must be attached: add "
        #expect(refusal(attachments, both)?.message == words + "--block storage=PATH --net service=tap:IFACE")
        attachments.dialect = .solo5
        #expect(refusal(attachments, both)?.message == words + "--block:storage=PATH --net:service=IFACE")
        attachments.blocks = [BlockOption(name: "storage", path: "/nonexistent/disk")]
        #expect(refusal(attachments, []) == .notDeclared("storage", known: []))
        let other = refusal(attachments, [("storage", 2), ("disk", 1)])
        let known = "it declares storage (NET_BASIC), disk (BLOCK_BASIC)"
        #expect(other?.message == "Resource not declared in manifest: 'storage': \(known)")
        guard case .device(let words)? = refusal(attachments, [("storage", 1)]) else {
            Issue.record("a disk that is not there")
            return
        }
        #expect(words.hasPrefix("Could not open block device"))
    }

    /// A name of two devices stands for the first of its kind: the others are missing, and no disk gets another's handle.
    @Test(
        arguments: [
            ([("x", 1), ("x", 2), ("y", 1)], "Device 'x' of type NET_BASIC declared but not attached. "),
            ([("x", 1), ("x", 1), ("y", 1)], "Device 'x' of type BLOCK_BASIC declared but not attached. "),
        ] as [([(name: String, type: UInt32)], String)])
    func aNameOfTwoIsTheFirst(devices: [(name: String, type: UInt32)], words: String) {
        var attachments = Attachments()
        attachments.blocks = [BlockOption(name: "x", path: "/nowhere"), BlockOption(name: "y", path: "/nowhere")]
        let message = refusal(attachments, devices)?.message
        #expect(message?.hasPrefix(words) == true, "\(message ?? "attached")")
    }
}
