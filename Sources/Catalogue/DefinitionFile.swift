// A file of the catalogue: read with a limit, and whatever is wrong with it is told with its path, line and column.
//
// Read next: DefinitionReader.swift.

import Host

struct DefinitionFile {
    let path: String
    /// In bytes.
    static let longest = 64 << 10

    /// What `body` makes of its text.
    func read<Value>(_ body: (String) throws(TOMLError) -> Value) throws(CatalogueError) -> Value {
        let bytes: [UInt8]
        do throws(HostError) { bytes = try File.regular(path).read(at: 0, Self.longest + 1) } catch {
            throw wrong(errnoText(error.errno))
        }
        if bytes.count > Self.longest { throw wrong("a definition has at most \(Self.longest >> 10) KiB") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw wrong("a definition is UTF-8") }
        do throws(TOMLError) { return try body(text) } catch {
            throw wrong(error.words, at: Self.place(error.offset, bytes))
        }
    }

    func wrong(_ words: String, at place: String = "") -> CatalogueError { CatalogueError("\(path)\(place): \(words)") }

    /// ":LINE:COLUMN", from 1; a column is a character.
    private static func place(_ offset: Int, _ bytes: [UInt8]) -> String {
        let before = bytes.prefix(offset)
        let line = before.split(separator: 0x0a, omittingEmptySubsequences: false)
        return ":\(line.count):\(String(decoding: line.last ?? [], as: UTF8.self).unicodeScalars.count + 1)"
    }
}
