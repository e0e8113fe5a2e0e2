// What a debugger has set: INT3s in guest memory with the bytes that they stand for, and debug registers.
//
// Nobody sees an INT3 of ours but the CPU: what is read through us has the guest's own byte. Read next: StopReason.swift.

import KVM
import VMM
import X86

/// As the packets Z1 to Z4 number them.
enum WatchKind: Int {
    case execute = 1
    case write = 2
    case read = 3
    case access = 4
}

struct Breakpoints {
    struct Software {
        /// What the INT3 stands on.
        var byte: UInt8
        /// By which it was put there.
        let paging: PagingState
    }

    struct Watch: Equatable {
        let kind: WatchKind
        let address: UInt64
        let size: UInt64
    }

    static let instruction: UInt8 = 0xcc
    /// By guest-virtual address.
    private(set) var software: [UInt64: Software] = [:]
    private(set) var watches: [Watch] = []

    /// Enough for any debugger, and few enough to look through.
    private static let most = 4096

    /// False where nothing can be written.
    mutating func insert(_ address: UInt64, _ run: DebuggedRun, _ paging: PagingState) -> Bool {
        if software[address] != nil { return true }
        guard software.count < Self.most, let byte = run.machine.platform.bytes(at: address, 1, paging).first,
            run.write([Self.instruction], at: address, paging)
        else { return false }
        software[address] = Software(byte: byte, paging: paging)
        return true
    }

    mutating func remove(_ address: UInt64, _ run: DebuggedRun) {
        guard let old = software.removeValue(forKey: address) else { return }
        _ = run.write([old.byte], at: address, old.paging)
    }

    mutating func removeAll(_ run: DebuggedRun) {
        for address in software.keys { remove(address, run) }
        watches = []
    }

    /// The guest's bytes, as if no breakpoint were there.
    func hidden(_ bytes: [UInt8], at address: UInt64) -> [UInt8] {
        var bytes = bytes
        for (place, breakpoint) in software where place &- address < UInt64(bytes.count) {
            bytes[Int(place &- address)] = breakpoint.byte
        }
        return bytes
    }

    /// What is to be written so that breakpoints stay; the bytes under them are the new ones.
    mutating func covered(_ bytes: [UInt8], at address: UInt64) -> [UInt8] {
        var bytes = bytes
        for place in software.keys where place &- address < UInt64(bytes.count) {
            software[place]?.byte = bytes[Int(place &- address)]
            bytes[Int(place &- address)] = Self.instruction
        }
        return bytes
    }
}

/// The four address registers, and DR7 (Intel SDM vol. 3B, 18.2.4).
extension Breakpoints {
    /// False when the four are taken, or a debug register cannot watch that.
    mutating func watch(_ watch: Watch) -> Bool {
        if watches.contains(watch) { return true }
        let isPossible = [1, 2, 4, 8].contains(watch.size) && watch.address % watch.size == 0
        guard watches.count < 4, isPossible, watch.kind != .execute || watch.size == 1 else { return false }
        watches.append(watch)
        return true
    }

    mutating func unwatch(_ watch: Watch) { watches.removeAll { $0 == watch } }

    /// Puts them into a wish to KVM.
    func fill(_ debug: inout GuestDebug) {
        debug.control = watches.isEmpty ? 0 : 0x700  // LE, GE, and the bit that is always set
        for (index, watch) in watches.enumerated() {
            debug.addresses[index] = watch.address
            let condition: UInt64 = watch.kind == .execute ? 0 : watch.kind == .write ? 1 : 3
            let length: UInt64 = watch.size == 8 ? 2 : watch.size - 1
            debug.control |= 2 << UInt64(2 * index) | (condition | length << 2) << UInt64(16 + 4 * index)
        }
    }

    /// Which one DR6 tells of.
    func hit(_ status: UInt64) -> Watch? { watches.indices.first { status >> UInt64($0) & 1 != 0 }.map { watches[$0] } }
}
