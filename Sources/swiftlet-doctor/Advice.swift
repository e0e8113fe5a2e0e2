// The rules: what is wrong with a host, and what to do about it, in the imperative.
//
// Each group looks at one part of the examination. Read next: DiagnosisText.swift.

extension Examination {
    var problems: [Problem] {
        deviceProblems + capabilityProblems + measurementProblems + virtualizationProblems + hostProblems
    }

    private var deviceProblems: [Problem] {
        switch virtualization.device {
        case .usable: []
        case .absent: [Problem(severity: .blocking, what: "there is no /dev/kvm", fix: waysToKVM)]
        case .forbidden:
            [
                Problem(
                    severity: .blocking, what: "no permission to open /dev/kvm",
                    fix: "add yourself to its group (sudo usermod -aG kvm $USER) and log in again")
            ]
        case .incompatible:
            [
                Problem(
                    severity: .blocking, what: "/dev/kvm speaks another API version than 12",
                    fix: "use a kernel newer than Linux 2.6.22")
            ]
        case .failing:
            [
                Problem(
                    severity: .blocking, what: "/dev/kvm cannot be opened",
                    fix: "look at the end of the kernel's log (sudo dmesg) for what KVM says")
            ]
        }
    }

    private var waysToKVM: String {
        if cpu.vmx || cpu.svm {
            let module = cpu.vmx ? "kvm_intel" : "kvm_amd"
            return "load KVM (sudo modprobe \(module)); in a container, give it the device (--device /dev/kvm)"
        }
        if cpu.isVirtual {
            return
                "switch nested virtualization on in \(cpu.hypervisorName), which this machine runs under, or use the "
                + "SVM lab, which needs no KVM (lab/svm.sh)"
        }
        return "switch VT-x or SVM on in the firmware's set-up, or use the SVM lab, which needs no KVM (lab/svm.sh)"
    }

    private var capabilityProblems: [Problem] {
        (capabilities ?? []).filter(\.isMissing).map {
            Problem(
                severity: .blocking, what: "KVM lacks \($0.name) (\($0.purpose))",
                fix: "use a newer kernel: Linux 5.10 has it")
        }
    }

    private var measurementProblems: [Problem] {
        guard let measurements else { return [] }
        var list = measurements.failures.map { failure in
            let blocking = failure.what == .ring3
            return Problem(
                severity: blocking ? .blocking : .limiting, what: "\(failure.what.rawValue) fails: \(failure.why)",
                fix: failure.isBusy
                    ? "stop the other hypervisor that holds the CPU (VirtualBox, VMware)"
                    : "look at the kernel's log (sudo dmesg), and report this with the output of swiftlet doctor --json"
            )
        }
        if measurements.ring3?.isEmulated == true {
            list.append(
                Problem(
                    severity: .limiting, what: "even ring 3 is emulated, one instruction at a time",
                    fix: "use another host: nothing runs at speed here"))
        }
        if let ring0 = measurements.ring0, ring0.isEmulated {
            let each = ring0.time.map { ", \(duration($0.median)) each" } ?? ""
            list.append(
                Problem(
                    severity: .limiting, what: "ring 0 is emulated one instruction at a time\(each)",
                    fix: "run guests that stay in ring 3, as Swiftlet's own do; take kernels that need ring 0 elsewhere"
                ))
        }
        return list
    }

    private var virtualizationProblems: [Problem] {
        var list: [Problem] = []
        if virtualization.kind == .software {
            list.append(
                Problem(
                    severity: .note, what: "this is a software KVM: its times are not representative of VT-x or SVM",
                    fix: cpu.vmx || cpu.svm
                        ? "load \(cpu.vmx ? "kvm_intel" : "kvm_amd") instead of \(virtualization.module)"
                        : "measure on a host with VT-x or SVM what shall hold there"))
        } else if cpu.isVirtual, virtualization.device == .usable {
            list.append(
                Problem(
                    severity: .note,
                    what:
                        "this host is itself a virtual machine (\(cpu.hypervisorName)): exits cost more than on bare metal",
                    fix: "measure on bare metal what shall hold there"))
        }
        if virtualization.hasNestedPaging == false {
            let parameter = virtualization.kind == .vtx ? "ept" : "npt"
            list.append(
                Problem(
                    severity: .limiting, what: "nested paging is off: page faults and page-table edits cost exits",
                    fix: "load \(virtualization.module) with \(parameter)=1"))
        }
        if virtualization.parameters["kvm.nx_huge_pages"] == "Y" {
            list.append(
                Problem(
                    severity: .note, what: "KVM splits huge pages that a guest executes (kvm.nx_huge_pages)",
                    fix: "leave it so unless you trust every guest; then write N to "
                        + "/sys/module/kvm/parameters/nx_huge_pages"))
        }
        return list
    }

    private var hostProblems: [Problem] {
        var list: [Problem] = []
        if memory.transparentHugePages == "never" {
            list.append(
                Problem(
                    severity: .limiting, what: "guest memory cannot have huge pages: transparent ones are off",
                    fix: "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"))
        }
        if let available = memory.available, available < 64 << 20 {
            list.append(
                Problem(
                    severity: .limiting, what: "only \(available >> 20) MiB of memory are available",
                    fix: "free some, or run guests with a smaller --mem"))
        }
        if !sandbox.isComplete {
            list.append(
                Problem(
                    severity: .note,
                    what: "a guest that breaks out of the VMM finds more here than it should: \(sandbox.words)",
                    fix: "boot a kernel with CONFIG_SECCOMP_FILTER and CONFIG_SECURITY_LANDLOCK, the latter in its "
                        + "lsm= list"))
        }
        if !cpu.invariantTSC {
            list.append(
                Problem(
                    severity: .note, what: "the TSC is not known to run at one rate: the guests' clock may drift",
                    fix: "keep the CPU's frequency fixed while guests measure time"))
        }
        return list
    }
}
