// The judgement: for each kind of host the problems, the verdict, and whether guests can run.
//
// Read next: Sources/swiftlet-doctor/Advice.swift.

import Testing

@testable import swiftlet_doctor

extension Examination {
    /// A host without a fault: bare metal, VT-x, everything measured.
    static var healthy: Examination {
        var memory = HostMemory()
        memory.available = 1 << 34
        memory.transparentHugePages = "madvise"
        let cpu = HostCPU(cpuid: InventedCPU.intel.callAsFunction)
        var virtualization = Virtualization(cpu: cpu)
        virtualization.device = .usable
        virtualization.kind = .vtx
        virtualization.module = "kvm_intel"
        virtualization.parameters = ["kvm_intel.ept": "Y"]
        var measurements = Measurements()
        measurements.exitFromRing3 = Samples(nanoseconds: [1200])
        measurements.ring3 = .init(instructions: 404, emulated: 0, time: nil, isEmulated: false)
        measurements.ring0 = .init(instructions: 404, emulated: 0, time: nil, isEmulated: false)
        var sandbox = HostSandbox()
        (sandbox.hasSeccompFilters, sandbox.landlockVersion) = (true, 6)
        return Examination(
            cpu: cpu, memory: memory, virtualization: virtualization, sandbox: sandbox, capabilities: [],
            measurements: measurements)
    }
}

@Suite struct DiagnosisTests {
    private func diagnose(_ change: (inout Examination) -> Void) -> Diagnosis {
        var host = Examination.healthy
        change(&host)
        return Diagnosis(host)
    }

    @Test func aHealthyHost() {
        let diagnosis = diagnose { _ in }
        #expect(diagnosis.problems.isEmpty)
        #expect(diagnosis.canRun)
        #expect(diagnosis.verdict == "this host can run guests: VT-x with nested paging, an exit costs 1.2 us")
        #expect(diagnosis.text.hasSuffix("\nverdict: \(diagnosis.verdict)\n"))
    }

    @Test(arguments: [DeviceState.absent, .forbidden, .incompatible, .failing])
    func withoutTheDeviceNoGuestRuns(_ device: DeviceState) {
        let diagnosis = diagnose {
            $0.virtualization.device = device
            $0.capabilities = nil
            $0.measurements = nil
        }
        #expect(!diagnosis.canRun)
        #expect(diagnosis.problems.first?.severity == .blocking)
        #expect(diagnosis.verdict.hasPrefix("this host cannot run guests: "))
        #expect(diagnosis.problems.allSatisfy { !$0.fix.isEmpty })
    }

    @Test func howToGetADeviceDependsOnTheHost() {
        func fix(_ cpu: InventedCPU) -> String {
            diagnose {
                $0.cpu = HostCPU(cpuid: cpu.callAsFunction)
                $0.virtualization.device = .absent
            }.problems.first?.fix ?? ""
        }
        #expect(fix(.intel).contains("modprobe kvm_intel"))
        #expect(fix(.nestedAMD).contains("modprobe kvm_amd"))
        var guest = InventedCPU.nestedAMD
        guest.leaves[0x8000_0001] = nil
        #expect(fix(guest).contains("nested virtualization on in KVM"))
        #expect(fix(InventedCPU()).contains("firmware"))
    }

    @Test func aRequiredCapabilityIsMissing() {
        let diagnosis = diagnose {
            $0.capabilities = [CapabilityFinding(name: "SYNC_REGS", value: 0, required: true, purpose: "registers")]
        }
        #expect(!diagnosis.canRun)
        #expect(diagnosis.verdict.contains("SYNC_REGS"))
        #expect(diagnosis.text.contains("MISSING"))
    }

    @Test func ring0IsEmulated() {
        let diagnosis = diagnose {
            $0.virtualization.kind = .software
            $0.virtualization.module = "kvm_pvm"
            $0.measurements?.ring0?.isEmulated = true
        }
        #expect(diagnosis.canRun)
        #expect(diagnosis.problems.map(\.severity) == [.limiting, .note])
        #expect(diagnosis.text.contains("measured (software KVM: not representative of VT-x or SVM)"))
        #expect(diagnosis.verdict.contains("a software KVM (kvm_pvm)"))
    }

    @Test func whatFailsInRing3IsBlockingInRing0Not() {
        let ring3 = diagnose { $0.measurements?.failures = [.init(what: .ring3, why: "no exit", isBusy: true)] }
        #expect(!ring3.canRun)
        #expect(ring3.problems.first?.fix.contains("VirtualBox") == true)
        let ring0 = diagnose { $0.measurements?.failures = [.init(what: .ring0, why: "no exit")] }
        #expect(ring0.canRun)
    }

    @Test func slowHosts() {
        let changes: [(Problem.Severity, String, (inout Examination) -> Void)] = [
            (.limiting, "madvise", { $0.memory.transparentHugePages = "never" }),
            (.limiting, "--mem", { $0.memory.available = 1 << 20 }),
            (.limiting, "ept=1", { $0.virtualization.parameters["kvm_intel.ept"] = "N" }),
            (.note, "CONFIG_SECURITY_LANDLOCK", { $0.sandbox.landlockVersion = 0 }),
            (.note, "CONFIG_SECCOMP_FILTER", { $0.sandbox.hasSeccompFilters = false }),
            (.note, "nx_huge_pages", { $0.virtualization.parameters["kvm.nx_huge_pages"] = "Y" }),
            (.note, "frequency", { $0.cpu.invariantTSC = false }), (.note, "bare metal", { $0.cpu.isVirtual = true }),
        ]
        for (severity, fix, change) in changes {
            let problems = diagnose(change).problems
            #expect(problems.map(\.severity) == [severity])
            #expect(problems[0].fix.contains(fix))
        }
    }
}
