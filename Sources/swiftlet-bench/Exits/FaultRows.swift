// Exceptions that the guest handles itself, and memory that the host has not backed yet.
//
// Read next: InterruptRows.swift.

import Rig

extension ExitRows {
    var faults: [any Experiment] {
        rows("divide-error", "exception and handler (#DE)", .guest) {
            $0.countsExits = true
            $0.subject.note = "with VT-x or SVM the guest's own affair"
        }
            + rows("invalid-opcode", "exception and handler (#UD)", .kernel) {
                $0.countsExits = true
                $0.subject.note = "KVM looks at every #UD before the guest does"
            }
            + rows("page-fault", "page fault and handler (#PF)", .guest, not: [.real: Impossible.noPaging]) {
                $0.countsExits = true
                $0.subject.note = "the guest's own affair with nested paging, KVM's too with shadow paging"
                $0.operand = { _ throws(ExperimentError) in unmapped }
            }
            + rows("first-touch", "first touch of a page", .kernel, not: [.real: Self.tooManyPages]) {
                $0.countsExits = true
                $0.subject.note = "anonymous memory in pages of 4 KiB"
                $0.plan = {
                    $0.usesHugePages = false
                    $0.memorySize = untouched + UInt64(RigMap.capacity) * 4096
                }
                $0.operand = { _ throws(ExperimentError) in untouched }
            }
    }

    private static let tooManyPages = "real mode reaches 1 MiB: fewer pages than there are samples"
}

/// Behind what a rig maps.
private let unmapped: UInt64 = 4 << 30
/// Behind what a rig uses.
private let untouched = RigMap.smallestMemory
