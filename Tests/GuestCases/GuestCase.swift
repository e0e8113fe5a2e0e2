// A guest case: how to run one guest, and what must come of it.
//
// Cases are written down in guests/NAME/expect, so that the same words are checked on every KVM: by `swift test` on the
// host's, by swiftlet-check inside the labs. Read next: ExpectFile.swift.

/// One case of one guest.
public struct GuestCase: Sendable {
    /// The guest's name: its folder in guests/, and its image's name without ".elf".
    public let guest: String
    /// What the case shows; unique within the guest.
    public let title: String
    /// Line of its `case` directive in the guest's expect file.
    public let line: Int

    /// Arguments of `swiftlet run`, with placeholders not yet filled in: {image}, {dir}.
    public var arguments = ["{image}"]
    /// Bytes of a file of zeros that is made for the case.
    public var diskSize: UInt64?
    /// What is typed on the console; nil: standard input is /dev/null.
    public var input: [UInt8]?
    /// The exit status that `swiftlet run` must end with.
    public var status: Int32 = 0
    /// Standard output, all of it; nil: anything.
    public var exactOutput: [UInt8]?
    /// Texts that standard output must contain.
    public var output: [[UInt8]] = []
    /// Texts that standard error must contain.
    public var error: [[UInt8]] = []

    init(guest: String, title: String, line: Int) {
        self.guest = guest
        self.title = title
        self.line = line
    }
}

extension GuestCase: CustomStringConvertible {
    public var description: String { "\(guest): \(title)" }
}
