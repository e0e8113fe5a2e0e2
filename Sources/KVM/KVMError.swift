// Why a request to KVM failed: the ioctl by its name in the KVM API, and errno.
//
// One error type for the module. Whoever prints it adds what the user can do about it.
// Read next: KVM.swift.

/// An ioctl that failed.
public struct KVMError: Error, Equatable, Sendable {
    /// The request as the KVM API documentation spells it, such as `KVM_CREATE_VM`.
    public let request: StaticString
    /// The positive errno.
    public let errno: Int32

    @inlinable
    public init(_ request: StaticString, errno: Int32) {
        self.request = request
        self.errno = errno
    }

    public static func == (a: KVMError, b: KVMError) -> Bool {
        a.errno == b.errno && a.request.description == b.request.description
    }
}

/// Turns a shim's `-errno` into a throw.
@inlinable
func check(_ result: Int, _ request: StaticString) throws(KVMError) -> Int {
    if result < 0 { throw KVMError(request, errno: Int32(truncatingIfNeeded: -result)) }
    return result
}
