// What the user asked for: the machine to build.
//
// Read next: Machine.swift.

/// A machine's configuration. The command line's defaults are these.
public struct Configuration: Sendable {
    /// Path of the image.
    public var image: String
    /// The guest's own arguments.
    public var arguments: [String] = []
    /// Bytes, a multiple of the page size; 1 MiB at least.
    public var memorySize: UInt64 = 64 << 20
    /// Nanoseconds from the start of the guest; nil for no limit.
    public var timeout: UInt64?
    /// Path of a data module for the guest.
    public var module: String?
    /// The terminal goes into raw mode and every key to the guest.
    public var raw = false
    /// Guest log lines and the details of crash reports are left out.
    public var quiet = false
    /// Where an ELF core goes when the guest crashes.
    public var core: String?

    /// Where a snapshot goes when the guest or SIGUSR2 asks for one, and whether the run ends with it.
    public var snapshot: String?
    public var endsWithSnapshot = false

    public static let smallestMemory: UInt64 = 1 << 20

    public init(image: String) {
        self.image = image
    }
}
