// The sandbox: what a process gives up once it needs no more, just before its guest's first instruction.
//
// A guest that finds a hole in the VMM finds itself in a process that can open nothing, start nothing, and send to nobody.
// Four locks, each of which holds where another is missing: privileges, descriptors, Landlock, system calls. The filters
// are rules.h, compiled to BPF when Swiftlet was built. docs/sandbox.md tells what it is worth and what it costs.
// Read next: GivenFiles.swift, filter-compiler/rules.h.

import CSandbox
import Glibc
import Host

public enum Sandbox {
    /// Closes what our caller has left open beyond standard error, but for those that are given: before we open anything.
    public static func closeInherited(keeping given: Span<UInt32>) {
        var next: UInt32 = 3
        while next != 0 {
            var kept = UInt32.max
            for index in given.indices where given[index] >= next { kept = min(kept, given[index]) }
            if kept > next { _ = csandbox_close(next, kept == .max ? kept : kept - 1) }
            next = kept &+ 1  // 0 when all are closed
        }
    }

    /// Gives up, for good, what an ordinary run does not need. `files`: what an option may still open. Who writes files later
    /// keeps capabilities: root's are what lets it into others' folders.
    ///
    /// A kernel without Landlock or seccomp leaves out what it lacks (`swiftlet doctor` tells). To be called by the one
    /// thread that there is.
    public static func enter(_ files: GivenFiles? = nil, hasDevices: Bool = false) throws(HostError) {
        try check("prctl", csandbox_no_new_privileges())
        if files == nil { try check("capset", csandbox_drop_capabilities()) }
        try restrictFiles(files)
        if files != nil { return try load(Filter.files) }
        if hasDevices { try load(Filter.devices) } else { try load(Filter.run) }
    }

    static func restrictFiles(_ files: GivenFiles?) throws(HostError) {
        let version = csandbox_landlock_version()
        if version < 1 { return }
        let ruleset = File(owning: Int32(try check("landlock_create_ruleset", csandbox_landlock_create(version))))
        if let files { try files.allow(in: ruleset, version) }
        try check("landlock_restrict_self", csandbox_landlock_enter(Int(ruleset.fd)))
    }

    /// Puts our id where rules.h has OWN_PROCESS: the operand is an instruction's upper half.
    static func setProcess<let count: Int>(in filter: inout [count of UInt64]) {
        let own = UInt64(getpid()) << 32
        for i in filter.indices where filter[i] >> 32 == 0x7fff_ffff { filter[i] = own | filter[i] & 0xffff_ffff }
    }

    private static func load<let count: Int>(_ filter: [count of UInt64]) throws(HostError) {
        var program = filter
        setProcess(in: &program)
        // Sound: the kernel reads the program during the call.
        let result = unsafe program.span.withUnsafeBytes {
            unsafe csandbox_filter($0.baseAddress, UInt16(count))
        }
        if result < 0, csandbox_has_filters() != 0 { return }  // a kernel without the call, or without filters
        try check("seccomp", result)
    }

    @discardableResult
    static func check(_ call: @autoclosure () -> String, _ result: Int) throws(HostError) -> Int {
        if result < 0 {
            let call = call()
            throw HostError(call, "the sandbox (--no-sandbox runs without it): \(call)", errno: Int32(-result))
        }
        return result
    }
}
