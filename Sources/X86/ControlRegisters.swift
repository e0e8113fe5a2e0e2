// Control register bits by the manuals' names, and the values that a ring-3 guest starts with.
//
// Intel SDM vol. 3A, chapter 2.5; EFER: AMD APM vol. 2, chapter 3.1.7. Read next: CPUState.swift.

public enum CR0 {
    public static let protectedMode: UInt64 = 1 << 0
    public static let monitorCoprocessor: UInt64 = 1 << 1
    public static let extensionType: UInt64 = 1 << 4
    public static let numericError: UInt64 = 1 << 5
    public static let writeProtect: UInt64 = 1 << 16
    public static let alignmentMask: UInt64 = 1 << 18
    public static let paging: UInt64 = 1 << 31

    public static let ring3: UInt64 =
        protectedMode | monitorCoprocessor | extensionType | numericError | writeProtect | alignmentMask | paging
}

public enum CR4 {
    public static let physicalAddressExtension: UInt64 = 1 << 5
    /// Toggled by a commit: changing it flushes every KVM's idea of the page tables.
    public static let globalPages: UInt64 = 1 << 7
    public static let fxsave: UInt64 = 1 << 9
    public static let simdExceptions: UInt64 = 1 << 10
    public static let fsgsbase: UInt64 = 1 << 16
    public static let xsave: UInt64 = 1 << 18

    /// SMEP and SMAP stay clear: with SMAP the first exception would be a triple fault on SVM and VMX.
    public static let ring3: UInt64 = physicalAddressExtension | fxsave | simdExceptions
}

public enum EFER {
    public static let longModeEnable: UInt64 = 1 << 8
    public static let longModeActive: UInt64 = 1 << 10
    public static let noExecute: UInt64 = 1 << 11

    /// Without SCE: SYSCALL, which would enter ring 0, is an undefined opcode.
    public static let ring3: UInt64 = longModeEnable | longModeActive | noExecute
}

public enum RFLAGS {
    public static let reserved1: UInt64 = 1 << 1
    public static let interrupts: UInt64 = 1 << 9
    public static let ioPrivilege3: UInt64 = 3 << 12
    public static let alignmentCheck: UInt64 = 1 << 18

    /// IOPL 3 and a bitmap of zeros: hardware looks at the first, the software KVM at the second.
    public static let ring3: UInt64 = reserved1 | interrupts | ioPrivilege3
}

/// XCR0: the vector state that a guest may use (Intel SDM vol. 1, chapter 13.3).
public enum XCR0 {
    public static let x87: UInt64 = 1 << 0
    public static let sse: UInt64 = 1 << 1
    public static let avx: UInt64 = 1 << 2
    /// Opmask, upper halves of ZMM0-15, ZMM16-31: all or none.
    public static let avx512: UInt64 = 7 << 5

    /// What a guest gets on a host that enables `host`: never state that needs the kernel's permission (AMX).
    public static func guest(host: UInt64) -> UInt64 {
        var value = x87 | sse
        if host & avx != 0 { value |= avx }
        if host & (avx | avx512) == avx | avx512 { value |= avx512 }
        return value
    }
}
