// A walk for scripts: docs/walk.md describes every field.
//
// Read next: WalkDrawing.swift.

import VMM
import X86

struct WalkDescription: Encodable {
    struct Level: Encodable {
        var level: String
        var table: UInt64
        var index: UInt64
        var entryAddress: UInt64
        var entry: UInt64?
        var target: UInt64?
        var meaning: [String]
    }

    struct Verdict: Encodable {
        var allowed: Bool
        /// Of a fault: a word for scripts, what it is in words, the level to blame, the bits in its entry.
        var fault: String?
        var why: String?
        var level: String?
        var bits: UInt64?
        var errorCode: UInt64?
    }

    struct Walk: Encodable {
        var address: UInt64
        var name: String?
        var mode: String
        var by: String
        var levels: [Level]
        var physical: UInt64?
        var pageSize: UInt64?
        var region: String?
        var slot: UInt64?
        var host: String?
        var access: [String: Verdict]
    }

    var file: String
    var remarks: [String]
    var walks: [Walk]

    init(_ file: String, _ reports: [WalkReport], _ remarks: [String]) {
        (self.file, self.remarks, walks) = (file, remarks, reports.map(Walk.init))
    }
}

extension WalkDescription.Walk {
    init(_ report: WalkReport) {
        let walk = report.walk
        let physical = walk.page?.physical
        self.init(
            address: walk.address, name: report.name, mode: walk.state.mode.rawValue,
            by: report.isUser ? "user" : "supervisor", levels: walk.steps.map { .init($0, walk.state) },
            physical: physical, pageSize: walk.page?.size,
            region: physical.flatMap { report.map.region(of: $0)?.what },
            slot: physical.flatMap { report.map.slot(of: $0)?.index }, host: report.host,
            access: Dictionary(
                uniqueKeysWithValues: report.accesses.map { ($0.kind.rawValue, WalkDescription.Verdict(walk, $0)) }))
    }
}

extension WalkDescription.Level {
    init(_ step: ExplainedWalk.Step, _ state: PagingState) {
        let isPresent = (step.entry ?? 0) & PageFlags.present.rawValue != 0
        self.init(
            level: step.level.entryName, table: step.table, index: step.index, entryAddress: step.entryAddress,
            entry: step.entry, target: isPresent ? step.target(state) : nil, meaning: step.meaning(state))
    }
}

extension WalkDescription.Verdict {
    init(_ walk: ExplainedWalk, _ access: Access) {
        let fault = walk.fault(of: access)
        self.init(
            allowed: fault == nil, fault: fault?.kind.rawValue, why: fault.map { walk.words($0) },
            level: fault?.step.map { walk.steps[$0].level.entryName },
            bits: fault.flatMap { $0.bits == 0 ? nil : $0.bits },
            errorCode: fault.flatMap { walk.errorCode(of: $0, access) })
    }
}
