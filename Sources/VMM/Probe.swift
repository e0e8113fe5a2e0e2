// A throw-away machine that runs a few bytes of code, to learn what this host's KVM does with them, and how fast.
//
// Not a guest: no calls, no console, no thread of its own. A KVM may spin for ever in KVM_RUN, so each probe has a time
// limit: a timer kicks its vCPU out. `swiftlet doctor` measures with it. Read next: swiftlet-doctor/Measurements.swift.

import Boot
import Glibc
import GuestMemory
import Host
import KVM
import X86

/// Why a probe learned nothing.
public enum ProbeError: Error, Sendable {
    case machine(MachineError)
    /// The guest made no exit within the limit.
    case timedOut
    /// `KVM_RUN` failed.
    case failed(KVMError)
    /// An exit that the code does not make.
    case unexpected(Exit)
}

/// One vCPU, 1 MiB of memory, and code that is entered at its first byte. All calls belong to one thread.
public struct Probe: ~Copyable {
    /// The privilege level that the code runs at; everything else is as for a Swiftlet guest.
    public enum Ring: Sendable { case zero, three }

    public let vcpu: VCPU
    private let vm: VM
    private let memory: GuestMemory
    private let timer: KickTimer

    public init(_ kvm: borrowing KVM, code: [UInt8], ring: Ring) throws(ProbeError) {
        do throws(MachineError) {
            let guest = try fromImage("probe", try RingThree(code: code, memorySize: Configuration.smallestMemory))
            let memory = try Machine.reserve(guest.layout)
            let vm = try fromKVM(try kvm.makeVM())
            try fromKVM(try Machine.addSlots(vm, memory))
            try fromKVM(try vm.enableSplitIRQChip())
            let vcpu = try fromKVM(try vm.makeVCPU(mappingSize: kvm.vcpuMappingSize()))
            let cpu = GuestCPU()
            let parameters = BootParameters(
                arguments: [], moduleSize: 0, tscFrequency: 0, features: cpu.features, seed: (0, 0, 0, 0))
            let state = try fromImage("probe", try guest.install(code: code, in: memory, parameters))
            try fromKVM(try vcpu.load(state, cpu))
            if ring == .zero { try fromKVM(try vcpu.enterRingZero()) }
            try fromHost(try Thread.installKick())
            timer = try fromHost(try KickTimer())
            self.vcpu = vcpu
            self.vm = vm
            self.memory = memory
        } catch { throw .machine(error) }
    }

    deinit { Thread.setKickByte(address: 0) }

    /// Has a port write signal an eventfd inside the kernel.
    public func attach(_ event: borrowing EventFD, port: UInt16) throws(ProbeError) {
        do throws(KVMError) { try vm.attach(event, to: .port(port, size: 4)) } catch { throw .machine(.kvm(error)) }
    }

    /// From now on all runs together may take this long. Call it first.
    public func limit(nanoseconds: UInt64) {
        Thread.setKickByte(address: vcpu.kickByteAddress)
        vcpu.immediateExit = false
        timer.arm(nanoseconds: nanoseconds)
    }

    /// Runs to the next exit.
    public func run() throws(ProbeError) -> Exit {
        let deadline = Clock.monotonic() + 1_000_000_000  // a KVM without its worker thread says EAGAIN for ever
        while true {
            switch vcpu.run() {
            case 0: return vcpu.exit
            case EINTR where vcpu.immediateExit: throw .timedOut
            case EINTR: continue
            case EAGAIN where Clock.monotonic() < deadline: continue
            case let error: throw .failed(KVMError("KVM_RUN", errno: error))
            }
        }
    }
}

extension VCPU {
    /// The same state at CPL 0: 64-bit code and data segments whose DPL is 0.
    fileprivate func enterRingZero() throws(KVMError) {
        var sregs = try specialRegisters()
        sregs.cs.dpl = 0
        sregs.cs.selector &= ~3
        sregs.ss.dpl = 0
        sregs.ss.selector &= ~3
        try setSpecialRegisters(sregs)
    }
}
