// What this host's kernel has for a sandbox: for `swiftlet doctor`. A run leaves out what is missing, without a word.
//
// Read next: docs/sandbox.md.

import CSandbox

/// What the kernel can hold a run to.
public struct SandboxSupport: Sendable {
    /// System calls can be filtered.
    public let hasFilters: Bool
    /// Landlock's version, 0 where there is none: 3 covers all changes of files, 6 signals and sockets too.
    public let landlockVersion: Int

    public init() {
        hasFilters = csandbox_has_filters() == 0
        landlockVersion = max(0, csandbox_landlock_version())
    }
}
