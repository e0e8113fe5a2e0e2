// In which ring an image that expects ring 0 runs: the user's word, or this host's KVM decides.
//
// A KVM without VT-x or SVM under it runs ring-3 code natively and emulates ring 0 one instruction at a time: 700 ns each,
// and no SSE. `swiftlet doctor` measures that with a loop, which takes 0.3 ms; here CPUID answers, which takes 4 us: where
// the CPU has neither VMX nor SVM, yet there is a /dev/kvm, it is such a KVM. Read next: DeprivilegedCPU.swift.

import Host

/// The value of `--ring`.
public enum Ring: String, Sendable {
    /// Ring 3 where the host emulates ring 0, and there ring 0 for what ring 3 cannot stand in for.
    case automatic = "auto"
    case zero = "0"
    /// Ring 3 or an error.
    case three = "3"

    public static let usage = "0, 3 or auto"

    /// Whether a ring-0 image starts in ring 3.
    package var isDeprivileged: Bool {
        switch self {
        case .automatic: Self.hostEmulatesRingZero
        case .zero: false
        case .three: true
        }
    }

    /// CPUID leaf 1, ECX bit 5 is VMX (Intel SDM vol. 2A); leaf 0x80000001, ECX bit 2 is SVM (AMD APM vol. 3, appendix E).
    package static var hostEmulatesRingZero: Bool {
        Processor.cpuid(1).ecx & 1 << 5 == 0 && Processor.cpuid(0x8000_0001).ecx & 1 << 2 == 0
    }
}
