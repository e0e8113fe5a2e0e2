// Reads a value: a string in any of the four quotations, a number, true or false, an array, an inline table.
//
// Read next: Fields.swift.

extension TOMLReader {
    mutating func readValue(depth: Int) throws(TOMLError) -> TOMLValue {
        let start = offset
        if depth > Self.deepest { throw TOMLError(offset: start, words: "no more than \(Self.deepest) brackets deep") }
        let content: TOMLValue.Content =
            switch next {
            case UInt8(ascii: "\"")?: .string(try readString(quote: UInt8(ascii: "\"")))
            case UInt8(ascii: "'")?: .string(try readString(quote: UInt8(ascii: "'")))
            case UInt8(ascii: "[")?: .array(try readArray(depth: depth + 1))
            case UInt8(ascii: "{")?: .table(try readTable(depth: depth + 1))
            default: try readWord()
            }
        return TOMLValue(offset: start, content: content)
    }

    private mutating func readArray(depth: Int) throws(TOMLError) -> [TOMLValue] {
        offset += 1
        var values: [TOMLValue] = []
        try skipBlank()
        while !take("]") {
            values.append(try readValue(depth: depth))
            try skipBlank()
            if take("]") { break }
            if !take(",") { throw error("',' or ']'") }
            try skipBlank()
        }
        return values
    }

    /// `{ key = value, ... }`, on one line.
    private mutating func readTable(depth: Int) throws(TOMLError) -> TOMLTable {
        var table = TOMLTable(offset: offset)
        offset += 1
        skipSpaces()
        if take("}") { return table }
        while true {
            try readEntry(into: &table, depth: depth)
            skipSpaces()
            if take("}") { return table }
            if !take(",") { throw error("',' or '}'") }
            skipSpaces()
        }
    }

    /// true, false, or a decimal number, with "_" between digits.
    private mutating func readWord() throws(TOMLError) -> TOMLValue.Content {
        let start = offset
        while let byte = next, isWordByte(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".") {
            offset += 1
        }
        let word = String(decoding: bytes[start..<offset], as: UTF8.self)
        if word == "true" || word == "false" { return .flag(word == "true") }
        let digits = word.split(separator: "_", omittingEmptySubsequences: false)
        let isSplitWell = !digits.contains { $0.isEmpty }
        let number = String(word.filter { $0 != "_" })
        let isDecimal = number.utf8.allSatisfy { (0x2b...0x39).contains($0) && $0 != 0x2c && $0 != 0x2f }
        if isDecimal, isSplitWell, let integer = Int(number) { return .integer(integer) }
        if isDecimal, isSplitWell, let decimal = Double(number), decimal.isFinite { return .decimal(decimal) }
        offset = start
        throw error("a value (a \"string\", a number, true or false, an [array], a {table})")
    }

    /// `"` has escapes, `'` has none; three of either may hold several lines.
    private mutating func readString(quote: UInt8) throws(TOMLError) -> String {
        let hasEscapes = quote == UInt8(ascii: "\"")
        let isLong = hasEscapes ? take("\"\"\"") : take("'''")
        if !isLong { offset += 1 } else if !take("\n") { _ = take("\r\n") }
        var text: [UInt8] = []
        while true {
            guard let byte = next else { throw error("the end of the string") }
            if byte == quote, !isLong || (hasEscapes ? take("\"\"\"") : take("'''")) {
                if !isLong { offset += 1 }
                return String(decoding: text, as: UTF8.self)
            }
            if hasEscapes, byte == UInt8(ascii: "\\") {
                text += try readEscape(isLong: isLong)
                continue
            }
            let isEnd = byte == 0x0a || byte == 0x0d
            if isEnd && !isLong { throw error("the end of the string") }
            if byte < 0x20 && byte != 0x09 && !isEnd || byte == 0x7f {
                throw error("a string without control characters (\\u0000 and its kin write them)")
            }
            text.append(byte)
            offset += 1
        }
    }

    private mutating func readEscape(isLong: Bool) throws(TOMLError) -> [UInt8] {
        offset += 1
        let escapes: KeyValuePairs<UInt8, UInt8> = [
            UInt8(ascii: "b"): 0x08, UInt8(ascii: "t"): 0x09, UInt8(ascii: "n"): 0x0a, UInt8(ascii: "f"): 0x0c,
            UInt8(ascii: "r"): 0x0d, UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5c,
        ]
        if let byte = next, let escape = escapes.first(where: { $0.key == byte }) {
            offset += 1
            return [escape.value]
        }
        if take("u") { return try readScalar(digits: 4) }
        if take("U") { return try readScalar(digits: 8) }
        if isLong {
            // At a line's end it takes away what is white up to the next letter.
            let start = offset
            skipSpaces()
            if next == 0x0a || next == 0x0d {
                while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { offset += 1 }
                return []
            }
            offset = start
        }
        throw error("an escape (\\n, \\t, \\\", \\\\, \\u and four digits)")
    }

    private mutating func readScalar(digits: Int) throws(TOMLError) -> [UInt8] {
        let hexadecimal = bytes[offset...].prefix(digits)
        guard hexadecimal.count == digits, hexadecimal.allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit }),
            let value = UInt32(String(decoding: hexadecimal, as: UTF8.self), radix: 16),
            let scalar = UnicodeScalar(value)
        else { throw error("a character's number in \(digits) hexadecimal digits") }
        offset += digits
        return Array(String(Character(scalar)).utf8)
    }
}
