// What a run can give up on this host: seccomp filters and Landlock are the kernel's to have.
//
// Read next: Measurements.swift, docs/sandbox.md.

import Sandbox

struct HostSandbox: Encodable, Equatable, Sendable {
    var hasSeccompFilters: Bool
    /// 0 where there is none.
    var landlockVersion: Int

    init(_ support: SandboxSupport = SandboxSupport()) {
        hasSeccompFilters = support.hasFilters
        landlockVersion = support.landlockVersion
    }

    var isComplete: Bool { hasSeccompFilters && landlockVersion > 0 }

    var words: String {
        let filters = hasSeccompFilters ? "system calls are filtered" : "no seccomp filters"
        let files = landlockVersion > 0 ? "files by Landlock version \(landlockVersion)" : "no Landlock"
        return "\(filters), \(files)"
    }
}
