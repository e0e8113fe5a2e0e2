// A snapshot in words and numbers, for `swiftlet inspect`: what is in the file, and in those that it was written on top of.
//
// Read next: ../swiftlet-inspect/SnapshotText.swift.

import CSnapshot
import GuestMemory
import Host
import VMM
import X86

/// What a snapshot says of itself.
public struct SnapshotDescription: Encodable, Equatable, Sendable {
    /// Of this file, or of one below it.
    public struct Part: Encodable, Equatable, Sendable {
        public var file: String
        /// Bytes.
        public var size: UInt64
        public var format: UInt32
        /// Seconds since 1970.
        public var created: UInt64
        /// Who wrote it.
        public var program: String
        /// 32 hexadecimal digits; nil in a file of an older swiftlet.
        public var identity: String?
        /// Bytes of memory that it holds, and that it makes zero.
        public var savedBytes: UInt64
        public var zeroedBytes: UInt64
        /// Each a mapping of a restored guest.
        public var rangeCount: Int
    }

    /// Guest-physical memory that the file holds.
    public struct Saved: Encodable, Equatable, Sendable {
        public var start: UInt64
        public var size: UInt64
        /// In the file; nil where it makes memory zero.
        public var offset: UInt64?
    }

    /// The path of the image that the guest was started from.
    public var image: String
    /// Bytes: as the guest started, as it is, and as it may ask for.
    public var memorySize: UInt64
    public var memoryNow: UInt64
    public var memoryMax: UInt64?
    /// Nanoseconds of the guest's clock; of a timer that is armed, when it fires.
    public var clock: UInt64
    public var timerDeadline: UInt64?
    public var instructionPointer: UInt64
    public var vcpuCount: Int
    /// "AuthenticAMD"
    public var cpuMaker: String
    public var xcr0: UInt64
    /// The file itself first, then those below it.
    public var parts: [Part]
    /// Of the file itself.
    public var saved: [Saved]
}

extension Snapshot {
    /// The bytes that every snapshot begins with.
    public static let mark: [UInt8] = Array("SLFTSNAP".utf8)

    /// Reads nothing of memory's content.
    public func describe() throws(SnapshotError) -> SnapshotDescription {
        let armed = machine.timer_deadline == .max ? nil : Optional(machine.timer_deadline)
        let memory = memory
        // Sound: the shim reads a struct of the size that `init` has checked.
        let rip = unsafe csnapshot_vcpu_rip(vcpu.start)
        return SnapshotDescription(
            image: image, memorySize: memorySize,
            memoryNow: memory.low.upperBound + (memory.high.upperBound - memory.high.lowerBound),
            memoryMax: growth?.maximum, clock: machine.clock, timerDeadline: armed, instructionPointer: rip,
            vcpuCount: vcpuCount, cpuMaker: makerText(machine.maker), xcr0: machine.xcr0, parts: try parts(),
            saved: savedRanges)
    }

    /// Whether a machine can be made of it on this host, as `restore` finds out before it maps anything.
    public func checkThisHost() throws(SnapshotError) {
        try checkHost(GuestCPU().features)
        _ = try growthPlan()
    }

    private func parts() throws(SnapshotError) -> [SnapshotDescription.Part] {
        let words = header.program
        let text = [words.0, words.1, words.2, words.3].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
        }
        let identity = try identity().map { digits($0.words.0) + digits($0.words.1) }
        let ranges = savedRanges
        func sum(_ isZero: Bool) -> UInt64 { ranges.reduce(0) { $0 + (($1.offset == nil) == isZero ? $1.size : 0) } }
        let own = SnapshotDescription.Part(
            file: path, size: fileSize, format: header.format, created: header.created,
            program: String(decoding: text.prefix { $0 != 0 }, as: UTF8.self), identity: identity,
            savedBytes: sum(false), zeroedBytes: sum(true), rangeCount: ranges.count)
        return [own] + (try parent?.snapshot.parts() ?? [])
    }

    private var savedRanges: [SnapshotDescription.Saved] {
        var list: [SnapshotDescription.Saved] = []
        extents.forEachRun { run in
            list.append(.init(start: run.address, size: run.size, offset: run.offset == 0 ? nil : run.offset))
        }
        return list
    }
}

/// All sixteen.
private func digits(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
