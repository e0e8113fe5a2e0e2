// The bytes between `swiftlet serve` and whoever calls: docs/serve.md has them as a table.
//
// A request is 8 bytes and its input, an answer is 8 bytes and its output. All numbers are little-endian.
// Read next: RequestReader.swift.

/// How a call ended: an answer's first word.
public enum CallEnd: Equatable, Sendable {
    /// The guest made its exit call.
    case exited(UInt8)
    /// It did not within the server's time limit, and was stopped.
    case timedOut
    /// It did what no guest may do.
    case crashed
    /// It wrote more than the server lets it.
    case outputTooLong
    /// The server could not run it. The output is why, in words.
    case failed
    /// The server did not take the request, and hangs up. The output is why, in words.
    case refused

    /// The low byte is the exit status of `swiftlet call`, what is above says how it came to be.
    public var word: UInt32 {
        switch self {
        case .exited(let status): UInt32(status)
        case .timedOut: 1 << 8 | 124
        case .crashed: 2 << 8 | 126
        case .outputTooLong: 3 << 8 | 125
        case .failed: 4 << 8 | 125
        case .refused: 5 << 8 | 125
        }
    }

    /// Nil for a word that means nothing.
    public init?(word: UInt32) {
        let others: [CallEnd] = [.timedOut, .crashed, .outputTooLong, .failed, .refused]
        if word < 256 {
            self = .exited(UInt8(word))
        } else if let end = others.first(where: { $0.word == word }) {
            self = end
        } else {
            return nil
        }
    }

    /// The exit status of `swiftlet call`, as of `swiftlet run`.
    public var exitStatus: Int32 { Int32(word & 0xff) }

    /// Whether the output is the guest's, not the server's words.
    public var isGuests: Bool { self != .failed && self != .refused }
}

/// What came of a call.
public struct CallAnswer: Equatable, Sendable {
    public let end: CallEnd
    /// What the guest wrote to its console, or the server's words.
    public let output: [UInt8]

    public init(_ end: CallEnd, _ output: [UInt8] = []) { (self.end, self.output) = (end, output) }

    public init(_ end: CallEnd, words: String) { self.init(end, Array(words.utf8)) }

    /// An answer as it is sent.
    public var bytes: [UInt8] { littleEndian(end.word) + littleEndian(UInt32(output.count)) + output }

    /// An answer's first 8 bytes: how the call ended, and how many bytes of output follow; nil when they are none.
    public static func header(_ bytes: some Collection<UInt8>) -> (end: CallEnd, count: Int)? {
        guard bytes.count == 8, let end = CallEnd(word: number(bytes.prefix(4))) else { return nil }
        return (end, Int(number(bytes.dropFirst(4))))
    }
}

public enum CallRequest {
    /// "SLC1": Swiftlet call, version 1.
    public static let magic: [UInt8] = Array("SLC1".utf8)
    public static let headerSize = 8

    /// A request as it is sent; its input must be shorter than 4 GiB.
    public static func bytes(_ input: [UInt8]) -> [UInt8] { magic + littleEndian(UInt32(input.count)) + input }
}

/// Of four bytes.
func number(_ bytes: some Collection<UInt8>) -> UInt32 { bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) } }

private func littleEndian(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
