// Failures of the modules below, as an experiment's: what a host refuses, it cannot do; anything else should have worked.
//
// Read next: Row.swift.

import Host
import KVM
import Rig
import Snapshot
import Subcommand

func tryKVM<T: ~Copyable>(_ body: @autoclosure () throws(KVMError) -> T) throws(ExperimentError) -> T {
    do throws(KVMError) { return try body() } catch { throw ExperimentError(error) }
}

func tryHost<T: ~Copyable>(_ body: @autoclosure () throws(HostError) -> T) throws(ExperimentError) -> T {
    do throws(HostError) { return try body() } catch { throw ExperimentError(error) }
}

func tryRig<T: ~Copyable>(_ body: @autoclosure () throws(RigError) -> T) throws(ExperimentError) -> T {
    do throws(RigError) { return try body() } catch { throw ExperimentError(error) }
}

func trySnapshot<T: ~Copyable>(_ body: @autoclosure () throws(SnapshotError) -> T) throws(ExperimentError) -> T {
    do throws(SnapshotError) { return try body() } catch {
        if case .host(let error) = error { throw ExperimentError(error) }
        throw .failed(error.message)
    }
}

/// A program that was started and ended otherwise than it should.
func tryProgram<T: ~Copyable>(_ body: @autoclosure () throws(SubcommandError) -> T) throws(ExperimentError) -> T {
    do throws(SubcommandError) { return try body() } catch { throw .failed(error.message) }
}

/// KVM, with the error that a rig has.
func openKVM() throws(RigError) -> KVM {
    do throws(KVMError) { return try KVM() } catch { throw .machine(.kvm(error)) }
}

/// What Linux answers that has no memory or address space left, or does not know the request.
private let refusals: [Int32] = [12, 22, 25, 38, 95]  // ENOMEM, EINVAL, ENOTTY, ENOSYS, EOPNOTSUPP

extension KVMError {
    var isRefusal: Bool { refusals.contains(errno) }
}

extension ExperimentError {
    init(_ error: KVMError) {
        let text = "\(error.request): \(errnoText(error.errno))"
        self = error.isRefusal ? .unavailable("this KVM refuses \(text)") : .failed(text)
    }

    init(_ error: HostError) {
        self = refusals.contains(error.errno) ? .unavailable(error.message) : .failed(error.message)
    }
}
