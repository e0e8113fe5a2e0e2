// /dev/kvm itself: the first of the three levels of file descriptors (system, VM, vCPU).
//
// From here a VM is made. Capabilities asked here are the system's; some differ by VM (see VM.capability).
// Read next: VM.swift.

import CKVM
import Glibc

/// The KVM subsystem of the host.
public struct KVM: ~Copyable, Sendable {
    /// The descriptor of `/dev/kvm`.
    public let fd: Int32

    /// The only version there has been since Linux 2.6.22 (KVM API, section 4.1).
    public static let apiVersion = 12

    /// Opens `/dev/kvm`.
    ///
    /// - Throws: `KVMError` with request `open` (ENOENT: no KVM in this kernel; EACCES: no permission) or
    ///   `KVM_GET_API_VERSION` (ENOTTY: not KVM's device; EPROTO: a version that is not 12).
    public init(path: String = "/dev/kvm") throws(KVMError) {
        let fd = unsafe path.withCString { unsafe open($0, O_RDWR | O_CLOEXEC) }
        if fd < 0 { throw KVMError("open", errno: Glibc.errno) }
        let version = ckvm_get_api_version(fd)
        if version != Self.apiVersion {
            close(fd)
            throw KVMError("KVM_GET_API_VERSION", errno: version < 0 ? Int32(-version) : EPROTO)
        }
        self.fd = fd
    }

    deinit { close(fd) }

    /// What the host supports; 0 is no. The corresponding ioctl is `KVM_CHECK_EXTENSION`.
    public func capability(_ number: Int32) -> Int {
        max(0, ckvm_check_extension(fd, number))
    }

    /// Makes a VM without memory and vCPUs. The corresponding ioctl is `KVM_CREATE_VM`.
    public func makeVM() throws(KVMError) -> VM {
        VM(fd: Int32(try check(ckvm_create_vm(fd), "KVM_CREATE_VM")))
    }

    /// Bytes of a vCPU's shared `kvm_run` mapping. The corresponding ioctl is `KVM_GET_VCPU_MMAP_SIZE`.
    public func vcpuMappingSize() throws(KVMError) -> Int {
        try check(ckvm_get_vcpu_mmap_size(fd), "KVM_GET_VCPU_MMAP_SIZE")
    }

    /// The CPUID leaves that this host's KVM can give to a guest. Costs a third of a millisecond: not for start-up.
    /// The corresponding ioctl is `KVM_GET_SUPPORTED_CPUID`.
    public func supportedCPUID() throws(KVMError) -> CPUID {
        var table = ckvm_cpuid()
        _ = try check(unsafe ckvm_get_supported_cpuid(fd, &table), "KVM_GET_SUPPORTED_CPUID")
        return CPUID(table)
    }
}
