// Which tests need /dev/kvm: they are skipped, and say so, where this user cannot open it.
//
// A test target of its own, because only those can import Testing in a build of static executables.
// Read next: Descriptors.swift.

import Glibc
import Testing

extension Trait where Self == ConditionTrait {
    /// Skips where /dev/kvm is missing or not ours to use.
    public static var requiresKVM: Self {
        .enabled("/dev/kvm is missing, or not readable and writable for this user") {
            access("/dev/kvm", R_OK | W_OK) == 0
        }
    }
}
