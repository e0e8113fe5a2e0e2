// What a file of the catalogue consists of, each part with its place in the file, so that an error can name it.
//
// TOML 1.0 (https://toml.io/en/v1.0.0) without what a machine's definition has no use for: dotted and quoted keys, dates, other
// bases of numbers. A library reads all of TOML, but says of no value where it stands, and the one that there is for Swift
// makes a static program 45 MB larger. Read next: TOMLReader.swift.

struct TOMLValue {
    /// Bytes from the file's start.
    let offset: Int
    let content: Content

    indirect enum Content {
        case string(String)
        case integer(Int)
        case decimal(Double)
        case flag(Bool)
        case array([TOMLValue])
        case table(TOMLTable)
    }

    /// With its article.
    var kind: String {
        switch content {
        case .string: "a string"
        case .integer: "an integer"
        case .decimal: "a decimal number"
        case .flag: "a boolean"
        case .array: "an array"
        case .table: "a table"
        }
    }
}

public struct TOMLTable {
    /// Where it begins.
    let offset: Int
    private(set) var entries: [(key: String, offset: Int, value: TOMLValue)] = []

    init(offset: Int) { self.offset = offset }

    subscript(key: String) -> TOMLValue? { entries.first { $0.key == key }?.value }

    /// False when the key is there already.
    mutating func add(_ key: String, at offset: Int, _ value: TOMLValue) -> Bool {
        if self[key] != nil { return false }
        entries.append((key, offset, value))
        return true
    }

    mutating func replace(_ key: String, _ value: TOMLValue) {
        guard let index = entries.firstIndex(where: { $0.key == key }) else { return }
        entries[index].value = value
    }
}

/// What is wrong, and where.
public struct TOMLError: Error {
    public let offset: Int
    public let words: String
}
