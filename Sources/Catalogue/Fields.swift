// A table of TOML and what is asked of it: each key by its type, with errors that name the key and say what was expected.
//
// Read next: Catalogue.swift.

import Hosting
import TOMLKit

/// What is wrong with a key: "memory: a string is expected, and this is an integer".
struct FieldError: Error {
    let words: String
    init(_ key: String, _ words: String) { self.words = "\(key): \(words)" }
}

struct Fields {
    private let table: TOMLTable
    /// "disks[0]." before its keys' names.
    private let place: String

    init(_ table: TOMLTable, place: String = "") { (self.table, self.place) = (table, place) }

    func name(_ key: String) -> String { place + key }

    /// Every key must be one of these: a misspelt one would be a wish that is not heard.
    func check(_ known: [String]) throws(FieldError) {
        guard let key = table.keys.sorted().first(where: { !known.contains($0) }) else { return }
        throw FieldError(name(key), "no such key; there are \(known.joined(separator: ", "))")
    }

    func string(_ key: String) throws(FieldError) -> String? {
        guard let value = try value(key, .string, "a string") else { return nil }
        let text = value.string ?? ""
        if text.utf8.contains(0) { throw FieldError(name(key), "a string without NUL is expected") }
        return text
    }

    func flag(_ key: String) throws(FieldError) -> Bool? { try value(key, .bool, "true or false")?.bool }

    func integer(_ key: String, _ range: ClosedRange<Int>) throws(FieldError) -> Int? {
        guard let value = try value(key, .int, "a whole number") else { return nil }
        guard let number = value.int, range.contains(number) else {
            throw FieldError(name(key), "\(range.lowerBound) to \(range.upperBound) is expected")
        }
        return number
    }

    /// Of seconds, whole or with a fraction, up to a day; nanoseconds.
    func seconds(_ key: String) throws(FieldError) -> UInt64? {
        guard let value = table[key] else { return nil }
        let number = value.type == .int ? value.int.map(Double.init) : value.type == .double ? value.double : nil
        guard let number, (0...86_400).contains(number) else {
            throw FieldError(name(key), "seconds from 0 to 86400 are expected")
        }
        return UInt64(number * 1e9)
    }

    func strings(_ key: String) throws(FieldError) -> [String] {
        guard let array = try value(key, .array, "an array of strings")?.array else { return [] }
        var strings: [String] = []
        for (index, value) in array.enumerated() {
            guard value.type == .string, let text = value.string, !text.utf8.contains(0) else {
                throw FieldError("\(name(key))[\(index)]", "a string without NUL is expected")
            }
            strings.append(text)
        }
        return strings
    }

    /// `[[key]]`, each with its place.
    func tables(_ key: String) throws(FieldError) -> [Fields] {
        guard let array = try value(key, .array, "[[\(key)]] tables")?.array else { return [] }
        var tables: [Fields] = []
        for (index, value) in array.enumerated() {
            let place = "\(name(key))[\(index)]"
            guard let table = value.table else { throw FieldError(place, "a table is expected") }
            tables.append(Fields(table, place: place + "."))
        }
        return tables
    }

    private func value(
        _ key: String, _ type: TOMLType, _ expected: String
    ) throws(FieldError) -> (any TOMLValueConvertible)? {
        guard let value = table[key] else { return nil }
        if value.type != type { throw FieldError(name(key), "\(expected) is expected, not \(words(value.type))") }
        return value
    }

    private func words(_ type: TOMLType) -> String {
        switch type {
        case .array, .int: "an \(type.description)"
        default: "a \(type.description)"
        }
    }
}
