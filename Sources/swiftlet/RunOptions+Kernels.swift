// Options about CPUs and about kernels for the bare CPU, and what they mean to a run.
//
// Read next: VMM/Devices/KernelOptions.swift.

import Boot
import VMM

extension Option {
    static let kernels = [
        Option(
            name: "--cpus", value: "N",
            help:
                "vCPUs, of which the first runs and starts the others: up to \(Configuration.mostCPUs), of a guest of "
                + "Swiftlet's own up to \(Configuration.mostCPUsOfGuest) (default 1)"),
        Option(
            name: "--boot", value: "NAME",
            help: "how a kernel of another kind starts: multiboot, pvh, linux, boot-sector, flat16, flat32 or "
                + "flat64[@ADDRESS] (default: its file tells)"),
        Option(name: "--initrd", value: "FILE", help: "an initial RAM disk for such a kernel"),
        Option(name: "--append", value: "TEXT", help: "text for such a kernel's command line, before GUEST ARGS"),
        Option(
            name: "--cpu", value: "max|min|FILE",
            help:
                "the CPU that such a kernel is told of: all that this host can give (default), what every x86-64 has, "
                + "or by a template"),
        Option(
            name: "--identity", value: "NAME",
            help: "whose hypervisor such a kernel finds: kvm (default), hyperv, xen, vmware, or none"),
        Option(
            name: "--fw-cfg", value: "NAME=FILE",
            help: "a file in such a kernel's firmware configuration (QEMU's fw_cfg); NAME=string:TEXT is a text"),
        Option(name: "--irqchip", value: nil, help: "interrupt controllers and a timer for a Multiboot or flat kernel"),
        Option(
            name: "--virtio-console", value: nil,
            help: "a virtio console for such a kernel, which takes the serial port's place on standard input"),
        Option(name: "--test-device", value: nil, help: "a part of QEMU's pc-testdev, for kernels that test a KVM"),
    ]
}

extension RunOptions {
    mutating func setKernel(_ name: String, _ value: String) throws(UsageError) {
        switch name {
        case "--cpus":
            configuration.cpus = try known(
                Int(value).flatMap { (1...Configuration.mostCPUs).contains($0) ? $0 : nil },
                "--cpus '\(value)': a number from 1 to \(Configuration.mostCPUs)")
        case "--boot": configuration.kernel.method = try known(BootMethod(value), "--boot: \(BootMethod.usage)")
        case "--identity":
            configuration.kernel.identity = try known(
                Identity(rawValue: value), "--identity '\(value)': \(Identity.usage)")
        case "--cpu": configuration.kernel.cpu = CPUTemplate(value)
        case "--initrd": configuration.kernel.initialDisk = value
        case "--fw-cfg": try addFirmwareItem(try known(FirmwareItem(value), "--fw-cfg: \(FirmwareItem.usage)"))
        default: configuration.kernel.commandLine = (configuration.kernel.commandLine.map { $0 + " " } ?? "") + value
        }
    }

    private mutating func addFirmwareItem(_ item: FirmwareItem) throws(UsageError) {
        if configuration.kernel.firmwareItems.contains(where: { $0.name == item.name }) {
            throw UsageError("--fw-cfg: \(item.name) is given twice")
        }
        if configuration.kernel.firmwareItems.count == FirmwareItem.most {
            throw UsageError("--fw-cfg: at most \(FirmwareItem.most) of them")
        }
        configuration.kernel.firmwareItems.append(item)
    }

    /// The one of a Swiftlet guest, whose path is all of it, and one more of a kernel, which gets what is behind the comma.
    mutating func addModule(_ value: String) {
        configuration.module = value
        let parts = value.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        configuration.kernel.modules.append((parts[0], parts.count == 2 ? parts[1] : ""))
    }
}
