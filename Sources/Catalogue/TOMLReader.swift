// Reads a file: comments, keys, `[table]` and `[[table]]` headers; values are read next door.
//
// Every step takes a byte or throws, and nesting is bounded, so it ends on any input. Read next: TOMLReader+Values.swift.

public struct TOMLReader {
    let bytes: [UInt8]
    var offset = 0
    /// Arrays and tables inside each other.
    static let deepest = 8

    /// The whole of a text.
    public static func read(_ text: String) throws(TOMLError) -> TOMLTable {
        var reader = TOMLReader(bytes: Array(text.utf8))
        return try reader.readFile()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func readFile() throws(TOMLError) -> TOMLTable {
        var root = TOMLTable(offset: 0)
        try readEntries(into: &root)
        while next != nil {
            let start = offset
            let isArray = take("[[")
            if !isArray { _ = take("[") }
            skipSpaces()
            let key = try readKey()
            skipSpaces()
            if !take(isArray ? "]]" : "]") { throw error("a '\(isArray ? "]]" : "]")'") }
            try endLine()
            var table = TOMLTable(offset: start)
            try readEntries(into: &table)
            let value = TOMLValue(offset: start, content: .table(table))
            if isArray { try append(value, key, to: &root) } else { try add(key, at: start, value, to: &root) }
        }
        return root
    }

    private func append(_ value: TOMLValue, _ key: String, to root: inout TOMLTable) throws(TOMLError) {
        guard let old = root[key] else {
            return try add(key, at: value.offset, TOMLValue(offset: value.offset, content: .array([value])), to: &root)
        }
        guard case .array(let others) = old.content else { throw twice(key, value.offset) }
        root.replace(key, TOMLValue(offset: old.offset, content: .array(others + [value])))
    }

    /// Lines of `key = value` up to a header or the end.
    private mutating func readEntries(into table: inout TOMLTable) throws(TOMLError) {
        try skipBlank()
        while let byte = next, byte != UInt8(ascii: "[") {
            try readEntry(into: &table, depth: 0)
            try endLine()
        }
    }

    mutating func readEntry(into table: inout TOMLTable, depth: Int) throws(TOMLError) {
        let start = offset
        let key = try readKey()
        skipSpaces()
        if !take("=") { throw error("'=' behind the key '\(key)'") }
        skipSpaces()
        try add(key, at: start, try readValue(depth: depth), to: &table)
    }

    private func add(_ key: String, at offset: Int, _ value: TOMLValue, to table: inout TOMLTable) throws(TOMLError) {
        if !table.add(key, at: offset, value) { throw twice(key, offset) }
    }

    private func twice(_ key: String, _ offset: Int) -> TOMLError {
        TOMLError(offset: offset, words: "'\(key)' is there already")
    }

    /// Letters, digits, "_" and "-".
    private mutating func readKey() throws(TOMLError) -> String {
        let start = offset
        while let byte = next, isWordByte(byte) { offset += 1 }
        if offset == start { throw error("a key of letters, digits, _ and -") }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    // Bytes.

    var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    mutating func take(_ text: StaticString) -> Bool {
        let wanted = Array("\(text)".utf8)
        guard bytes[offset...].starts(with: wanted) else { return false }
        offset += wanted.count
        return true
    }

    func isWordByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    mutating func skipSpaces() { while next == 0x20 || next == 0x09 { offset += 1 } }

    /// Spaces, ends of lines and comments.
    mutating func skipBlank() throws(TOMLError) {
        while true {
            skipSpaces()
            if next == UInt8(ascii: "#") { try skipComment() }
            if !take("\n"), !take("\r\n") { return }
        }
    }

    private mutating func skipComment() throws(TOMLError) {
        while let byte = next, byte != 0x0a {
            let isEnd = byte == 0x0d && bytes[offset...].starts(with: [0x0d, 0x0a])
            if isEnd { return }
            if byte < 0x20 && byte != 0x09 || byte == 0x7f { throw error("a comment without control characters") }
            offset += 1
        }
    }

    /// Nothing more may be on this line.
    private mutating func endLine() throws(TOMLError) {
        skipSpaces()
        if next == UInt8(ascii: "#") { try skipComment() }
        if next != nil, next != 0x0a, !bytes[offset...].starts(with: [0x0d, 0x0a]) {
            throw error("the end of the line")
        }
        try skipBlank()
    }

    /// At this place something else was expected.
    func error(_ expected: String) -> TOMLError {
        let found =
            switch next {
            case nil: "the file ends"
            case 0x0a?, 0x0d?: "the line ends"
            case let byte? where (0x21...0x7e).contains(byte): "there is '\(Character(UnicodeScalar(byte)))'"
            default: "there is something else"
            }
        return TOMLError(offset: offset, words: "\(expected) is expected, and \(found)")
    }
}
