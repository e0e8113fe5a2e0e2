// Ports and addresses where no memory is: answered by user space, by the kernel, or kept in a ring for later.
//
// One guest runs against each of the settings, so that the rows differ in who answers and in nothing else.
// Read next: InstructionRows.swift.

import KVM
import Rig

extension ExitRows {
    var ports: [any Experiment] {
        rows("port-write", "port write (OUT)", .user) { $0.answer = { exit, _ in exit.isWrite(to: RigMap.port) } }
            + rows("ioeventfd-pio", "port doorbell (ioeventfd)", .kernel) {
                $0.operation = "port-write"
                $0.prepare = { rig throws(ExperimentError) in try ring(rig, .port(RigMap.port, size: 4)) }
            }
            + rows("coalesced-pio", "port write, coalesced", .kernel) {
                $0.operation = "port-write"
                $0.coalesce(.port(RigMap.port, size: 4))
            }
            + rows("port-read", "port read (IN)", .user) {
                $0.answer = { exit, rig in
                    guard case .portRead(RigMap.port, 4, 1) = exit else { return false }
                    rig.vcpu.answerPortRead(0)
                    return true
                }
            }
            + rows("pic-read", "port read (IN) of the kernel's PIC", .kernel) { $0.plan = { $0.irqchip = .full } }
    }

    /// Each sample is 64 bytes and takes a millisecond where each byte is an exit.
    var strings: [any Experiment] {
        rows("string-write", "string write (REP OUTSB, 64 bytes)", .user) {
            $0.divisor = 20
            $0.countsExits = true
            $0.subject.note = Self.severalExits
            $0.answer = { exit, _ in if case .portWrite(RigMap.port, 1, _, _) = exit { true } else { false } }
        }
            + rows("string-read", "string read (REP INSB, 64 bytes)", .user) {
                $0.divisor = 4
                $0.countsExits = true
                $0.subject.note = Self.severalExits
                $0.answer = { exit, rig in
                    guard case .portRead(RigMap.port, 1, _) = exit else { return false }
                    rig.vcpu.answerPortRead(0)
                    return true
                }
            }
    }

    var memory: [any Experiment] {
        rows("mmio-write", "MMIO write", .user) {
            $0.answer = { exit, _ in if case .mmioWrite(RigMap.mmio, 4, _) = exit { true } else { false } }
        }
            + rows("ioeventfd-mmio", "MMIO doorbell (ioeventfd)", .kernel) {
                $0.operation = "mmio-write"
                $0.prepare = { rig throws(ExperimentError) in try ring(rig, .memory(RigMap.mmio, size: 4)) }
            }
            + rows("ioeventfd-mmio-any", "MMIO doorbell (ioeventfd of any length)", .kernel) {
                $0.operation = "mmio-write"
                $0.subject.note = "length 0: where the CPU reports the address, KVM need not decode the instruction"
                $0.prepare = { rig throws(ExperimentError) in try ring(rig, .memory(RigMap.mmio, size: 0)) }
            }
            + rows("coalesced-mmio", "MMIO write, coalesced", .kernel) {
                $0.operation = "mmio-write"
                $0.coalesce(.memory(RigMap.mmio, size: 4))
            }
            + rows("mmio-read", "MMIO read", .user) {
                $0.answer = { exit, _ in if case .mmioRead(RigMap.mmio, 4) = exit { true } else { false } }
            }
            + rows("apic-read", "MMIO read of the kernel's local APIC", .kernel, not: [.real: Impossible.lowAddresses])
        {
            $0.countsExits = true
            $0.subject.note = "with APICv or AVIC the CPU answers"
            $0.plan = { $0.usesLocalAPIC = true }
        }
    }

    private static let severalExits =
        "guest-to-host is before the first exit, host-to-guest behind the last: the ways between exits are in the total only"
}

/// Has the kernel signal an eventfd, which KVM keeps as long as the VM lives.
private func ring(_ rig: borrowing Rig, _ doorbell: Doorbell) throws(ExperimentError) {
    let event = try needing(try EventFD())
    try needing(try rig.vm.attach(event, to: doorbell))
}

extension RigExperiment {
    /// Has writes there kept in the ring. When it is full KVM leaves to user space, which empties it.
    fileprivate mutating func coalesce(_ writes: Doorbell) {
        subject.note = "when the ring is full, after some 170 writes, one is an exit to user space: an outlier"
        prepare = { rig throws(ExperimentError) in
            guard rig.vm.coalescedRing > 0 else { throw .unavailable("this KVM has no ring of coalesced writes") }
            try needing(try rig.vm.coalesce(writes))
        }
        answer = { exit, rig in
            let isOurs =
                switch exit {
                case .portWrite(RigMap.port, 4, 1, _), .mmioWrite(RigMap.mmio, 4, _): true
                default: false
                }
            return isOurs && rig.vcpu.takeCoalesced(ring: rig.vm.coalescedRing) > 0
        }
    }
}

extension Exit {
    /// An OUT of four bytes to that port.
    func isWrite(to port: UInt16) -> Bool {
        if case .portWrite(port, 4, 1, _) = self { true } else { false }
    }
}
