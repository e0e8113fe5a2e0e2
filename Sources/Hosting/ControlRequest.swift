// What may be asked on the control socket: one line, "VERB [MACHINE]", and then the answer is all that comes.
//
// The answer's first line is "ok" or "error WHY"; what follows it, up to the end, is JSON (list, stats), text (log, reload), or the
// machine's console in both directions (console). Read next: ControlServer.swift.

/// A request that is understood.
public enum ControlRequest: Equatable, Sendable {
    case list
    /// The catalogue is read anew.
    case reload
    case machine(Verb, id: String)

    public enum Verb: String, CaseIterable, Sendable { case start, stop, restart, console, stats, log }

    /// The longest line, in bytes, with its end.
    public static let longest = 128

    /// The line as it is sent.
    public var line: String {
        switch self {
        case .list: "list\n"
        case .reload: "reload\n"
        case .machine(let verb, let id): "\(verb.rawValue) \(id)\n"
        }
    }

    /// From words, of a line or of a command line.
    public init(_ words: [String]) throws(ControlError) {
        guard let first = words.first else { throw ControlError("a request is needed: \(Self.usage)") }
        if first == "list" || first == "reload" {
            if words.count > 1 { throw ControlError("'\(first)' takes no machine") }
            self = first == "list" ? .list : .reload
            return
        }
        guard let verb = Verb(rawValue: first) else {
            throw ControlError("'\(first.prefix(20))' is no request: \(Self.usage)")
        }
        guard words.count == 2 else { throw ControlError("'\(first)' needs one machine's name") }
        guard isMachineID(words[1]) else { throw ControlError("'\(words[1].prefix(40))' is no machine's name") }
        self = .machine(verb, id: words[1])
    }

    /// From what has come; nil while its line has no end.
    public init?(received bytes: [UInt8]) throws(ControlError) {
        guard let end = bytes.prefix(Self.longest).firstIndex(of: 0x0a) else {
            if bytes.count >= Self.longest { throw ControlError("a request has at most \(Self.longest) bytes") }
            return nil
        }
        let line = bytes[..<end]
        guard line.allSatisfy({ (0x20...0x7e).contains($0) || $0 == 0x0d }) else {
            throw ControlError("a request is printable ASCII")
        }
        let words = line.split { $0 == 0x20 || $0 == 0x0d }
        try self.init(words.map { String(decoding: $0, as: UTF8.self) })
    }

    public static let usage = "list, reload, or start, stop, restart, console, stats or log with a machine's name"
}

/// Why a request is refused: one line.
public struct ControlError: Error, Equatable, Sendable {
    public let message: String
    public init(_ message: String) { self.message = message }
}

/// A machine's name in commands: 1 to 32 letters, digits, "-", "_" and ".", no "." first.
public func isMachineID(_ text: some StringProtocol) -> Bool {
    (1...32).contains(text.utf8.count) && text.utf8.first != 0x2e
        && text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                || [0x2d, 0x2e, 0x5f].contains($0)
        }
}
