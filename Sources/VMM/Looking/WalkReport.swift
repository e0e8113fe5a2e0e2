// A page walk as text: each level's entry and what it says, the physical address, its slot, where the host has it, and for each
// kind of access whether it is allowed, or which bit forbids it.
//
// For `swiftlet walk` and for a debugger's `monitor walk`. Read next: CoreNote.swift.

import X86

/// A walk, and the machine around it.
public struct WalkReport: Sendable {
    public let walk: ExplainedWalk
    /// What the address is called: "rip".
    public let name: String?
    public let map: MachineMap
    /// Whose accesses are judged.
    public let isUser: Bool
    /// Where the page's content lies on the host, if it is anywhere.
    public let host: String?

    public init(_ walk: ExplainedWalk, name: String? = nil, _ map: MachineMap, isUser: Bool, host: String? = nil) {
        (self.walk, self.name, self.map, self.isUser, self.host) = (walk, name, map, isUser, host)
    }

    public var accesses: [Access] { Access.Kind.allCases.map { Access($0, isUser: isUser) } }

    public var lines: [String] { [title] + levels + place + verdicts }

    private var title: String {
        let who = isUser ? "user" : "supervisor"
        return "\(hex(walk.address))\(name.map { " (\($0))" } ?? ""): \(walk.state.mode.rawValue), for the \(who)"
    }

    private var levels: [String] {
        if walk.steps.isEmpty { return [] }
        let bits = walk.addressBits
        var rows = [["", "table", "index", "entry at", "entry", "leads to", "and says"]]
        rows.append(["CR3", "", "", "", hex(walk.state.cr3), hex(walk.steps[0].table), ""])
        for (number, step) in walk.steps.enumerated() {
            let isPresent = (step.entry ?? 0) & PageFlags.present.rawValue != 0
            let target = isPresent ? (step.isLeaf ? "page " : "") + hex(step.target(walk.state)) : "-"
            let isBroken = walk.stop?.step == number
            rows.append([
                step.level.entryName, hex(step.table), "\(step.index)", hex(step.entryAddress),
                step.entry.map(hex) ?? "none", target,
                step.meaning(walk.state).joined(separator: ", ") + (isBroken ? "  <-- here" : ""),
            ])
        }
        return columns(rows) + ["  bits of the address: " + bits.joined(separator: " ")]
    }

    private var place: [String] {
        guard let page = walk.page else { return [] }
        var rows = [["guest-physical", hex(page.physical), "in a page of \(bytes(page.size))"]]
        if let region = map.region(of: page.physical) { rows.append(["in", region.what, extent(region.range)]) }
        if let slot = map.slot(of: page.physical) {
            rows.append(["memory slot", "\(slot.index)", extent(slot.range) + (slot.isReadOnly ? ", read-only" : "")])
        } else {
            rows.append(["memory slot", "none", "no memory: an access is an exit to the VMM"])
        }
        if let host { rows.append(["host", host]) }
        return columns(rows.map { [$0[0], $0.dropFirst().joined(separator: "  ")] })
    }

    private var verdicts: [String] {
        columns(accesses.map { [$0.kind.rawValue, verdict($0)] })
    }

    /// "allowed", or "faults (#PF, error code 0x7): bit 1 (R/W) of the PDE at 0x68000 is clear".
    public func verdict(_ access: Access) -> String {
        guard let fault = walk.fault(of: access) else {
            guard let page = walk.page, access.kind == .write, map.slot(of: page.physical)?.isReadOnly == true else {
                return "allowed"
            }
            return "allowed by the tables, but the slot is read-only: an exit to the VMM"
        }
        let code = walk.errorCode(of: fault, access).map { " (#PF, error code \(hex($0)))" } ?? ""
        return "faults\(code): \(walk.words(fault))"
    }
}

/// "4 KiB", "2 MiB".
private func bytes(_ size: UInt64) -> String {
    size >= 1 << 30 ? "\(size >> 30) GiB" : size >= 1 << 20 ? "\(size >> 20) MiB" : "\(size >> 10) KiB"
}
