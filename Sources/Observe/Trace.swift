// A trace's bytes: every exit as a line of text for people, as a sentence, or as Chrome's trace JSON for Perfetto and its kin.
//
// Only the bytes: when and where to they are written is the machine's business. Times are nanoseconds on the guest's
// clock. Read next: TraceJSON.swift, TraceText.swift, TraceWords.swift.

/// Something in a trace.
public enum TraceItem {
    /// `place` is "main+0x13", or nil where no symbol is.
    case exit(ExitEvent, rip: UInt64, place: String?)
    /// An interrupt that the machine injects.
    case injection(vector: UInt8, at: UInt64, vcpu: Int? = nil)
    /// The end; `why` is the kind of stop.
    case stop(why: String, status: Int32, at: UInt64)
}

/// How a trace is written.
public enum TraceFormat: Sendable {
    case text, json, words

    /// By the name of the file.
    public init(path: String) { self = path.hasSuffix(".json") ? .json : .text }

    /// What stands before the first item.
    public func header(_ title: String, vcpus: Int = 1) -> [UInt8] {
        switch self {
        case .text: TraceText.header(title)
        case .json: TraceJSON.header(title, vcpus)
        case .words: TraceWords.header(title)
        }
    }

    /// Adds an item.
    public func append(_ item: TraceItem, to bytes: inout [UInt8]) {
        switch self {
        case .text: TraceText.append(item, to: &bytes)
        case .json: TraceJSON.append(item, to: &bytes)
        case .words: TraceWords.append(item, to: &bytes)
        }
    }

    /// What stands behind the last.
    public var footer: [UInt8] { self == .json ? Array("\n]\n".utf8) : [] }
}

/// Text and numbers byte by byte: a String for each would cost ten times as much.
extension [UInt8] {
    mutating func add(_ text: String) {
        let bytes = text.utf8.span
        for index in bytes.indices { append(bytes[index]) }
    }

    mutating func add(hex value: UInt64) {
        add("0x")
        add(digits: value, radix: 16, atLeast: 1)
    }

    /// Digits, with zeros in front.
    mutating func add(digits value: UInt64, radix: UInt64 = 10, atLeast width: Int) {
        var digits = [20 of UInt8](repeating: 0x30)
        var first = digits.count
        var rest = value
        while rest > 0 {
            first -= 1
            let digit = UInt8(truncatingIfNeeded: rest % radix)
            digits[first] = digit < 10 ? 0x30 &+ digit : 0x57 &+ digit
            rest /= radix
        }
        for index in Swift.min(first, digits.count - width)..<digits.count { append(digits[index]) }
    }

    /// Nanoseconds as microseconds: "12.345".
    mutating func add(microseconds nanoseconds: UInt64) {
        add(digits: nanoseconds / 1000, atLeast: 1)
        append(UInt8(ascii: "."))
        add(digits: nanoseconds % 1000, atLeast: 3)
    }

    /// What stands between the quotes of a JSON string (RFC 8259, section 7).
    mutating func add(json text: String) {
        let bytes = text.utf8.span
        for index in bytes.indices {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { append(UInt8(ascii: "\\")) }
            append(byte < 0x20 ? 0x20 : byte)
        }
    }
}
