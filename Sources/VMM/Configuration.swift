// What the user asked for: the machine to build.
//
// Read next: Machine.swift.

import Backing
import Deprivileged
import Devices
import Observe

/// A machine's configuration. The command line's defaults are these.
public struct Configuration: Sendable {
    /// Path of the image.
    public var image: String
    /// The guest's own arguments, with a space between two.
    public var commandLine = ""
    /// Bytes, a multiple of the page size; 1 MiB at least.
    public var memorySize: UInt64 = 64 << 20
    /// Bytes that the guest's grow calls may bring memory to; nil for no growth.
    public var memoryMaximum: UInt64?
    public var backing = Backing.anonymous
    /// Large read-only segments are mapped from the image's file, which must not change meanwhile.
    public var mapsImage = false
    /// Threads that populate memory before the guest starts, 0 for one on each CPU; nil for none.
    public var prefaultThreads: Int?
    /// Nanoseconds from the start of the guest; nil for no limit.
    public var timeout: UInt64?
    /// Path of a data module for the guest.
    public var module: String?
    /// vCPUs.
    public var cpus = 1
    /// Of a kernel for the bare CPU.
    public var kernel = KernelOptions()
    /// Of an image for ring 0.
    public var ring = Ring.automatic
    /// Disks and network interfaces.
    public var devices = Attachments()
    /// The name of the program in what it says of a unikernel.
    public var program = "swiftlet"
    /// The terminal goes into raw mode and every key to the guest.
    public var raw = false
    /// Guest log lines and the details of crash reports are left out.
    public var quiet = false
    /// Where an ELF core goes when the guest crashes.
    public var core: String?

    /// What to watch while it runs.
    public var observation = Observation()
    /// Where a snapshot goes when the guest or SIGUSR2 asks for one, and whether the run ends with it.
    public var snapshot: String?
    public var endsWithSnapshot = false
    /// Snapshots behind the first hold what has changed since the one before.
    public var savesIncrements = false

    public static let smallestMemory: UInt64 = 1 << 20

    public init(image: String) {
        self.image = image
    }

    /// One more argument for the guest. An array of them, a program's first, would cost its start 0.1 ms.
    public mutating func append(argument: String) {
        if !commandLine.isEmpty { commandLine += " " }
        commandLine += argument
    }
}
