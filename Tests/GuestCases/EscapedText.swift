// Bytes as text with escapes: how an expect file writes them and how a failure shows them.
//
// Read next: CaseRun.swift.

/// The bytes that a text with the escapes \n \t \\ \xNN stands for; nil when an escape is wrong.
func unescape(_ text: Substring) -> [UInt8]? {
    var bytes: [UInt8] = []
    var rest = text.utf8
    while let byte = rest.popFirst() {
        if byte != UInt8(ascii: "\\") {
            bytes.append(byte)
            continue
        }
        switch rest.popFirst() {
        case UInt8(ascii: "n"): bytes.append(UInt8(ascii: "\n"))
        case UInt8(ascii: "t"): bytes.append(UInt8(ascii: "\t"))
        case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "x"):
            guard rest.count >= 2, let value = UInt8(String(Substring(rest.prefix(2))), radix: 16) else { return nil }
            rest = rest.dropFirst(2)
            bytes.append(value)
        default: return nil
        }
    }
    return bytes
}

/// The inverse, for people: printable ASCII as it is, all else escaped.
func escape(_ bytes: some Sequence<UInt8>) -> String {
    var text = ""
    for byte in bytes {
        switch byte {
        case UInt8(ascii: "\n"): text += "\\n"
        case UInt8(ascii: "\t"): text += "\\t"
        case UInt8(ascii: "\\"): text += "\\\\"
        case 0x20..<0x7f: text.unicodeScalars.append(Unicode.Scalar(byte))
        default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }
    return text
}

extension [UInt8] {
    /// Whether `part` occurs in these bytes.
    public func contains(bytes part: [UInt8]) -> Bool {
        if part.isEmpty { return true }
        if part.count > count { return false }
        return (0...(count - part.count)).contains { self[$0..<($0 + part.count)].elementsEqual(part) }
    }

    public func contains(text: String) -> Bool { contains(bytes: Array(text.utf8)) }
}
