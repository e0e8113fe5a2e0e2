// A table and what is asked of it: each key by its type, with errors that say where, which key, and what was expected.
//
// Read next: Catalogue.swift.

struct Fields {
    private let table: TOMLTable
    /// "disks[0]." before its keys' names.
    private let place: String

    init(_ table: TOMLTable, place: String = "") { (self.table, self.place) = (table, place) }

    /// What is wrong with a key: at its value, or where its table begins when there is none.
    func error(_ key: String, _ words: String) -> TOMLError {
        TOMLError(offset: table[key]?.offset ?? table.offset, words: "\(place)\(key): \(words)")
    }

    /// Every key must be one of these: a misspelt one would be a wish that is not heard.
    func check(_ known: [String]) throws(TOMLError) {
        guard let entry = table.entries.first(where: { !known.contains($0.key) }) else { return }
        throw TOMLError(
            offset: entry.offset, words: "\(place)\(entry.key): no such key; there are \(known.joined(separator: ", "))"
        )
    }

    func string(_ key: String) throws(TOMLError) -> String? {
        guard let value = table[key] else { return nil }
        return try text(value, key)
    }

    /// One that must be there, and have something in it.
    func required(_ key: String) throws(TOMLError) -> String {
        guard let text = try string(key), !text.isEmpty else { throw error(key, "a string is expected") }
        return text
    }

    func word(_ key: String, _ words: [String]) throws(TOMLError) -> String? {
        guard let text = try string(key) else { return nil }
        if words.contains(text) { return text }
        throw error(key, "'\(text)': one of \(words.joined(separator: ", ")) is expected")
    }

    func flag(_ key: String) throws(TOMLError) -> Bool? {
        guard let value = table[key] else { return nil }
        guard case .flag(let flag) = value.content else { throw wrong(value, key, "true or false") }
        return flag
    }

    func integer(_ key: String, _ range: ClosedRange<Int>) throws(TOMLError) -> Int? {
        guard let value = table[key] else { return nil }
        guard case .integer(let number) = value.content else { throw wrong(value, key, "a whole number") }
        if range.contains(number) { return number }
        throw error(key, "\(range.lowerBound) to \(range.upperBound) is expected")
    }

    /// Of seconds, whole or with a fraction, up to a day; nanoseconds.
    func seconds(_ key: String) throws(TOMLError) -> UInt64? {
        guard let value = table[key] else { return nil }
        let number: Double
        switch value.content {
        case .integer(let whole): number = Double(whole)
        case .decimal(let decimal): number = decimal
        default: throw wrong(value, key, "a number of seconds")
        }
        guard (0...86_400).contains(number) else { throw error(key, "seconds from 0 to 86400 are expected") }
        return UInt64(number * 1e9)
    }

    func strings(_ key: String) throws(TOMLError) -> [String] {
        try array(key, "an array of strings").enumerated().map { index, value throws(TOMLError) in
            try text(value, "\(key)[\(index)]")
        }
    }

    /// `[[key]]`, each with its place.
    func tables(_ key: String) throws(TOMLError) -> [Fields] {
        try array(key, "[[\(key)]]").enumerated().map { index, value throws(TOMLError) in
            guard case .table(let table) = value.content else { throw wrong(value, "\(key)[\(index)]", "a table") }
            return Fields(table, place: "\(place)\(key)[\(index)].")
        }
    }

    private func array(_ key: String, _ expected: String) throws(TOMLError) -> [TOMLValue] {
        guard let value = table[key] else { return [] }
        guard case .array(let values) = value.content else { throw wrong(value, key, expected) }
        return values
    }

    /// No argument of a program can have a NUL in it.
    private func text(_ value: TOMLValue, _ key: String) throws(TOMLError) -> String {
        guard case .string(let text) = value.content else { throw wrong(value, key, "a string") }
        if text.utf8.contains(0) { throw wrong(value, key, "a string without NUL") }
        return text
    }

    private func wrong(_ value: TOMLValue, _ key: String, _ expected: String) -> TOMLError {
        TOMLError(offset: value.offset, words: "\(place)\(key): \(expected) is expected, not \(value.kind)")
    }
}
