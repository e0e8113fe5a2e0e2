// What the user says about a kernel for the bare CPU: how it boots, and what it is given.
//
// Read next: KernelFile.swift.

import Boot

/// Options of `swiftlet run` that other guests refuse.
public struct KernelOptions: Sendable {
    /// `--boot`; nil: as its file tells.
    public var method: BootMethod?
    /// `--initrd`
    public var initialDisk: String?
    /// `--append`: text before the guest's arguments.
    public var commandLine: String?
    /// `--module FILE[,ARGUMENTS]`, as often as it was given.
    public var modules: [(path: String, arguments: String)] = []
    /// `--irqchip`: interrupt controllers and a timer for a kernel whose protocol does not say that it expects them.
    public var hasInterrupts = false
    /// `--virtio-console`: standard input goes to a virtio console, and no longer to the serial port.
    public var hasConsole = false

    /// `--cpu`; nil: all that the host can give.
    public var cpu: CPUTemplate?

    /// `--identity`; nil: KVM's.
    public var identity: Identity?

    /// `--fw-cfg`, as often as it was given.
    public var firmwareItems: [FirmwareItem] = []

    /// `--test-device`
    public var hasTestDevice = false

    public init() {}

    /// The first that is given and only means something to a kernel.
    var given: String? {
        if method != nil { return "--boot" }
        if initialDisk != nil { return "--initrd" }
        if commandLine != nil { return "--append" }
        if hasConsole { return "--virtio-console" }
        if cpu != nil { return "--cpu" }
        if identity != nil { return "--identity" }
        if !firmwareItems.isEmpty { return "--fw-cfg" }
        if hasTestDevice { return "--test-device" }
        return hasInterrupts ? "--irqchip" : nil
    }
}
