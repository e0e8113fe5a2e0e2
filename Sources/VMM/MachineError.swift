// Why a machine could not be built or run, in the user's words: what failed, and what to do about it.
//
// Read next: Stop.swift.

import Backing
import Boot
import Glibc
import GuestMemory
import Host
import KVM

/// Runs something of a module below and turns its error into this module's.
package func fromKVM<T: ~Copyable>(_ body: @autoclosure () throws(KVMError) -> T) throws(MachineError) -> T {
    do throws(KVMError) { return try body() } catch { throw .kvm(error) }
}

package func fromHost<T: ~Copyable>(_ body: @autoclosure () throws(HostError) -> T) throws(MachineError) -> T {
    do throws(HostError) { return try body() } catch { throw .host(error) }
}

package func fromImage<T: ~Copyable>(
    _ path: String, _ body: @autoclosure () throws(ImageError) -> T
) throws(MachineError) -> T {
    do throws(ImageError) { return try body() } catch { throw .image(path, error) }
}

package func fromMemory<T: ~Copyable>(
    _ body: @autoclosure () throws(GuestMemoryError) -> T
) throws(MachineError) -> T {
    do throws(GuestMemoryError) { return try body() } catch { throw .memory(error) }
}

package func fromBacking<T: ~Copyable>(
    _ body: @autoclosure () throws(BackingError) -> T
) throws(MachineError) -> T {
    do throws(BackingError) { return try body() } catch { throw .backing(error) }
}

/// An error of Swiftlet's side: exit status 125.
public enum MachineError: Error, Sendable {
    case kvm(KVMError)
    case host(HostError)
    case image(String, ImageError)
    case memory(GuestMemoryError)
    case backing(BackingError)
    case memoryBeyondHost(given: UInt64, host: UInt64)

    /// One line.
    public var message: String {
        switch self {
        case .kvm(let error): Self.explain(error)
        case .host(let error) where error.errno == EINVAL && error.call == "open":
            "\(error.subject): not a regular file"
        case .host(let error) where error.call == "pthread_create":
            "cannot make a thread: raise the limit of processes or of memory (ulimit -u, ulimit -v)"
        case .host(let error) where error.errno == EMFILE:
            "\(error.message): raise the limit (ulimit -n)"
        case .host(let error): error.message
        case .image(let path, let error): "\(path): \(error.message)"
        case .memory(.mapping(let size, let errno)):
            "cannot reserve \(size >> 20) MiB of address space: \(errnoText(errno)): use a smaller --mem, or raise ulimit -v"
        case .backing(let error): error.message
        case .memoryBeyondHost(let given, let host):
            "--mem \(given >> 20) MiB is more than this host's \(host >> 20) MiB: use a smaller --mem"
        }
    }

    private static func explain(_ error: KVMError) -> String {
        let reason = errnoText(error.errno)
        switch (error.request.description, error.errno) {
        case ("open", ENOENT):
            return "no /dev/kvm on this host: load kvm_intel or kvm_amd, enable virtualization in the firmware, "
                + "or try the lab (lab/README.md)"
        case ("open", EACCES), ("open", EPERM):
            return "no permission to open /dev/kvm: add yourself to the group kvm (sudo usermod -aG kvm $USER) and "
                + "log in again"
        case ("open", _): return "/dev/kvm: \(reason)"
        case ("KVM_GET_API_VERSION", ENOTTY):
            return "/dev/kvm is not KVM's device: mount or make the right one (misc, minor 232)"
        case ("KVM_GET_API_VERSION", _): return "/dev/kvm speaks another API version than 12: this kernel is too old"
        case ("KVM_SET_USER_MEMORY_REGION", ENOMEM):
            return "KVM has no memory left for the guest's memory slot: use a smaller --mem"
        case ("KVM_RUN", EAGAIN):
            return "KVM cannot make the kernel thread that it needs: raise the limit of processes (ulimit -u, pids.max)"
        case (_, EMFILE): return "too many open files: raise the limit (ulimit -n)"
        case ("KVM_GET_TSC_KHZ", EIO):
            return "this host's TSC is unstable, so guests cannot have a clock: see 'dmesg | grep -i tsc'"
        case (let request, ENOSYS) where request.hasPrefix("KVM_CAP_"):
            return "this host's KVM lacks \(request), which every guest needs: use Linux 4.17 or newer"
        case (let request, _): return "\(request): \(reason): 'swiftlet doctor' tells what this host can do"
        }
    }
}
