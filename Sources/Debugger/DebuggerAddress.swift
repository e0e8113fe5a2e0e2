// Where a debugger comes in: `--gdb unix:PATH`, `--gdb tcp:PORT`, `--gdb -`.
//
// Read next: Channel.swift.

/// The value of `--gdb`.
public enum DebuggerAddress: Equatable, Sendable {
    case unix(String)
    /// Of 127.0.0.1 alone; 0: any that is free.
    case tcp(UInt16)
    /// Standard input and output, which then are not the guest's.
    case standard

    public static let usage = "unix:PATH, tcp:PORT (of this host alone), or - for standard input and output"

    public init?(_ text: String) {
        if text == "-" {
            self = .standard
        } else if text.hasPrefix("unix:"), text.utf8.count > 5 {
            self = .unix(String(text.dropFirst(5)))
        } else if text.hasPrefix("tcp:"), let port = UInt16(text.dropFirst(4)) {
            self = .tcp(port)
        } else {
            return nil
        }
    }
}
