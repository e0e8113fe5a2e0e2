// What a conversation with a debugger needs of a guest that stands still. Two are there: a machine's (Target.swift), and one that
// is only invented, which fuzzers talk to.
//
// Read next: Session.swift.

import VMM

/// How the guest is to go on.
enum Resumption: Equatable {
    /// One vCPU by one instruction, while the others stand still.
    case step(Int)
    case go([Int])
}

protocol Debuggee: AnyObject {
    /// vCPUs count from 0, a debugger's threads from 1.
    var vcpuCount: Int { get }
    /// Whose registers, and by whose tables whose memory, is looked at.
    var selected: Int { get set }
    /// Why the guest stands still, and the vCPU that it is about.
    var reason: StopReason { get }
    var stopped: Int { get }

    var table: RegisterTable { get }
    var registers: RegisterFile? { get set }
    func read(_ address: UInt64, _ count: Int) -> [UInt8]
    func write(_ bytes: [UInt8], at address: UInt64) -> Bool
    /// Nil for a kind that there is not.
    func insert(_ kind: Int, _ address: UInt64, _ size: UInt64) -> Bool?
    func remove(_ kind: Int, _ address: UInt64, _ size: UInt64) -> Bool?
    func monitor(_ command: String) -> String
    /// A crash in a line.
    func headline(_ crash: Crash) -> String
}
