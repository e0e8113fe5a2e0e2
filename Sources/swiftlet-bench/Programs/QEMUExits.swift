// An exit's round trip under QEMU: the test rig's guest at ring 0, byte for byte, and its samples.
//
// The guest's memory is a file in memory that both programs have open: its code is put there before QEMU starts and its samples
// are read when QEMU has ended. So nothing of the guest differs, and nothing is printed. guests/pvh/exits.S brings the CPU
// to ring 0 and enters it. It inherits the measuring thread's CPU. Read next: Startup/StartupRows.swift.

import Host
import KVM
import Rig

struct QEMUExits: Experiment {
    var subject: Subject
    let operation: String
    let equipment: Equipment
    var qemu: QEMU

    /// An operation of guests/exits that has no handlers of its own.
    init(_ operation: String, _ equipment: Equipment) {
        let beside = "exits/\(operation)/ring0"
        let what = exitExperiments(equipment).first { $0.subject.id == beside }?.subject.what
        subject = Subject(.exits, operation, what ?? operation, "qemu-ring0", .user)
        subject.beside = beside
        subject.note = "QEMU, machine microvm, with the same guest code at ring 0"
        self.operation = operation
        self.equipment = equipment
        qemu = QEMU(workshop: equipment.workshop)
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let amount = amount.fitting(RigMap.capacity)
        let code = try equipment.images.code(operation, .ring0)
        let frequency = try tryRig(try Rig(try openKVM(), RigPlan(.ring0, code: code))).tscFrequency
        let count = amount.total
        let memory = try tryHost(try File.memory(size: Self.memorySize))
        try tryHost(try memory.write(code, at: RigMap.code))
        try tryHost(try memory.write([UInt8(count & 0xff), UInt8(count >> 8)], at: RigMap.count))
        let status = try qemu.run("exits", Self.options(memory.pathForOthers)).status
        let bytes = try tryHost(try memory.read(at: RigMap.samples, count * 16))
        guard let stamps = Self.stamps(bytes, count) else {
            throw .unavailable("QEMU ended with status \(status) and without the samples")
        }
        let cycles = stamps.dropFirst(amount.warmUps).map { Double($0.end - $0.start) }
        return Samples(total: cycles.map { $0 * 1e9 / Double(frequency) })
    }

    private static let memorySize: UInt64 = 16 << 20

    private static func options(_ path: String) -> [String] {
        [
            "-machine", "microvm,accel=kvm,memory-backend=ram", "-m", "\(memorySize >> 20)",
            "-object", "memory-backend-file,id=ram,size=\(memorySize),mem-path=\(path),share=on",
        ]
    }

    /// Two 64-bit stamps for each sample (guests/exits/exits.h); nil unless all are there and each ends behind its start.
    static func stamps(_ bytes: [UInt8], _ count: Int) -> [(start: UInt64, end: UInt64)]? {
        guard bytes.count >= count * 16 else { return nil }
        func word(_ offset: Int) -> UInt64 { (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) } }
        var last: UInt64 = 0
        var stamps: [(start: UInt64, end: UInt64)] = []
        for index in 0..<count {
            let (start, end) = (word(index * 16), word(index * 16 + 8))
            guard start > last, end > start else { return nil }
            stamps.append((start, end))
            last = end
        }
        return stamps
    }
}
