// What is to be run, and whether this host has what that needs: files and memory, asked before the first guest starts.
//
// Read next: Life.swift.

import Host
import Subcommand
import VMM

struct Plan {
    let count: Int
    let atOnce: Int
    let inProcesses: Bool
    /// Nanoseconds.
    let timeout: UInt64?
    /// What every guest reads.
    let input: String?

    /// Open files of a guest: its console's two ends here, and in one process its VM, vCPU, stop descriptor and input.
    private var filesOfEach: Int { inProcesses ? 2 : 6 }

    /// What a guest costs at the least, in bytes: KVM's part and page tables, and a process's own (docs/clone.md).
    private var memoryOfEach: UInt64 { inProcesses ? 2 << 20 : 1 << 20 }

    /// Raises the limit of open files if need be.
    func check(inFiles: Bool) throws(SubcommandError) {
        if let input { _ = try openInput(input) }
        let files = atOnce * (filesOfEach + (inFiles ? 1 : 0)) + 64
        let allowed = raiseFileLimit()
        if allowed < files {
            throw SubcommandError(
                "clone: \(atOnce) guests at once need \(files) open files, and \(allowed) are allowed: "
                    + "use --jobs, or raise the limit (ulimit -Hn)")
        }
        let memory = UInt64(atOnce) * memoryOfEach
        if let free = availableMemory(), memory > free {
            throw SubcommandError(
                "clone: \(atOnce) guests at once need \(memory >> 20) MiB at the least, and \(free >> 20) are free: "
                    + "use --jobs")
        }
    }

    /// Each guest's own, so that each reads from the start; without a file, one that is at its end.
    func openInput(_ path: String? = nil) throws(SubcommandError) -> File {
        do throws(HostError) {
            guard let path = path ?? input else { return try File("/dev/null", .read) }
            return try File.regular(path)
        } catch { throw SubcommandError("clone: \(MachineError.host(error).message)") }
    }
}
